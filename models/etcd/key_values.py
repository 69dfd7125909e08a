"""What etcd stores and what happens to it: versions of keys, ranges of keys, events (api/mvccpb/kv.proto).

Keys are text, compared as bytes are (ASCII keys only, as Kubernetes uses). Values are text, or frozen objects that etcd
never looks into and everybody shares: only text (or bytes) can be ordered, any value can be told equal or not.

`range_end` is "" for one key, "\\0" for every key from `key` on, otherwise the first key outside the range;
`prefix_end("/registry/pods/")` gives it for a prefix.

Used through `messages.py` by whoever speaks etcd.
Not modelled: keys that aren't ASCII.
"""

from __future__ import annotations

import enum
from typing import Final

from attrs import frozen

from chaoskube.sim import ModelBug, canonical

FROM_KEY: Final = "\0"
"""As `range_end`: every key from `key` on."""


def prefix_end(prefix: str) -> str:
    """The `range_end` for all keys that begin with `prefix` (etcd client/v3 op.go GetPrefixRangeEnd)."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else FROM_KEY


def in_range(key: str, start: str, range_end: str) -> bool:
    """Does a request for (start, range_end) mean `key`?"""
    if range_end == "":
        return key == start
    return key >= start and (range_end == FROM_KEY or key < range_end)


def value_bytes(value: object) -> bytes:
    """The bytes of a value that has an order; a missing value is empty, as on etcd's wire."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    if value is None:
        return b""
    raise ModelBug(
        f"a {type(value).__name__} as a value has no order: compare it with = or !=, or store text"
    )


@frozen(kw_only=True)
class KeyValue:
    """One version of a key. `value` is None in the key of a DELETE event."""

    key: str
    value: object
    create_revision: int
    mod_revision: int
    version: int
    lease: int = 0

    def digest_text(self) -> str:
        """Deterministic text; the revisions are enough to tell versions apart, the value says what."""
        return f"kv:{self.key}@{self.mod_revision}v{self.version}l{self.lease}={canonical(self.value)}"


class EventType(enum.Enum):
    """What happened to a key."""

    PUT = "PUT"
    DELETE = "DELETE"


@frozen(kw_only=True)
class Event:
    """One change of one key. A DELETE's `kv` holds the key and the revision of the deletion alone."""

    type: EventType
    kv: KeyValue
    prev_kv: KeyValue | None = None

    @property
    def is_create(self) -> bool:
        """The key did not exist before (etcd client/v3 watch.go IsCreate)."""
        return self.type is EventType.PUT and self.kv.create_revision == self.kv.mod_revision

    def digest_text(self) -> str:
        """Deterministic text: the previous version is implied by the history."""
        return f"{self.type.value} {self.kv.digest_text()}"
