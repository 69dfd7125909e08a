"""How large requests and events are, in the bytes of etcd's protobuf messages (api/etcdserverpb/rpc.proto, mvccpb/kv.proto).

Text, bytes and numbers count as they are on the wire. Any other value stands for a Kubernetes object: it counts as
`OBJECT_BYTES`, because making its text only to measure it would cost more than all the rest of a write.

Called by the server's doors (a request that is too large) and by watch streams (fragments).
Not modelled: the size of each object.
"""

from __future__ import annotations

from typing import Final

from chaoskube.models.etcd.messages import (
    Compare,
    CompareResult,
    CompareTarget,
    DeleteRange,
    Event,
    EventType,
    KeyValue,
    Put,
    Range,
    Request,
    RequestOp,
    SortOrder,
    SortTarget,
    Txn,
)

OBJECT_BYTES: Final = 1024
"""A value that is neither text nor bytes nor a number."""
MAX_REQUEST_BYTES: Final = 3 * 512 * 1024
"""server/embed/config.go DefaultMaxRequestBytes: 1.5 MiB."""
MAX_MESSAGE_BYTES: Final = MAX_REQUEST_BYTES + 512 * 1024
"""What gRPC itself takes in (server/config/config.go grpcOverheadBytes)."""
_LOG_HEADER_BYTES: Final = 13
"""InternalRaftRequest: the header with the request's number."""


def value_size(value: object) -> int:
    """The size of a stored value."""
    if value is None:
        return 0
    if isinstance(value, int):
        return len(str(value))
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    return len(value) if isinstance(value, bytes) else OBJECT_BYTES


def request_bytes(request: Request) -> int:
    """The size of a request as a client sends it."""
    if isinstance(request, Put | Range | DeleteRange | Txn):
        return _operation(request)
    return 0


def log_bytes(request_size: int) -> int:
    """The size in the log of a request that is so large on its way."""
    return _LOG_HEADER_BYTES + _message(request_size)


def event_bytes(event: Event) -> int:
    """The size of an event in a watch response."""
    previous = _message(_key_value(event.prev_kv)) if event.prev_kv is not None else 0
    return _message(_number(event.type is not EventType.PUT) + _message(_key_value(event.kv)) + previous)


# -- fields: a tag of one byte, then a varint, or a length and that many bytes


def _varint(number: int) -> int:
    return max(1, (number.bit_length() + 6) // 7)


def _number(number: int) -> int:
    """A number or a flag; 0 is left out."""
    return 1 + _varint(number) if number else 0


def _text(size: int) -> int:
    """Bytes; none are left out."""
    return _message(size) if size else 0


def _message(size: int) -> int:
    return 1 + _varint(size) + size


# -- messages


def _key_value(kv: KeyValue) -> int:
    revisions = _number(kv.create_revision) + _number(kv.mod_revision) + _number(kv.version)
    return _text(len(kv.key)) + revisions + _text(value_size(kv.value)) + _number(kv.lease)


def _operation(request: RequestOp) -> int:
    if isinstance(request, Put):
        flags = 2 * (request.prev_kv + request.ignore_value + request.ignore_lease)
        return _text(len(request.key)) + _text(value_size(request.value)) + _number(request.lease) + flags
    if isinstance(request, DeleteRange):
        return _text(len(request.key)) + _text(len(request.range_end)) + _number(request.prev_kv)
    return _range(request) if isinstance(request, Range) else _txn(request)


def _range(request: Range) -> int:
    bounds = (
        request.min_mod_revision,
        request.max_mod_revision,
        request.min_create_revision,
        request.max_create_revision,
    )
    options = (
        request.sort_order is not SortOrder.NONE,
        request.sort_target is not SortTarget.KEY,
        request.serializable,
        request.keys_only,
        request.count_only,
    )
    numbers = sum(_number(one) for one in (request.limit, request.revision, *options, *bounds))
    return _text(len(request.key)) + _text(len(request.range_end)) + numbers


def _txn(request: Txn) -> int:
    compares = sum(_message(_compare(one)) for one in request.compare)
    operations = (*request.success, *request.failure)
    return compares + sum(_message(_message(_operation(one))) for one in operations)


def _compare(compare: Compare) -> int:
    """The compared value is there even when it is 0; the tag of the range's end has two bytes."""
    kind = _number(compare.result is not CompareResult.EQUAL) + _number(
        compare.target is not CompareTarget.VERSION
    )
    if compare.target is not CompareTarget.VALUE and isinstance(compare.value, int):
        value = 1 + _varint(compare.value)
    else:
        value = _message(value_size(compare.value))
    end = 1 + _text(len(compare.range_end)) if compare.range_end else 0
    return kind + _text(len(compare.key)) + value + end
