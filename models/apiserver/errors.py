"""The Status errors of the API, with the real wording, and the exception that carries one inside the server.

Source: staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go; checked against recordings of a real server.
"""

from __future__ import annotations

from collections.abc import Iterable

from chaoskube.models.apiserver.api import Cause, Status

OPTIMISTIC_LOCK = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
PATCH_REJECTED = "the server rejected our request due to an error in our request"


class ApiError(Exception):
    """A definite "no" from the server, on its way to the client."""

    def __init__(self, status: Status) -> None:
        super().__init__(str(status))
        self.status = status


def qualified(plural: str, group: str) -> str:
    """`pods`, or `deployments.apps`."""
    return f"{plural}.{group}" if group else plural


def not_found(plural: str, group: str, name: str) -> ApiError:
    """404: there is no such object."""
    message = f'{qualified(plural, group)} "{name}" not found'
    return ApiError(Status(code=404, reason="NotFound", message=message, name=name, group=group, kind=plural))


def already_exists(plural: str, group: str, name: str, *, being_deleted: bool = False) -> ApiError:
    """409: the name is taken."""
    prefix = "object is being deleted: " if being_deleted else ""
    message = f'{prefix}{qualified(plural, group)} "{name}" already exists'
    return ApiError(
        Status(code=409, reason="AlreadyExists", message=message, name=name, group=group, kind=plural)
    )


def conflict(plural: str, group: str, name: str, why: str = OPTIMISTIC_LOCK) -> ApiError:
    """409: the object is not what the request says it is."""
    message = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return ApiError(Status(code=409, reason="Conflict", message=message, name=name, group=group, kind=plural))


def invalid(kind: str, group: str, name: str, causes: Iterable[Cause]) -> ApiError:
    """422: these fields are wrong. (errors.go, NewInvalid)"""
    causes = tuple(causes)
    said = [f"{cause.field}: {cause.message}" for cause in causes]
    if len(said) == 1:
        why = said[0]
    else:
        distinct = list(dict.fromkeys(said))
        why = f"[{', '.join(distinct)}]" if len(distinct) > 1 else distinct[0]
    message = f'{qualified(kind, group)} "{name}" is invalid: {why}'
    return ApiError(
        Status(code=422, reason="Invalid", message=message, name=name, group=group, kind=kind, causes=causes)
    )


def bad_request(message: str) -> ApiError:
    """400: the request itself is malformed."""
    return ApiError(Status(code=400, reason="BadRequest", message=message))


def forbidden(plural: str, group: str, name: str, why: str, causes: tuple[Cause, ...] = ()) -> ApiError:
    """403: admission says no."""
    subject = f'{qualified(plural, group)} "{name}"' if name else qualified(plural, group)
    message = f"{subject} is forbidden: {why}"
    return ApiError(
        Status(
            code=403,
            reason="Forbidden",
            message=message,
            name=name,
            group=group,
            kind=plural,
            causes=causes,
        )
    )


def method_not_allowed() -> ApiError:
    """405: the path exists, the method doesn't."""
    return ApiError(
        Status(
            code=405,
            reason="MethodNotAllowed",
            message="the server does not allow this method on the requested resource",
        )
    )


def no_such_resource() -> ApiError:
    """404: the group exists, the resource doesn't."""
    return ApiError(
        Status(code=404, reason="NotFound", message="the server could not find the requested resource")
    )


def paths_not_installed() -> ApiError:
    """503: what this server serves isn't known yet (it has just started). (server/filters/with_mux_complete.go)"""
    message = "the request has been made before all known HTTP paths have been installed, please try again"
    return ApiError(Status(code=503, reason="ServiceUnavailable", message=message, retry_after_seconds=5))


def plain_error(message: str) -> ApiError:
    """500 without a reason: a Go error that is no Status."""
    return ApiError(Status(code=500, message=message))


def internal_error(message: str) -> ApiError:
    """500: an invariant of the server broke."""
    cause = Cause(message=message)
    return ApiError(
        Status(
            code=500,
            reason="InternalError",
            message=f"Internal error occurred: {message}",
            causes=(cause,),
        )
    )


def server_timeout(plural: str, group: str, verb: str) -> ApiError:
    """500: etcd could not be reached; try again in 2 s."""
    message = (
        f"The {verb} operation against {qualified(plural, group)} could not be completed at this time, "
        "please try again."
    )
    return ApiError(
        Status(
            code=500,
            reason="ServerTimeout",
            message=message,
            name=verb,
            group=group,
            kind=plural,
            retry_after_seconds=2,
        )
    )


def timeout(message: str, retry_after_seconds: int = 0) -> ApiError:
    """504: the time of the request is up; a write may still happen."""
    return ApiError(
        Status(
            code=504,
            reason="Timeout",
            message=f"Timeout: {message}",
            retry_after_seconds=retry_after_seconds,
        )
    )


def too_large_resource_version(wanted: int, current: int, retry_after_seconds: int = 1) -> ApiError:
    """504: the cache has not seen that revision within 3 s, or etcd itself is not there yet. (storage/errors.go)"""
    cause = Cause(reason="ResourceVersionTooLarge", message="Too large resource version")
    return ApiError(
        Status(
            code=504,
            reason="Timeout",
            message=f"Timeout: Too large resource version: {wanted}, current: {current}",
            causes=(cause,),
            retry_after_seconds=retry_after_seconds,
        )
    )


def too_many_requests(message: str, retry_after_seconds: int) -> ApiError:
    """429: not now."""
    return ApiError(
        Status(
            code=429,
            reason="TooManyRequests",
            message=message,
            retry_after_seconds=retry_after_seconds,
        )
    )


def expired(message: str) -> ApiError:
    """410: that revision is gone."""
    return ApiError(Status(code=410, reason="Expired", message=message))


def unsupported_media_type(accepted: tuple[str, ...]) -> ApiError:
    """415: not in this format."""
    message = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(
        accepted
    )
    return ApiError(Status(code=415, reason="UnsupportedMediaType", message=message))
