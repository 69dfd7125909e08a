"""etcd's API as values: requests, responses, events, errors (etcd api/etcdserverpb/rpc.proto, mvccpb/kv.proto).

Requests and responses travel in envelopes over a connection (`Call`, `Answer`, `WatchMessage`); a watch has
a connection of its own. Keys are text, compared as bytes are (ASCII keys only, as Kubernetes uses). Values are
frozen objects that etcd never looks into and everybody shares.

`range_end` is "" for one key, "\\0" for every key from `key` on, otherwise the first key outside the range;
`prefix_end("/registry/pods/")` gives it for a prefix.

Used by the store, the member, the client and whoever uses the client.
Not modelled: nested transactions, sort orders and min/max revision filters of a range, ignore_value and
ignore_lease of a put, authentication, fragmented watch responses, watch filters.
"""

from __future__ import annotations

import enum
from typing import Final, TypeAlias

from attrs import field, frozen

from chaoskube.sim import canonical

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


# -- what is stored


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


# -- requests


@frozen(kw_only=True)
class Range:
    """Read keys. `revision` 0 means now; `serializable` reads what this member has, however old."""

    key: str
    range_end: str = ""
    limit: int = 0
    revision: int = 0
    serializable: bool = False
    keys_only: bool = False
    count_only: bool = False

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        return (
            f"range {self.key!r} {self.range_end!r} {self.limit} {self.revision}"
            f" {int(self.serializable)}{int(self.keys_only)}{int(self.count_only)}"
        )


@frozen(kw_only=True)
class Put:
    """Write a key, with a lease that must exist (0: none)."""

    key: str
    value: object
    lease: int = 0
    prev_kv: bool = False

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        return f"put {self.key} {self.lease} {int(self.prev_kv)} {canonical(self.value)}"


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
    """One condition of a transaction. A missing key has version, revisions and lease 0, and no value."""

    key: str
    target: CompareTarget
    result: CompareResult = CompareResult.EQUAL
    value: object

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        return f"{self.key} {self.target.value}{self.result.value}{canonical(self.value)}"


RequestOp: TypeAlias = Range | Put | DeleteRange


@frozen(kw_only=True)
class Txn:
    """If all of `compare` hold then `success`, else `failure`; at once."""

    compare: tuple[Compare, ...] = ()
    success: tuple[RequestOp, ...] = ()
    failure: tuple[RequestOp, ...] = ()


@frozen
class Compact:
    """Forget history before `revision`."""

    revision: int


@frozen(kw_only=True)
class LeaseGrant:
    """A new lease of `ttl` seconds; `id` 0 lets the server choose."""

    ttl: int
    id: int = 0


@frozen
class LeaseRevoke:
    """End a lease now, and delete its keys."""

    id: int


@frozen
class LeaseKeepAlive:
    """Begin the lease's time anew."""

    id: int


@frozen
class LeaseTimeToLive:
    """How long a lease has."""

    id: int


Request: TypeAlias = (
    Range | Put | DeleteRange | Txn | Compact | LeaseGrant | LeaseRevoke | LeaseKeepAlive | LeaseTimeToLive
)


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


ResponseOp: TypeAlias = RangeResponse | PutResponse | DeleteRangeResponse


@frozen(kw_only=True)
class TxnResponse:
    """Which branch ran, and its answers (whose own revisions mean nothing: look at this one)."""

    revision: int
    succeeded: bool
    responses: tuple[ResponseOp, ...] = ()


@frozen(kw_only=True)
class CompactResponse:
    """Compacted."""

    revision: int


@frozen(kw_only=True)
class LeaseGrantResponse:
    """The lease."""

    revision: int
    id: int
    ttl: int


@frozen(kw_only=True)
class LeaseRevokeResponse:
    """Revoked."""

    revision: int


@frozen(kw_only=True)
class LeaseKeepAliveResponse:
    """`ttl` in seconds; 0 when there is no such lease."""

    revision: int
    id: int
    ttl: int


