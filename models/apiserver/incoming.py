"""A body as it comes over HTTP, before anybody reads it: not too large, not too deep, and text that is text.

Go's decoder puts U+FFFD where a string holds half of a surrogate pair, and refuses numbers that no float64 holds. Sizes are
those of the JSON without spaces.
Sources: staging/src/k8s.io/apiserver/pkg/server/config.go (MaxRequestBodyBytes), pkg/endpoints/handlers/{rest,create,patch}.go
(limitedReadBody, transformDecodeError), Go's encoding/json (maxNestingDepth).

Called by `paths.py`, and by `writes.py` before it stores what came from a large body.
Not modelled: bodies nested deeper than `NESTING_MAX` (a real server takes up to 10,000 levels); the size of built-in kinds
as protobuf (taken as JSON), objects that many small patches made large.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from chaoskube.models.apiserver.api import PATCH, Request, Status
from chaoskube.models.apiserver.errors import ApiError, bad_request, plain_error
from chaoskube.models.etcd.errors import REQUEST_TOO_LARGE
from chaoskube.models.etcd.sizes import MAX_MESSAGE_BYTES, MAX_REQUEST_BYTES
from chaoskube.models.objects import KubeObject, encode
from chaoskube.models.objects.frozen import FrozenDict

BODY_BYTES_MAX: Final = 3 * 1024 * 1024
NESTING_MAX: Final = 200
"""Of objects and arrays in each other; enough for the schemas of definitions."""
MEASURED_FROM: Final = 64 * 1024
"""Bytes of a body: what smaller ones make of an object is taken to fit into etcd."""
INTEGER_BITS_MAX: Final = 1023
_SUMMARY: Final = 30


class _Unreadable(Exception):
    """Why no JSON decoder takes this."""


def received(body: object, verb: str, kind: str) -> tuple[Any, int]:
    """The body, frozen, and its size; 413 or 400 for what isn't even looked at."""
    size = [0]
    try:
        result = _read(body, NESTING_MAX, size)
    except _Unreadable as error:
        raise bad_request(_words(str(error), body, verb, kind)) from error
    if size[0] > BODY_BYTES_MAX:
        message = f"Request entity too large: limit is {BODY_BYTES_MAX}"
        raise ApiError(Status(code=413, reason="RequestEntityTooLarge", message=message))
    return result, size[0]


def check_storable(obj: KubeObject, request: Request) -> None:
    """Refuse what etcd would refuse: only large bodies make large objects. (clientv3 and etcdserver, in gRPC's words)"""
    if request.body_bytes < MEASURED_FROM:
        return
    size = [0]
    _read(encode(obj), NESTING_MAX, size)
    if size[0] > MAX_MESSAGE_BYTES:
        why = f"trying to send message larger than max ({size[0]} vs. {MAX_MESSAGE_BYTES})"
        raise plain_error(f"rpc error: code = ResourceExhausted desc = {why}")
    if size[0] > MAX_REQUEST_BYTES:
        raise plain_error(REQUEST_TOO_LARGE.message)


def readable(text: str) -> str:
    """Text without halves of surrogate pairs."""
    if text.isascii():
        return text
    return "".join(["\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in text])


def _read(value: object, levels: int, size: list[int]) -> Any:
    if isinstance(value, str):
        text = readable(value)
        size[0] += 3 + (len(text) if text.isascii() else len(text.encode()))
        return text
    if isinstance(value, (Mapping, list, tuple)):
        size[0] += 2
        if not levels:
            raise _Unreadable("exceeded max depth")
        if isinstance(value, Mapping):
            return FrozenDict(
                {_read(str(name), levels, size): _read(value[name], levels - 1, size) for name in value}
            )
        return tuple([_read(item, levels - 1, size) for item in value])
    if isinstance(value, int):
        if value.bit_length() > INTEGER_BITS_MAX:
            raise _Unreadable("json: cannot unmarshal number into Go value of type float64")
        size[0] += 2 + value.bit_length() * 3 // 10
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _Unreadable("json: cannot unmarshal number into Go value of type float64")
        size[0] += 8
    else:
        size[0] += 5
    return value


def _words(why: str, body: object, verb: str, kind: str) -> str:
    if verb == PATCH:
        return f"error decoding patch: {why}"
    begun = '{"' + next(iter(map(str, body)), "") if isinstance(body, Mapping) else "5b"
    return (
        f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
        f"json parse error: {why} ({readable(begun)[:_SUMMARY]} ...)"
    )
