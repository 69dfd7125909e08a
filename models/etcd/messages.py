"""etcd's API as values: requests, responses, events, errors (etcd api/etcdserverpb/rpc.proto).

Requests and responses travel in envelopes over a connection (`Call`, `Answer`, `WatchMessage`). Each
service has a file of its own; all are re-exported here, so that one import gives the whole API.

Used by the store, the member, the client and whoever uses the client.
Not modelled: authentication.
"""

from __future__ import annotations

from typing import TypeAlias

from attrs import field, frozen

from chaoskube.models.etcd.cluster_messages import (
    Alarm,
    AlarmAction,
    AlarmKind,
    AlarmMember,
    AlarmResponse,
    Defragment,
    DefragmentResponse,
    HashKV,
    HashKVResponse,
    Member,
    MemberAdd,
    MemberAddResponse,
    MemberList,
    MemberListResponse,
    MemberPromote,
    MemberPromoteResponse,
    MemberRemove,
    MemberRemoveResponse,
    MoveLeader,
    MoveLeaderResponse,
    SaveSnapshot,
    SaveSnapshotResponse,
    Status,
    StatusResponse,
)
from chaoskube.models.etcd.errors import (
    BAD_LEADER_TRANSFEREE,
    CLUSTER_ID_MISMATCH,
    COMPACTED,
    CORRUPT_CLUSTER,
    DEADLINE_EXCEEDED,
    DUPLICATE_KEY,
    EMPTY_KEY,
    FUTURE_REVISION,
    INVALID_SORT_OPTION,
    KEY_NOT_FOUND,
    LEADER_CHANGED,
    LEARNER_NOT_READY,
    LEASE_EXISTS,
    LEASE_NOT_FOUND,
    LEASE_PROVIDED,
    LEASE_TTL_TOO_LARGE,
    MEMBER_BAD_URLS,
    MEMBER_EXISTS,
    MEMBER_NOT_ENOUGH_STARTED,
    MEMBER_NOT_FOUND,
    MEMBER_NOT_LEARNER,
    NO_LEADER,
    NO_SPACE,
    NOT_CAPABLE,
    NOT_LEADER,
    NOT_SUPPORTED_FOR_LEARNER,
    PEER_URL_EXISTS,
    REQUEST_CANCELED,
    REQUEST_TOO_LARGE,
    STOPPED,
    TIMED_OUT,
    TIMED_OUT_CONNECTION_LOST,
    TIMED_OUT_LEADER_LOST,
    TIMED_OUT_WAITING_TO_APPLY,
    TOO_MANY_LEARNERS,
    TOO_MANY_OPERATIONS,
    TOO_MANY_REQUESTS,
    UNHEALTHY,
    VALUE_PROVIDED,
    WATCH_CANCELED,
    EtcdError,
)
from chaoskube.models.etcd.key_messages import (
    Compact,
    CompactResponse,
    Compare,
    CompareResult,
    CompareTarget,
    DeleteRange,
    DeleteRangeResponse,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    RequestOp,
    ResponseOp,
    SortOrder,
    SortTarget,
    Txn,
    TxnResponse,
)
from chaoskube.models.etcd.key_values import (
    FROM_KEY,
    Event,
    EventType,
    KeyValue,
    in_range,
    prefix_end,
    value_bytes,
)
from chaoskube.models.etcd.lease_messages import (
    LeaseCheckpoint,
    LeaseCheckpointResponse,
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
)
from chaoskube.models.etcd.lock_messages import ServiceRequest, ServiceResponse
from chaoskube.models.etcd.watch_messages import (
    STREAM_WATCH_ID,
    WatchCancel,
    WatchCanceled,
    WatchCreate,
    WatchCreated,
    WatchEvents,
    WatchFilter,
    WatchMessage,
    WatchProgress,
    WatchProgressNotice,
)
from chaoskube.sim import canonical

