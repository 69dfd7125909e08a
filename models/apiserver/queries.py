"""The options of a request as HTTP has them: from the query, or from the body of a DELETE, which then counts alone.

What is malformed is 400, what may not be is 422, in the real server's words.
Sources: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{get,delete}.go,
staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go.

Called by `paths.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaoskube.models.apiserver.api import (
    BACKGROUND,
    CREATE,
    DELETE,
    DELETE_COLLECTION,
    FOREGROUND,
    ORPHAN,
    PATCH,
    UPDATE,
    Cause,
    DeleteOptions,
    ListOptions,
    Preconditions,
)
from chaoskube.models.apiserver.errors import ApiError, bad_request, invalid

SECOND_NS = 1_000_000_000
INT64 = (-(2**63), 2**63 - 1)
_OPTIONS_KIND = {CREATE: "CreateOptions", UPDATE: "UpdateOptions", PATCH: "PatchOptions"}
_POLICIES = (FOREGROUND, BACKGROUND, ORPHAN)


def list_options(query: Mapping[str, str]) -> ListOptions:
    """The options of a list or watch."""
    seconds = _number(query, "timeoutSeconds")
    initial_events = truth(query, "sendInitialEvents")
    return ListOptions(
        resource_version=query.get("resourceVersion", ""),
        resource_version_match=query.get("resourceVersionMatch", ""),
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        limit=_number(query, "limit") or 0,
        continue_token=query.get("continue", ""),
        allow_watch_bookmarks=truth(query, "allowWatchBookmarks") or False,
        send_initial_events=initial_events is True,
        begin_now=initial_events is False,
        timeout_ns=seconds * SECOND_NS if seconds else None,
    )


def delete_options(query: Mapping[str, str], body: object) -> DeleteOptions:
    """The options of a DELETE, checked."""
    if body is not None and not isinstance(body, Mapping):
        raise bad_request(
            "couldn't get version/kind; json parse error: the body of a DELETE must be an object"
        )
    options = _from_body(body) if body else _from_query(query)
    check_delete_options(options)
    return options


def check_delete_options(options: DeleteOptions) -> None:
    """422 for policies that don't exist, or that are said twice."""
    causes = []
    policy = options.propagation_policy
    if options.orphan_dependents is not None and policy is not None:
        why = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        causes.append(Cause(reason="FieldValueInvalid", message=why, field="propagationPolicy"))
    if policy is not None and policy not in _POLICIES:
        supported = ", ".join(f'"{one}"' for one in (*_POLICIES, "nil"))
        why = f'Unsupported value: "{policy}": supported values: {supported}'
        causes.append(Cause(reason="FieldValueNotSupported", message=why, field="propagationPolicy"))
    if causes:
        raise invalid("DeleteOptions", "meta.k8s.io", "", causes)


def dry_run(query: Mapping[str, str], verb: str, body: object) -> bool:
    """Whether nothing is to be stored; 422 for anything but All."""
    if "dryRun" not in query and not body:
        return False
    said: object = (query["dryRun"],) if "dryRun" in query else ()
    if verb in (DELETE, DELETE_COLLECTION) and isinstance(body, Mapping) and body:
        said = body.get("dryRun") or ()
        if not isinstance(said, (list, tuple)) or not all(isinstance(one, str) for one in said):
            raise _wrong_type(said, "dryRun", "[]string")
    assert isinstance(said, (list, tuple)), f"{said!r} is no list"
    if all(one == "All" for one in said):
        return bool(said)
    listed = " ".join([f'"{one}"' for one in said])
    cause = Cause(
        reason="FieldValueNotSupported",
        message=f'Unsupported value: [{listed}]: supported values: "All"',
        field="dryRun",
    )
    raise invalid(_OPTIONS_KIND.get(verb, "DeleteOptions"), "meta.k8s.io", "", [cause])


def _from_query(query: Mapping[str, str]) -> DeleteOptions:
    return DeleteOptions(
        grace_period_seconds=_number(query, "gracePeriodSeconds"),
        propagation_policy=query.get("propagationPolicy"),
        orphan_dependents=truth(query, "orphanDependents"),
    )


def _from_body(tree: Mapping[str, Any]) -> DeleteOptions:
    if tree.get("kind", "DeleteOptions") != "DeleteOptions":
        raise bad_request("the body of a DELETE must be DeleteOptions")
    grace = tree.get("gracePeriodSeconds")
    if grace is not None and (isinstance(grace, bool) or not isinstance(grace, int) or not _fits(grace)):
        raise _wrong_type(grace, "gracePeriodSeconds", "int64")
    orphans = tree.get("orphanDependents")
    if orphans is not None and not isinstance(orphans, bool):
        raise _wrong_type(orphans, "orphanDependents", "bool")
    wanted = tree.get("preconditions")
    if wanted is not None and not isinstance(wanted, Mapping):
        raise _wrong_type(wanted, "preconditions", "v1.Preconditions")
    return DeleteOptions(
        grace_period_seconds=grace,
        preconditions=_preconditions(wanted) if wanted else None,
        propagation_policy=_text(tree, "propagationPolicy", "v1.DeletionPropagation"),
        orphan_dependents=orphans,
    )


def _preconditions(tree: Mapping[str, Any]) -> Preconditions:
    return Preconditions(
        uid=_text(tree, "uid", "types.UID", owner="Preconditions"),
        resource_version=_text(tree, "resourceVersion", "string", owner="Preconditions"),
    )


def _text(tree: Mapping[str, Any], field: str, go_type: str, owner: str = "DeleteOptions") -> str | None:
    value = tree.get(field)
    if value is not None and not isinstance(value, str):
        raise _wrong_type(value, field, go_type, owner)
    return value


def _number(query: Mapping[str, str], name: str) -> int | None:
    """A number of the query; None where there is none."""
    text = query.get(name)
    if text is None:
        return None
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if len(digits) > 20 or not _fits(int(text)):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return int(text)


def truth(query: Mapping[str, str], name: str) -> bool | None:
    """A switch of the query (runtime/conversion.go, Convert_Slice_string_To_bool: anything but false and 0 is true)."""
    if name not in query:
        return None
    return query[name] != "0" and query[name].lower() != "false"


def _fits(number: int) -> bool:
    return INT64[0] <= number <= INT64[1]


def _wrong_type(value: object, field: str, go_type: str, owner: str = "DeleteOptions") -> ApiError:
    said = _JSON_TYPES.get(type(value).__name__, "object" if isinstance(value, Mapping) else "array")
    return bad_request(
        'DeleteOptions in version "v1" cannot be handled as a DeleteOptions: json: cannot unmarshal '
        f"{said} into Go struct field {owner}.{field} of type {go_type}"
    )


_JSON_TYPES = {"str": "string", "bool": "bool", "int": "number", "float": "number"}
