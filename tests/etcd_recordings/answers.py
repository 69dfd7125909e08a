"""The simulated etcd's answers as its JSON gateway would write them.

Keys and values as base64, 64-bit numbers as text, false and zero left out; errors with the number of their gRPC
code and the HTTP status that grpc-gateway makes of it (runtime/errors.go HTTPStatusFromCode).
"""

from __future__ import annotations

from typing import Final

from chaoskube.models.etcd.lock_messages import (
    CampaignResponse,
    LeaderResponse,
    LockResponse,
    ServiceResponse,
)
from chaoskube.models.etcd.messages import (
    AlarmResponse,
    Answer,
    CompactResponse,
    DefragmentResponse,
    DeleteRangeResponse,
    EtcdError,
    Event,
    EventType,
    KeyValue,
    LeaseGrantResponse,
    LeaseKeepAliveResponse,
    LeaseLeasesResponse,
    LeaseRevokeResponse,
    LeaseTimeToLiveResponse,
    Member,
    MemberAddResponse,
    MemberListResponse,
    MemberPromoteResponse,
    MemberRemoveResponse,
    MoveLeaderResponse,
    PutResponse,
    RangeResponse,
    Response,
    ResponseOp,
    StatusResponse,
    TxnResponse,
    WatchCanceled,
    WatchCreated,
    WatchEvents,
    WatchMessage,
    WatchProgressNotice,
)
from tests.golden.trees import Json, Tree

from .bodies import encoded, shortened

STATUS: Final = {
    "Canceled": (1, 499),
    "Unknown": (2, 500),
    "InvalidArgument": (3, 400),
    "DeadlineExceeded": (4, 504),
    "NotFound": (5, 404),
    "ResourceExhausted": (8, 429),
    "FailedPrecondition": (9, 400),
    "OutOfRange": (11, 400),
    "Unavailable": (14, 503),
    "DataLoss": (15, 500),
}
"""The number of a gRPC code and the HTTP status it becomes."""
_REFUSED_ID: Final = -1


def answer_tree(answer: Answer) -> tuple[int, Tree]:
    """HTTP status and body."""
    response = answer.response
    if isinstance(response, EtcdError):
        code, status = STATUS[response.code]
        return status, {"code": code, "message": response.message}
    if isinstance(response, (DefragmentResponse, MoveLeaderResponse)):
        return 200, {}
    header = _kept(
        revision=_long(0 if _is_about_members(response) else response.revision),
        member_id=_long(answer.member),
        raft_term=_long(answer.term),
    )
    tree = {"header": header, **_body(response)}
    return 200, {"result": tree} if isinstance(response, LeaseKeepAliveResponse) else tree


def _is_about_members(response: Response) -> bool:
    """The service Cluster makes its headers without a revision (v3rpc/member.go)."""
    return isinstance(
        response, (MemberListResponse, MemberAddResponse, MemberRemoveResponse, MemberPromoteResponse)
    )


def _kept(**fields: Json) -> dict[str, Json]:
    """The fields that are written: not those that are false, zero or empty."""
    return {name: value for name, value in fields.items() if value not in (None, False, 0, "", "0", [], {})}


def _long(number: int) -> str:
    return str(number)


def _body(response: Response) -> Tree:
    if isinstance(response, (RangeResponse, PutResponse, DeleteRangeResponse, TxnResponse)):
        return _key_body(response)
    if isinstance(response, (CompactResponse, LeaseRevokeResponse)):
        return {}
    if isinstance(response, StatusResponse):
        return _status_body(response)
    if isinstance(response, AlarmResponse):
        alarms = [_kept(memberID=_long(one.member), alarm=one.kind.name) for one in response.alarms]
        return _kept(alarms=list(alarms))
    if isinstance(response, LeaseLeasesResponse):
        return _kept(leases=[{"ID": _long(one)} for one in response.leases])
    if isinstance(response, LeaseTimeToLiveResponse):
        keys: list[Json] = [encoded(key) for key in response.keys]
        granted = _long(response.granted_ttl)
        return _kept(ID=_long(response.id), TTL=_long(response.ttl), grantedTTL=granted, keys=keys)
    if isinstance(response, (LeaseGrantResponse, LeaseKeepAliveResponse)):
        return _kept(ID=_long(response.id), TTL=_long(response.ttl))
    if isinstance(response, ServiceResponse):
        return _service_body(response)
    return _member_body(response)