__all__ = [
    "BAD_LEADER_TRANSFEREE",
    "CLUSTER_ID_MISMATCH",
    "COMPACTED",
    "CORRUPT_CLUSTER",
    "DEADLINE_EXCEEDED",
    "DUPLICATE_KEY",
    "EMPTY_KEY",
    "FROM_KEY",
    "FUTURE_REVISION",
    "INVALID_SORT_OPTION",
    "KEY_NOT_FOUND",
    "LEADER_CHANGED",
    "LEARNER_NOT_READY",
    "LEASE_EXISTS",
    "LEASE_NOT_FOUND",
    "LEASE_PROVIDED",
    "LEASE_TTL_TOO_LARGE",
    "MEMBER_BAD_URLS",
    "MEMBER_EXISTS",
    "MEMBER_NOT_ENOUGH_STARTED",
    "MEMBER_NOT_FOUND",
    "MEMBER_NOT_LEARNER",
    "NOT_CAPABLE",
    "NOT_LEADER",
    "NOT_SUPPORTED_FOR_LEARNER",
    "NO_LEADER",
    "NO_SPACE",
    "PEER_URL_EXISTS",
    "REQUEST_CANCELED",
    "REQUEST_TOO_LARGE",
    "STOPPED",
    "STREAM_WATCH_ID",
    "TIMED_OUT",
    "TIMED_OUT_CONNECTION_LOST",
    "TIMED_OUT_LEADER_LOST",
    "TIMED_OUT_WAITING_TO_APPLY",
    "TOO_MANY_LEARNERS",
    "TOO_MANY_OPERATIONS",
    "TOO_MANY_REQUESTS",
    "UNHEALTHY",
    "VALUE_PROVIDED",
    "WATCH_CANCELED",
    "Alarm",
    "AlarmAction",
    "AlarmKind",
    "AlarmMember",
    "AlarmResponse",
    "Answer",
    "Call",
    "Compact",
    "CompactResponse",
    "Compare",
    "CompareResult",
    "CompareTarget",
    "Defragment",
    "DefragmentResponse",
    "DeleteRange",
    "DeleteRangeResponse",
    "EtcdError",
    "Event",
    "EventType",
    "HashKV",
    "HashKVResponse",
    "KeyValue",
    "LeaseCheckpoint",
    "LeaseCheckpointResponse",
    "LeaseGrant",
    "LeaseGrantResponse",
    "LeaseKeepAlive",
    "LeaseKeepAliveResponse",
    "LeaseLeases",
    "LeaseLeasesResponse",
    "LeaseRevoke",
    "LeaseRevokeResponse",
    "LeaseTimeToLive",
    "LeaseTimeToLiveResponse",
    "Member",
    "MemberAdd",
    "MemberAddResponse",
    "MemberList",
    "MemberListResponse",
    "MemberPromote",
    "MemberPromoteResponse",
    "MemberRemove",
    "MemberRemoveResponse",
    "MoveLeader",
    "MoveLeaderResponse",
    "Put",
    "PutResponse",
    "Range",
    "RangeResponse",
    "Request",
    "RequestOp",
    "Response",
    "ResponseOp",
    "SaveSnapshot",
    "SaveSnapshotResponse",
    "SortOrder",
    "SortTarget",
    "Status",
    "StatusResponse",
    "Txn",
    "TxnResponse",
    "WatchCancel",
    "WatchCanceled",
    "WatchCreate",
    "WatchCreated",
    "WatchEvents",
    "WatchFilter",
    "WatchMessage",
    "WatchProgress",
    "WatchProgressNotice",
    "in_range",
    "prefix_end",
    "value_bytes",
]

Request: TypeAlias = (
    Range
    | Put
    | DeleteRange
    | Txn
    | Compact
    | LeaseGrant
    | LeaseRevoke
    | LeaseKeepAlive
    | LeaseTimeToLive
    | LeaseLeases
    | LeaseCheckpoint
    | Status
    | Defragment
    | HashKV
    | SaveSnapshot
    | MoveLeader
    | Alarm
    | MemberAdd
    | MemberRemove
    | MemberPromote
    | MemberList
    | ServiceRequest
)


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
    | LeaseLeasesResponse
    | LeaseCheckpointResponse
    | StatusResponse
    | DefragmentResponse
    | HashKVResponse
    | SaveSnapshotResponse
    | MoveLeaderResponse
    | AlarmResponse
    | MemberAddResponse
    | MemberRemoveResponse
    | MemberPromoteResponse
    | MemberListResponse
    | ServiceResponse
)


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
    """The answer to the call with that number; `member` and `term` are the rest of etcd's header (0: not told)."""

    id: int
    response: Response | EtcdError
    member: int = field(default=0, kw_only=True)
    term: int = field(default=0, kw_only=True)

    def digest_text(self) -> str:
        """Deterministic text; written out because it is asked for often."""
        header = f" {self.member}.{self.term}" if self.member or self.term else ""
        return f"answer {self.id}{header} {canonical(self.response)}"
