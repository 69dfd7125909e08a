"""Requests of etcd's JSON gateway as the simulated etcd's values.

Keys and values come as base64, 64-bit numbers as text, and what is false or zero not at all
(api/etcdserverpb/gw/rpc.pb.gw.go; the fields are those of api/etcdserverpb/rpc.proto).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

from chaoskube.models.etcd.lock_messages import (
    Campaign,
    Leader,
    LeaderKey,
    Lock,
    Proclaim,
    Resign,
    Unlock,
)
from chaoskube.models.etcd.messages import (
    Alarm,
    AlarmAction,
    AlarmKind,
    Compact,
    Compare,
    CompareResult,
    CompareTarget,
    Defragment,
    DeleteRange,
    LeaseGrant,
    LeaseKeepAlive,
    LeaseLeases,
    LeaseRevoke,
    LeaseTimeToLive,
    MemberAdd,
    MemberList,
    MemberPromote,
    MemberRemove,
    MoveLeader,
    Put,
    Range,
    Request,
    RequestOp,
    Status,
    Txn,
    WatchCreate,
    WatchFilter,
)
from tests.golden.trees import Tree, as_tree, at, items, text

_RESULTS: Final = {
    "EQUAL": CompareResult.EQUAL,
    "NOT_EQUAL": CompareResult.NOT_EQUAL,
    "GREATER": CompareResult.GREATER,
    "LESS": CompareResult.LESS,
}
_TARGETS: Final = {
    "VERSION": (CompareTarget.VERSION, "version"),
    "CREATE": (CompareTarget.CREATE, "create_revision"),
    "MOD": (CompareTarget.MOD, "mod_revision"),
    "VALUE": (CompareTarget.VALUE, "value"),
    "LEASE": (CompareTarget.LEASE, "lease"),
}


def request_of(path: str, body: Tree) -> Request | None:
    """The request that was sent to `path`; None when our etcd has nothing like it."""
    read = _READERS.get(path)
    return read(body) if read is not None else None


def watch_of(body: Tree) -> WatchCreate:
    """The watch that a stream opens."""
    create = as_tree(body.get("create_request"))
    return WatchCreate(
        key=_bytes(create, "key"),
        range_end=_bytes(create, "range_end"),
        start_revision=_number(create, "start_revision"),
        prev_kv=_flag(create, "prev_kv"),
        progress_notify=_flag(create, "progress_notify"),
        watch_id=_number(create, "watch_id"),
        fragment=_flag(create, "fragment"),
        filters=tuple(WatchFilter[str(one)] for one in _list(create, "filters")),
    )


def _bytes(body: Tree, key: str) -> str:
    return base64.b64decode(text(body, key)).decode()


def _number(body: Tree, key: str) -> int:
    found = at(body, key)
    return int(found) if isinstance(found, (str, int)) else 0


def _flag(body: Tree, key: str) -> bool:
    return at(body, key) is True


def _list(body: Tree, key: str) -> list[object]:
    found = at(body, key)
    return list(found) if isinstance(found, list) else []


def _range(body: Tree) -> Range:
    return Range(
        key=_bytes(body, "key"),
        range_end=_bytes(body, "range_end"),
        limit=_number(body, "limit"),
        revision=_number(body, "revision"),
        serializable=_flag(body, "serializable"),
        keys_only=_flag(body, "keys_only"),
        count_only=_flag(body, "count_only"),
    )


def _put(body: Tree) -> Put:
    return Put(
        key=_bytes(body, "key"),
        value=_bytes(body, "value"),
        lease=_number(body, "lease"),
        prev_kv=_flag(body, "prev_kv"),
        ignore_value=_flag(body, "ignore_value"),
        ignore_lease=_flag(body, "ignore_lease"),
    )


def _delete(body: Tree) -> DeleteRange:
    return DeleteRange(
        key=_bytes(body, "key"), range_end=_bytes(body, "range_end"), prev_kv=_flag(body, "prev_kv")
    )


def _txn(body: Tree) -> Txn:
    return Txn(
        compare=tuple(_compare(one) for one in items(body, "compare")),
        success=tuple(_operation(one) for one in items(body, "success")),
        failure=tuple(_operation(one) for one in items(body, "failure")),
    )


def _operation(body: Tree) -> RequestOp:
    kinds: dict[str, Callable[[Tree], RequestOp]] = {
        "request_range": _range,
        "request_put": _put,
        "request_delete_range": _delete,
        "request_txn": _txn,
    }
    name = next(iter(body))
    return kinds[name](as_tree(body[name]))


def _compare(body: Tree) -> Compare:
    target, field = _TARGETS[text(body, "target") or "VERSION"]
    value: object = _bytes(body, field) if target is CompareTarget.VALUE else _number(body, field)
    return Compare(
        key=_bytes(body, "key"),
        range_end=_bytes(body, "range_end"),
        target=target,
        result=_RESULTS[text(body, "result") or "EQUAL"],
        value=value,
    )


def _alarm(body: Tree) -> Alarm:
    return Alarm(
        action=AlarmAction[text(body, "action") or "GET"],
        member=_number(body, "memberID"),
        kind=AlarmKind[text(body, "alarm") or "NONE"],
    )


def _campaign(body: Tree) -> Campaign:
    return Campaign(name=_bytes(body, "name"), lease=_number(body, "lease"), value=_bytes(body, "value"))


def _proclaim(body: Tree) -> Proclaim:
    return Proclaim(leader=_leader_key(body), value=_bytes(body, "value"))


def _leader_key(body: Tree) -> LeaderKey:
    leader = as_tree(body.get("leader"))
    return LeaderKey(
        name=_bytes(leader, "name"),
        key=_bytes(leader, "key"),
        revision=_number(leader, "rev"),
        lease=_number(leader, "lease"),
    )


def _member_add(body: Tree) -> MemberAdd:
    return MemberAdd(str(_list(body, "peerURLs")[0]), is_learner=_flag(body, "isLearner"))


_READERS: Final[dict[str, Callable[[Tree], Request]]] = {
    "/v3/kv/range": _range,
    "/v3/kv/put": _put,
    "/v3/kv/deleterange": _delete,
    "/v3/kv/txn": _txn,
    "/v3/kv/compaction": lambda body: Compact(_number(body, "revision"), physical=_flag(body, "physical")),
    "/v3/lease/grant": lambda body: LeaseGrant(ttl=_number(body, "TTL"), id=_number(body, "ID")),
    "/v3/lease/revoke": lambda body: LeaseRevoke(_number(body, "ID")),
    "/v3/lease/keepalive": lambda body: LeaseKeepAlive(_number(body, "ID")),
    "/v3/lease/timetolive": lambda body: LeaseTimeToLive(_number(body, "ID"), keys=_flag(body, "keys")),
    "/v3/lease/leases": lambda body: LeaseLeases(),
    "/v3/maintenance/status": lambda body: Status(),
    "/v3/maintenance/defragment": lambda body: Defragment(),
    "/v3/maintenance/alarm": _alarm,
    "/v3/maintenance/transfer-leadership": lambda body: MoveLeader(_number(body, "targetID")),
    "/v3/cluster/member/list": lambda body: MemberList(linearizable=_flag(body, "linearizable")),
    "/v3/cluster/member/add": _member_add,
    "/v3/cluster/member/remove": lambda body: MemberRemove(_number(body, "ID")),
    "/v3/cluster/member/promote": lambda body: MemberPromote(_number(body, "ID")),
    "/v3/lock/lock": lambda body: Lock(name=_bytes(body, "name"), lease=_number(body, "lease")),
    "/v3/lock/unlock": lambda body: Unlock(_bytes(body, "key")),
    "/v3/election/campaign": _campaign,
    "/v3/election/proclaim": _proclaim,
    "/v3/election/leader": lambda body: Leader(_bytes(body, "name")),
    "/v3/election/resign": lambda body: Resign(_leader_key(body)),
}
