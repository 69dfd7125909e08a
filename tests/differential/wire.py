"""etcd's JSON gateway: our requests as JSON, its answers as our values (api/etcdserverpb/rpc.proto, grpc-gateway).

Bytes are base64, 64-bit integers are text, what is zero or empty is absent, enum values go by name. Values are text here.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from typing import Final, TypeAlias

from chaoskube.models.etcd.messages import (
    Compact,
    CompactResponse,
    Compare,
    CompareResult,
    CompareTarget,
    DeleteRange,
    DeleteRangeResponse,
    EtcdError,
    Event,
    EventType,
    KeyValue,
    LeaseGrant,
    LeaseGrantResponse,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    LeaseLeases,
    LeaseLeasesResponse,
    LeaseRevoke,
    LeaseRevokeResponse,
    LeaseTimeToLive,
    LeaseTimeToLiveResponse,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Request,
    RequestOp,
    Response,
    ResponseOp,
    Txn,
    TxnResponse,
    WatchCreate,
)

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"
Object: TypeAlias = "dict[str, Json]"

CODES: Final = {
    1: "Canceled", 3: "InvalidArgument", 4: "DeadlineExceeded", 5: "NotFound", 8: "ResourceExhausted",
    9: "FailedPrecondition", 11: "OutOfRange", 14: "Unavailable", 15: "DataLoss",
}  # fmt: skip
"""google.golang.org/grpc/codes."""
TIMEOUT_SECONDS: Final = 20


class GatewayClosed(Exception):
    """The connection ended in the middle."""


class Gateway:
    """One connection, kept alive."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)

    def call(self, path: str, body: Object) -> Object:
        """Post `body`; the answer, which has "error" and "code" when it is one."""
        try:
            self._connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = json.loads(self._connection.getresponse().read())
        except (http.client.HTTPException, json.JSONDecodeError) as error:
            self._connection.close()
            raise GatewayClosed(f"{path}: {error!r}") from error
        assert isinstance(answer, dict)
        return answer

    def ask(self, request: Request) -> Response | EtcdError:
        """Send a request of ours."""
        path, body = to_json(request)
        answer = self.call(path, body)
        if "result" in answer:
            answer = _object(answer["result"])
        if "code" in answer:
            return _error(answer)
        return from_json(request, answer)

    def watch(self, create: WatchCreate) -> Iterator[Object]:
        """The messages of a watch, as they come; only the first may be waited for without a change."""
        body: Object = {"key": _bytes(create.key), "range_end": _bytes(create.range_end)}
        body |= {"start_revision": str(create.start_revision), "prev_kv": create.prev_kv}
        body["filters"] = [one.value for one in create.filters]
        request = json.dumps({"create_request": body})
        self._connection.request("POST", "/v3/watch", request, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        while line := response.readline():
            yield _object(json.loads(line)["result"])

    def close(self) -> None:
        """End it."""
        self._connection.close()


# -- requests


def to_json(request: Request) -> tuple[str, Object]:
    """The path and the body."""
    if isinstance(request, Range | Put | DeleteRange | Txn):
        name, body = _operation(request)
        return f"/v3/kv/{'deleterange' if name == 'request_delete_range' else name[8:]}", body
    if isinstance(request, Compact):
        return "/v3/kv/compaction", {"revision": str(request.revision), "physical": request.physical}
    if isinstance(request, LeaseGrant):
        return "/v3/lease/grant", {"TTL": str(request.ttl), "ID": str(request.id)}
    if isinstance(request, LeaseRevoke):
        return "/v3/lease/revoke", {"ID": str(request.id)}
    if isinstance(request, LeaseTimeToLive):
        return "/v3/lease/timetolive", {"ID": str(request.id), "keys": request.keys}
    if isinstance(request, LeaseKeepAlive):
        return "/v3/lease/keepalive", {"ID": str(request.id)}
    assert isinstance(request, LeaseLeases), request
    return "/v3/lease/leases", {}


def _operation(request: RequestOp) -> tuple[str, Object]:
    if isinstance(request, Range):
        return "request_range", _range(request)
    if isinstance(request, Put):
        return "request_put", {
            "key": _bytes(request.key),
            "value": _bytes(_text(request.value)),
            "lease": str(request.lease),
            "prev_kv": request.prev_kv,
            "ignore_value": request.ignore_value,
            "ignore_lease": request.ignore_lease,
        }
    if isinstance(request, DeleteRange):
        return "request_delete_range", {
            "key": _bytes(request.key),
            "range_end": _bytes(request.range_end),
            "prev_kv": request.prev_kv,
        }
    return "request_txn", {
        "compare": [_compare(one) for one in request.compare],
        "success": [dict([_operation(one)]) for one in request.success],
        "failure": [dict([_operation(one)]) for one in request.failure],
    }


def _range(request: Range) -> Object:
    return {
        "key": _bytes(request.key),
        "range_end": _bytes(request.range_end),
        "limit": str(request.limit),
        "revision": str(request.revision),
        "sort_order": request.sort_order.value,
        "sort_target": request.sort_target.value,
        "serializable": request.serializable,
        "keys_only": request.keys_only,
        "count_only": request.count_only,
        "min_mod_revision": str(request.min_mod_revision),
        "max_mod_revision": str(request.max_mod_revision),
        "min_create_revision": str(request.min_create_revision),
        "max_create_revision": str(request.max_create_revision),
    }


_COMPARE_RESULTS: Final = {
    CompareResult.EQUAL: "EQUAL",
    CompareResult.NOT_EQUAL: "NOT_EQUAL",
    CompareResult.GREATER: "GREATER",
    CompareResult.LESS: "LESS",
}


def _compare(one: Compare) -> Object:
    value = _bytes(_text(one.value)) if one.target is CompareTarget.VALUE else str(one.value)
    return {
        "key": _bytes(one.key),
        "range_end": _bytes(one.range_end),
        "target": one.target.name,
        "result": _COMPARE_RESULTS[one.result],
        one.target.value: value,
    }


# -- answers


def from_json(request: Request, answer: Object) -> Response:
    """What was answered to `request`."""
    revision = _number(_object(answer.get("header", {})), "revision")
    if isinstance(request, Range | Put | DeleteRange | Txn):
        return _response(request, answer, revision)
    if isinstance(request, Compact):
        return CompactResponse(revision=revision)
    if isinstance(request, LeaseGrant):
        return LeaseGrantResponse(revision=revision, id=_number(answer, "ID"), ttl=_number(answer, "TTL"))
    if isinstance(request, LeaseRevoke):
        return LeaseRevokeResponse(revision=revision)
    if isinstance(request, LeaseKeepAlive):
        return LeaseKeepAliveResponse(revision=revision, id=_number(answer, "ID"), ttl=_number(answer, "TTL"))
    if isinstance(request, LeaseTimeToLive):
        return LeaseTimeToLiveResponse(
            revision=revision,
            id=_number(answer, "ID"),
            ttl=_number(answer, "TTL"),
            granted_ttl=_number(answer, "grantedTTL"),
            keys=tuple(sorted(_decoded(one) for one in _list(answer, "keys"))),
        )
    leases = tuple(sorted(_number(_object(one), "ID") for one in _list(answer, "leases")))
    return LeaseLeasesResponse(revision=revision, leases=leases)


def _response(request: RequestOp, answer: Object, revision: int) -> ResponseOp:
    if isinstance(request, Range):
        kvs = tuple(key_value(_object(one)) for one in _list(answer, "kvs"))
        more = bool(answer.get("more", False))
        return RangeResponse(revision=revision, kvs=kvs, more=more, count=_number(answer, "count"))
    if isinstance(request, Put):
        return PutResponse(revision=revision, prev_kv=_optional(answer, "prev_kv"))
    if isinstance(request, DeleteRange):
        gone = tuple(key_value(_object(one)) for one in _list(answer, "prev_kvs"))
        return DeleteRangeResponse(revision=revision, deleted=_number(answer, "deleted"), prev_kvs=gone)
    succeeded = bool(answer.get("succeeded", False))
    asked = request.success if succeeded else request.failure
    got = [next(iter(_object(one).items())) for one in _list(answer, "responses")]
    responses = tuple(_response(one, _object(body), 0) for one, (_, body) in zip(asked, got, strict=True))
    return TxnResponse(revision=revision, succeeded=succeeded, responses=responses)


def key_value(answer: Object) -> KeyValue:
    """A version of a key; an empty value and none are the same on the wire."""
    return KeyValue(
        key=_decoded(answer.get("key", "")),
        value=_decoded(answer.get("value", "")) or None,
        create_revision=_number(answer, "create_revision"),
        mod_revision=_number(answer, "mod_revision"),
        version=_number(answer, "version"),
        lease=_number(answer, "lease"),
    )


def event(answer: Object) -> Event:
    """An event of a watch."""
    kind = EventType(str(answer.get("type", "PUT")))
    return Event(type=kind, kv=key_value(_object(answer["kv"])), prev_kv=_optional(answer, "prev_kv"))


def events(message: Object) -> list[Event]:
    """The events of a watch message."""
    return [event(_object(one)) for one in _list(message, "events")]


def _error(answer: Object) -> EtcdError:
    code = answer["code"]
    assert isinstance(code, int)
    return EtcdError(code=CODES[code], message=str(answer.get("message", answer.get("error"))))


def _optional(answer: Object, name: str) -> KeyValue | None:
    return key_value(_object(answer[name])) if name in answer else None


def _object(value: Json) -> Object:
    assert isinstance(value, dict), value
    return value


def _list(answer: Object, name: str) -> list[Json]:
    found = answer.get(name, [])
    assert isinstance(found, list)
    return found


def _number(answer: Object, name: str) -> int:
    return int(str(answer.get(name, 0)))


def _text(value: object) -> str:
    assert value is None or isinstance(value, str), f"only text goes over the wire, not {value!r}"
    return value or ""


def _bytes(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(value: Json) -> str:
    return base64.b64decode(str(value)).decode()