@frozen(kw_only=True)
class LeaseTimeToLiveResponse:
    """`ttl` in whole seconds left; -1 when there is no such lease."""

    revision: int
    id: int
    ttl: int
    granted_ttl: int = 0


Response: TypeAlias = (
    RangeResponse
    | PutResponse
    | DeleteRangeResponse
    | TxnResponse
    | CompactResponse
    | LeaseGrantResponse
    | LeaseRevokeResponse
    | LeaseKeepAliveResponse
    | LeaseTimeToLiveResponse
)


# -- errors


@frozen(kw_only=True)
class EtcdError:
    """An error answer, with etcd's own words (api/v3rpc/rpctypes/error.go).

    `is_definite` says that the request had no effect and never will.
    """

    code: str
    message: str
    is_definite: bool = field(default=True)

    def __str__(self) -> str:
        return self.message


COMPACTED: Final = EtcdError(
    code="OutOfRange", message="etcdserver: mvcc: required revision has been compacted"
)
FUTURE_REVISION: Final = EtcdError(
    code="OutOfRange", message="etcdserver: mvcc: required revision is a future revision"
)
DUPLICATE_KEY: Final = EtcdError(
    code="InvalidArgument", message="etcdserver: duplicate key given in txn request"
)
TOO_MANY_OPERATIONS: Final = EtcdError(
    code="InvalidArgument", message="etcdserver: too many operations in txn request"
)
EMPTY_KEY: Final = EtcdError(code="InvalidArgument", message="etcdserver: key is not provided")
LEASE_NOT_FOUND: Final = EtcdError(code="NotFound", message="etcdserver: requested lease not found")
LEASE_EXISTS: Final = EtcdError(code="FailedPrecondition", message="etcdserver: lease already exists")
NO_LEADER: Final = EtcdError(code="Unavailable", message="etcdserver: no leader")
NOT_CAPABLE: Final = EtcdError(code="Unavailable", message="etcdserver: not capable")
TOO_MANY_REQUESTS: Final = EtcdError(code="ResourceExhausted", message="etcdserver: too many requests")
TIMED_OUT: Final = EtcdError(code="Unavailable", message="etcdserver: request timed out", is_definite=False)


# -- watches


@frozen(kw_only=True)
class WatchCreate:
    """Watch keys from `start_revision` on; 0 means from the next change on."""

    key: str
    range_end: str = ""
    start_revision: int = 0
    prev_kv: bool = False
    progress_notify: bool = False
    require_leader: bool = False


@frozen
class WatchCancel:
    """End the watch."""


@frozen
class WatchProgress:
    """Ask for a progress notice, sent once everything up to it has been."""


@frozen(kw_only=True)
class WatchCreated:
    """The watch exists; `revision` is the member's at that moment."""

    revision: int


@frozen(kw_only=True)
class WatchEvents:
    """Changes in order; a revision is never split over two of these."""

    revision: int
    events: tuple[Event, ...]

    def digest_text(self) -> str:
        """Deterministic text, without the values."""
        changes = ",".join([f"{one.type.value}:{one.kv.key}@{one.kv.mod_revision}" for one in self.events])
        return f"watch@{self.revision} {changes}"


@frozen
class WatchProgressNotice:
    """Everything up to `revision` has been delivered."""

    revision: int


@frozen(kw_only=True)
class WatchCanceled:
    """The watch is over; `compact_revision` is not 0 when its start had been compacted."""

    reason: str
    compact_revision: int = 0


WatchMessage: TypeAlias = WatchCreated | WatchEvents | WatchProgressNotice | WatchCanceled


# -- envelopes on a connection


@frozen
class Call:
    """A request with the number that its answer will carry."""

    id: int
    request: Request

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        return f"call {self.id} {canonical(self.request)}"


@frozen
class Answer:
    """The answer to the call with that number."""

    id: int
    response: Response | EtcdError

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        return f"answer {self.id} {canonical(self.response)}"