def _service_body(response: ServiceResponse) -> Tree:
    """Answers of the lock and election services."""
    match response:
        case LockResponse():
            return _kept(key=encoded(response.key))
        case CampaignResponse():
            leader = response.leader
            name, key = encoded(leader.name), encoded(leader.key)
            return {
                "leader": _kept(name=name, key=key, rev=_long(leader.revision), lease=_long(leader.lease))
            }
        case LeaderResponse():
            return {"kv": kv_tree(response.kv)}
        case _:
            return {}


def _key_body(response: ResponseOp) -> dict[str, Json]:
    match response:
        case RangeResponse():
            kvs: list[Json] = [kv_tree(kv) for kv in response.kvs]
            return _kept(kvs=kvs, more=response.more, count=_long(response.count))
        case PutResponse():
            return _kept(prev_kv=kv_tree(response.prev_kv) if response.prev_kv is not None else None)
        case DeleteRangeResponse():
            gone: list[Json] = [kv_tree(kv) for kv in response.prev_kvs]
            return _kept(deleted=_long(response.deleted), prev_kvs=gone)
        case TxnResponse():
            inner: list[Json] = [_inner(one) for one in response.responses]
            return _kept(succeeded=response.succeeded, responses=inner)


def _inner(response: ResponseOp) -> Tree:
    """An answer inside a transaction's: its header has the revision alone, a nested transaction's nothing."""
    names = {
        RangeResponse: "response_range",
        PutResponse: "response_put",
        DeleteRangeResponse: "response_delete_range",
        TxnResponse: "response_txn",
    }
    is_txn = isinstance(response, TxnResponse)
    header: Tree = {} if is_txn else _kept(revision=_long(response.revision))
    return {names[type(response)]: {"header": header, **_key_body(response)}}


def kv_tree(kv: KeyValue) -> Tree:
    """One version of a key."""
    return _kept(
        key=encoded(kv.key),
        create_revision=_long(kv.create_revision),
        mod_revision=_long(kv.mod_revision),
        version=_long(kv.version),
        value=shortened(kv.value) if isinstance(kv.value, str) and kv.value else None,
        lease=_long(kv.lease),
    )


def _status_body(response: StatusResponse) -> Tree:
    return _kept(
        leader=_long(response.leader),
        raftTerm=_long(response.raft_term),
        raftIndex=_long(response.raft_index),
        raftAppliedIndex=_long(response.raft_applied_index),
        dbSize=_long(response.db_size),
        dbSizeInUse=_long(response.db_size_in_use),
        isLearner=response.is_learner,
        errors=list(response.errors),
    )


def _member_body(response: Response) -> Tree:
    members: tuple[Member, ...] = getattr(response, "members", ())
    added = response.member if isinstance(response, MemberAddResponse) else None
    return _kept(
        member=_member(added) if added is not None else None, members=[_member(one) for one in members]
    )


def _member(member: Member) -> Tree:
    return _kept(ID=_long(member.id), name=member.name, isLearner=member.is_learner)


def watch_tree(message: WatchMessage) -> Tree:
    """A message of a watch stream; our streams don't say in which term."""
    header: Tree = _kept(revision=_long(message.revision))
    return {"result": {"header": header, **_watch_body(message)}}


def _watch_body(message: WatchMessage) -> dict[str, Json]:
    watch_id = _long(message.watch_id)
    match message:
        case WatchCreated():
            return _kept(watch_id=watch_id, created=True)
        case WatchEvents():
            events: list[Json] = [_event(one) for one in message.events]
            return _kept(watch_id=watch_id, fragment=message.fragment, events=events)
        case WatchProgressNotice():
            return _kept(watch_id=watch_id)
        case WatchCanceled():
            return _kept(
                watch_id=watch_id,
                created=message.watch_id == _REFUSED_ID,
                canceled=True,
                compact_revision=_long(message.compact_revision),
                cancel_reason=message.reason,
            )


def _event(event: Event) -> Tree:
    return _kept(
        type="DELETE" if event.type is EventType.DELETE else None,
        kv=kv_tree(event.kv),
        prev_kv=kv_tree(event.prev_kv) if event.prev_kv is not None else None,
    )
