"""Requests that were too big to keep: what was kept is a note, and this makes the request of it again.

    put big, 1000000 bytes      one key, a value of so many letters
    put k, 500000 bytes, 3      the same, one of a row
    a key of 100000 bytes
    129 puts k0..k128           a transaction
    5 puts f0..f4 of 200000 letters x

The name of the first key shows in the error that the size of its request caused (3,000,010 bytes).
"""

from __future__ import annotations

import base64
import re
from typing import Final

from tests.golden.trees import Json, Tree, text

_PUT: Final = re.compile(r"put (?P<key>\w+), (?P<size>\d+) bytes")
_KEY: Final = re.compile(r"a key of (?P<size>\d+) bytes")
_PUTS: Final = re.compile(r"(?P<count>\d+) puts (?P<name>[a-z]+)0\.\.\w+(?: of (?P<size>\d+) letters x)?")


def encoded(plain: str) -> str:
    """Base64, as keys and values travel."""
    return base64.b64encode(plain.encode()).decode()


def with_body(request: Tree) -> Tree:
    """The request, made again when only a note of it was kept."""
    note = text(request, "note")
    if not note:
        return request
    if found := _PUT.match(note):
        return _put(found["key"], "x" * int(found["size"]))
    if found := _KEY.match(note):
        return _put("k" * int(found["size"]), "x")
    if found := _PUTS.match(note):
        value = "x" * int(found["size"] or 0)
        puts: list[Json] = [
            {"request_put": _put(f"{found['name']}{place}", value)} for place in range(int(found["count"]))
        ]
        return {"compare": [], "success": puts, "failure": []}
    raise ValueError(f"no request can be made of the note {note!r}")


def _put(key: str, value: str) -> Tree:
    return {"key": encoded(key), "value": encoded(value)}


def shortened(plain: str) -> str:
    """How a value too big to keep was noted, else its base64."""
    return f"({len(plain)} letters {plain[0]})" if len(plain) > 1000 else encoded(plain)
