"""Tokens of service accounts: made by the `token` subresource, checked when a request carries one.

A token names its account with its uid, maybe the pod that it is bound to, and when it ends. The server that is shown one
looks the account and the pod up in its caches: so deleting either revokes the token, a watch later and each server for
itself; until 60 s after something was marked for deletion its tokens still hold.
Sources: pkg/registry/core/serviceaccount/storage/token.go, pkg/serviceaccount/{claims,jwt}.go,
staging/src/k8s.io/apiserver/pkg/authentication/serviceaccount/util.go.

Not modelled: signatures (a token is believed to be what some server of the cluster made), audiences, tokens bound to secrets
or nodes, the longer life of tokens that are mounted in the old way.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve

from chaoskube.models.apiserver.admission import CREATE
from chaoskube.models.apiserver.api import Cause, Request, Status
from chaoskube.models.apiserver.authentication import ACCOUNT_PREFIX
from chaoskube.models.apiserver.bodies import order_of
from chaoskube.models.apiserver.errors import ApiError, bad_request, conflict, invalid, not_found
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.keys import key_of
from chaoskube.models.apiserver.storage import read
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.apiserver.writes import Done, attributes_of
from chaoskube.models.objects import (
    GenericObject,
    KubeObject,
    ObjectMeta,
    Pod,
    freeze,
    time_text,
)
from chaoskube.models.objects.resources import Resource, resource_of
from chaoskube.sim import SECOND

API_VERSION = "authentication.k8s.io/v1"
DEFAULT_SECONDS = 3600
LEAST_SECONDS = 600
MOST_SECONDS = 1 << 32
AUDIENCE = "https://kubernetes.default.svc"
DELETED_GRACE_NS = 60 * SECOND


# ---- made


def create_token(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """POST serviceaccounts/NAME/token."""
    spec = _spec(request)
    account = yield from read(key_of(resource, request.namespace, request.name))
    if account is None:
        raise not_found("serviceaccounts", "", request.name)
    seconds = int(spec.get("expirationSeconds") or DEFAULT_SECONDS)
    _check_seconds(seconds)
    asked = _answer(request, spec, seconds, account, {})
    attributes = attributes_of(CREATE, request, resource, asked)
    attributes = yield from ctx.admission.admit(ctx, attributes)
    yield from ctx.admission.validate(ctx, attributes)
    pod = yield from _bound_pod(request, spec)
    ends_ns = ctx.wall_ns() + seconds * SECOND
    status = {
        "token": encoded(account, pod, ends_ns),
        "expirationTimestamp": time_text(ends_ns - ends_ns % SECOND),
    }
    return Done(code=201, body=_answer(request, spec, seconds, account, status))


def _spec(request: Request) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = order_of(request, API_VERSION, "TokenRequest").get("spec") or {}
    return spec


def _check_seconds(seconds: int) -> None:
    if LEAST_SECONDS <= seconds <= MOST_SECONDS:
        return
    why = "may not specify a duration less than 10 minutes"
    if seconds > MOST_SECONDS:
        why = "may not specify a duration larger than 2^32 seconds"
    cause = Cause(
        reason="FieldValueInvalid",
        message=f"Invalid value: {seconds}: {why}",
        field="spec.expirationSeconds",
    )
    raise invalid("TokenRequest", "authentication.k8s.io", "", [cause])


def _bound_pod(request: Request, spec: Mapping[str, Any]) -> Flow[Pod | None]:
    reference = spec.get("boundObjectRef")
    if not reference:
        return None
    if reference.get("kind") != "Pod":
        kind = reference.get("kind", "")
        raise bad_request(
            f"cannot bind token to object of type /{reference.get('apiVersion', '')}, Kind={kind}"
        )
    name = str(reference.get("name") or "")
    pod = yield from read(key_of(resource_of("pods"), request.namespace, name))
    if not isinstance(pod, Pod):
        raise not_found("pods", "", name)
    if pod.spec.service_account_name != request.name:
        raise bad_request(
            f'cannot bind token for serviceaccount "{request.name}" to pod running with different serviceaccount name.'
        )
    uid = reference.get("uid")
    if uid and uid != pod.uid:
        why = (
            f"the UID in the bound object reference ({uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise conflict("Pod", "", name, why)
    return pod


def _answer(
    request: Request, spec: Mapping[str, Any], seconds: int, account: KubeObject, status: Mapping[str, str]
) -> GenericObject:
    whole = {**spec, "audiences": spec.get("audiences") or [AUDIENCE], "expirationSeconds": seconds}
    return GenericObject(
        api_version=API_VERSION,
        kind="TokenRequest",
        metadata=ObjectMeta(name=account.name, namespace=request.namespace, uid=account.uid),
        content=freeze({"spec": whole, "status": {"token": "", "expirationTimestamp": None, **status}}),
    )


def encoded(account: KubeObject, pod: Pod | None, ends_ns: int) -> str:
    """The token: three parts as a JWT has, of which the middle one says everything."""
    about: dict[str, Any] = {
        "namespace": account.namespace,
        "serviceaccount": {"name": account.name, "uid": account.uid},
    }
    if pod is not None:
        about["pod"] = {"name": pod.name, "uid": pod.uid}
    subject = f"{ACCOUNT_PREFIX}{account.namespace}:{account.name}"
    claims = {"exp": ends_ns // SECOND, "iss": AUDIENCE, "kubernetes.io": about, "sub": subject}
    return ".".join([_packed({"alg": "RS256"}), _packed(claims), "unsigned"])


def _packed(tree: Mapping[str, Any]) -> str:
    text = json.dumps(tree, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


# ---- checked


def authenticated(request: Request, cache: Callable[[str], WatchCache], now_ns: int) -> Request:
    """The request as the account that its token names; 401 if the token doesn't hold (any more)."""
    claims = decoded(request.token)
    about = claims.get("kubernetes.io") or {}
    namespace = about.get("namespace", "")
    account = about.get("serviceaccount") or {}
    pod = about.get("pod")
    holds = (
        int(claims.get("exp") or 0) * SECOND > now_ns
        and _is_alive(cache("serviceaccounts"), f"/registry/serviceaccounts/{namespace}/", account, now_ns)
        and (pod is None or _is_alive(cache("pods"), f"/registry/pods/{namespace}/", pod, now_ns))
    )
    if not holds:
        raise unauthorized()
    return evolve(request, user=str(claims.get("sub", "")), groups=(), token="")


def decoded(token: str) -> Mapping[str, Any]:
    """What a token says; nothing if it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def _is_alive(cache: WatchCache, prefix: str, wanted: Mapping[str, str], now_ns: int) -> bool:
    """Whether the very object still exists, and wasn't marked for deletion a minute ago."""
    found = cache.get(f"{prefix}{wanted.get('name', '')}")
    if found is None or found.uid != wanted.get("uid"):
        return False
    ended = found.metadata.deletion_timestamp
    return ended is None or now_ns < ended + DELETED_GRACE_NS


def unauthorized() -> ApiError:
    """401: nobody knows who you are."""
    return ApiError(Status(code=401, reason="Unauthorized", message="Unauthorized"))
