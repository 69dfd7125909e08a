"""A body as it comes over HTTP, before anybody reads it: not too large, not too deep, and text that is text.

Go's decoder puts U+FFFD where a string holds half of a surrogate pair, and refuses numbers that no float64 holds. Sizes are
those of the JSON without spaces.
Sources: staging/src/k8s.io/apiserver/pkg/server/config.go (MaxRequestBodyBytes), pkg/endpoints/handlers/{rest,create,patch}.go
(limitedReadBody, transformDecodeError), Go's encoding/json (maxNestingDepth).

Called by `paths.py`.
Not modelled: bodies nested deeper than `NESTING_MAX` (a real server takes up to 10,000 levels).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from chaoskube.models.apiserver.api import PATCH, Status
from chaoskube.models.apiserver.errors import ApiError, bad_request
from chaoskube.models.objects.frozen import FrozenDict

BODY_BYTES_MAX: Final = 3 * 1024 * 1024
NESTING_MAX: Final = 200
"""Of objects and arrays in each other; enough for the schemas of definitions."""
INTEGER_BITS_MAX: Final = 1023
_SUMMARY: Final = 30


class _Unreadable(Exception):
    """Why no JSON decoder takes this."""


def received(body: object, verb: str, kind: str) -> Any:
    """The body, frozen; 413 or 400 for what isn't even looked at."""
    size = [0]
    try:
        result = _read(body, NESTING_MAX, size)
    except _Unreadable as error:
        raise bad_request(_words(str(error), body, verb, kind)) from error
    if size[0] > BODY_BYTES_MAX:
        message = f"Request entity too large: limit is {BODY_BYTES_MAX}"
        raise ApiError(Status(code=413, reason="RequestEntityTooLarge", message=message))
    return result


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
