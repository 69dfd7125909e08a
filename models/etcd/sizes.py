"""How large requests and events are, in bytes as etcd's protobuf would have them, or nearly.

Text and bytes count as they are. Any other value stands for a Kubernetes object: it counts as `OBJECT_BYTES`,
because making its text only to measure it would cost more than all the rest of a write.

Called by the server's doors (a request that is too large) and by watch streams (fragments).
Not modelled: the exact length of varints; the size of each object.
"""

from __future__ import annotations

from typing import Final

from chaoskube.models.etcd.messages import (
    Compare,
    DeleteRange,
    Event,
    KeyValue,
    Put,
    Range,
    Request,
    RequestOp,
    Txn,
)

OBJECT_BYTES: Final = 1024
"""A value that is neither text nor bytes."""
FIELDS_BYTES: Final = 32
"""The numbers and tags of a message, about."""
MAX_REQUEST_BYTES: Final = 3 * 512 * 1024
"""server/embed/config.go DefaultMaxRequestBytes: 1.5 MiB."""
MAX_MESSAGE_BYTES: Final = MAX_REQUEST_BYTES + 512 * 1024
"""What gRPC itself takes in (server/config/config.go grpcOverheadBytes)."""


def value_size(value: object) -> int:
    """The size of a stored value."""
    if value is None:
        return 0
    if isinstance(value, int):
        return 8
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    return len(value) if isinstance(value, bytes) else OBJECT_BYTES


def key_value_bytes(kv: KeyValue) -> int:
    """The size of one version of a key."""
    return FIELDS_BYTES + len(kv.key) + value_size(kv.value)


def event_bytes(event: Event) -> int:
    """The size of an event on a watch stream."""
    previous = key_value_bytes(event.prev_kv) if event.prev_kv is not None else 0
    return key_value_bytes(event.kv) + previous


def request_bytes(request: Request) -> int:
    """The size of a request as it would go into the log."""
    if isinstance(request, Txn):
        return FIELDS_BYTES + sum(_part_bytes(part) for part in _parts(request))
    return _part_bytes(request) if isinstance(request, Put | Range | DeleteRange) else FIELDS_BYTES


def _parts(request: Txn) -> tuple[Compare | RequestOp, ...]:
    return (*request.compare, *request.success, *request.failure)


def _part_bytes(part: Compare | RequestOp) -> int:
    if isinstance(part, Txn):
        return request_bytes(part)
    if isinstance(part, Put | Compare):
        return FIELDS_BYTES + len(part.key) + value_size(part.value)
    return FIELDS_BYTES + len(part.key) + len(part.range_end)
