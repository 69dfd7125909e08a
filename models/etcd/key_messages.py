"""Requests and answers about keys (api/etcdserverpb/rpc.proto, service KV): ranges, puts, deletions, transactions, compaction.

Used through `messages.py`.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

from attrs import field, frozen

from chaoskube.models.etcd.key_values import KeyValue
from chaoskube.sim import canonical


class SortOrder(enum.Enum):
    """In which order keys are answered; NONE is ASCEND."""

    NONE = "NONE"
    ASCEND = "ASCEND"
    DESCEND = "DESCEND"


class SortTarget(enum.Enum):
    """By what they are sorted; equal ones stay in the order of their keys."""

    KEY = "KEY"
    VERSION = "VERSION"
    CREATE = "CREATE"
    MOD = "MOD"
    VALUE = "VALUE"


# -- requests


@frozen(kw_only=True)
class Range:
    """Read keys. `revision` 0 means now; `serializable` reads what this member has, however old.

    The four revision bounds (0: none) leave keys out of the answer, but not out of its `count`.
    """

    key: str
    range_end: str = ""
    limit: int = 0
    revision: int = 0
    serializable: bool = False
    keys_only: bool = False
    count_only: bool = False
    sort_order: SortOrder = SortOrder.NONE
    sort_target: SortTarget = SortTarget.KEY
    min_mod_revision: int = 0
    max_mod_revision: int = 0
    min_create_revision: int = 0
    max_create_revision: int = 0

    @property
    def is_plain(self) -> bool:
        """Nothing is sorted or filtered: keys in their own order (txn/range.go IsDefaultOrdering)."""
        is_ordered = self.sort_target is SortTarget.KEY and self.sort_order is not SortOrder.DESCEND
        return is_ordered and not self.has_bounds

    @property
    def has_bounds(self) -> bool:
        """Some keys are left out for their revisions."""
        return bool(
            self.min_mod_revision
            or self.max_mod_revision
            or self.min_create_revision
            or self.max_create_revision
        )

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        text = (
            f"range {self.key!r} {self.range_end!r} {self.limit} {self.revision}"
            f" {int(self.serializable)}{int(self.keys_only)}{int(self.count_only)}"
        )
        if self.is_plain:
            return text
        return (
            f"{text} {self.sort_order.name} {self.sort_target.name} {self.min_mod_revision}"
            f" {self.max_mod_revision} {self.min_create_revision} {self.max_create_revision}"
        )


@frozen(kw_only=True)
class Put:
    """Write a key, with a lease that must exist (0: none).

    `ignore_value` and `ignore_lease` keep what the key has, which must exist then.
    """

    key: str
    value: object = None
    lease: int = 0
    prev_kv: bool = False
    ignore_value: bool = False
    ignore_lease: bool = False

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        kept = (
            f" keep {int(self.ignore_value)}{int(self.ignore_lease)}"
            if self.ignore_value or self.ignore_lease
            else ""
        )
        return f"put {self.key} {self.lease} {int(self.prev_kv)}{kept} {canonical(self.value)}"


@frozen(kw_only=True)
class DeleteRange:
    """Delete keys."""

    key: str
    range_end: str = ""
    prev_kv: bool = False


class CompareTarget(enum.Enum):
    """What of a key is compared."""

    VERSION = "version"
    CREATE = "create_revision"
    MOD = "mod_revision"
    VALUE = "value"
    LEASE = "lease"


class CompareResult(enum.Enum):
    """How it is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    GREATER = ">"
    LESS = "<"


@frozen(kw_only=True)
class Compare:
    """One condition of a transaction, on one key or (`range_end`) on every key of a range.

    Where there is no key, version, revisions and lease are 0, and no comparison of the value holds.
    """

    key: str
    range_end: str = ""
    target: CompareTarget
    result: CompareResult = CompareResult.EQUAL
    value: object

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        keys = f"{self.key}..{self.range_end!r}" if self.range_end else self.key
        return f"{keys} {self.target.value}{self.result.value}{canonical(self.value)}"


@frozen(kw_only=True)
class Txn:
    """If all of `compare` hold then `success`, else `failure`; at once.

    The conditions of a transaction inside a transaction are judged before anything is done.
    """

    compare: tuple[Compare, ...] = ()
    success: tuple[RequestOp, ...] = ()
    failure: tuple[RequestOp, ...] = ()


RequestOp: TypeAlias = Range | Put | DeleteRange | Txn


@frozen
class Compact:
    """Forget history before `revision`; `physical` asks to be answered when it is gone from the database."""

    revision: int
    physical: bool = field(default=False, kw_only=True)


# -- responses; `revision` is the header's: the store's revision when the answer was made


@frozen(kw_only=True)
class RangeResponse:
    """`count` is the number of keys in the range whatever the limit; `more` says that some were left out."""

    revision: int
    kvs: tuple[KeyValue, ...] = ()
    more: bool = False
    count: int = 0

    def digest_text(self) -> str:
        """Deterministic text, without the values."""
        keys = ",".join([f"{kv.key}@{kv.mod_revision}" for kv in self.kvs])
        return f"range@{self.revision} {self.count} {keys}"


@frozen(kw_only=True)
class PutResponse:
    """Written at `revision`."""

    revision: int
    prev_kv: KeyValue | None = None

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        return f"put@{self.revision}"


@frozen(kw_only=True)
class DeleteRangeResponse:
    """`deleted` keys are gone; when that is 0, `revision` didn't grow."""

    revision: int
    deleted: int = 0
    prev_kvs: tuple[KeyValue, ...] = ()


@frozen(kw_only=True)
class TxnResponse:
    """Which branch ran, and its answers (whose own revisions mean nothing: look at this one)."""

    revision: int
    succeeded: bool
    responses: tuple[ResponseOp, ...] = ()


ResponseOp: TypeAlias = RangeResponse | PutResponse | DeleteRangeResponse | TxnResponse


@frozen(kw_only=True)
class CompactResponse:
    """Compacted."""

    revision: int
