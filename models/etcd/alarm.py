"""Alarms, and the quota that raises one: what a cluster still does when something is wrong with a member.

NOSPACE refuses whatever makes the database larger, until somebody disarms it; CORRUPT refuses everything but that.
An alarm is raised and disarmed through Raft and kept in the database, so that every member refuses the same entries
(server/etcdserver/api/v3alarm/alarms.go, apply/capped.go, corrupt.go).

The quota is each member's own: it looks at its own file before it proposes a write, and again when it applies one
(server/storage/quota.go, apply/quota.go); then the write is made all the same, and answered with "no space".

Pure. Called by the applier and by `replica.py`.
Not modelled: the corruption checks that raise CORRUPT by themselves.
"""

from __future__ import annotations

from typing import Final

from chaoskube.models.etcd.backend import ALARM, Backend
from chaoskube.models.etcd.messages import (
    CORRUPT_CLUSTER,
    NO_SPACE,
    Alarm,
    AlarmAction,
    AlarmKind,
    AlarmMember,
    Compact,
    DeleteRange,
    EtcdError,
    LeaseGrant,
    LeaseRevoke,
    Put,
    Range,
    RequestOp,
    Txn,
)

KEY_BYTES: Final = 256
"""server/storage/quota.go kvOverhead."""
LEASE_BYTES: Final = 64
VALUE_BYTES: Final = 1024
"""What a value counts that isn't text."""
REQUEST_BYTES_MAX: Final = 2 * 1024 * 1024
"""No request costs more: nearer than this to the quota, it is looked at."""


class Alarms:
    """The alarms that are on, as one member's database has them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._on: dict[AlarmMember, None] = {}
        self.reload(backend)

    def reload(self, backend: Backend) -> None:
        """Another database took the place of the old one: its alarms hold (server.go restoreAlarms)."""
        self._backend = backend
        self._on = {one: None for _, one in backend.items(ALARM) if isinstance(one, AlarmMember)}

    def on(self, kind: AlarmKind = AlarmKind.NONE) -> tuple[AlarmMember, ...]:
        """Those of a kind, or all."""
        return tuple(one for one in self._on if kind in (AlarmKind.NONE, one.kind))

    def apply(self, request: Alarm) -> tuple[AlarmMember, ...]:
        """Turn one on or off; those that are now on (or were turned off)."""
        if request.action is AlarmAction.GET:
            return self.on(request.kind)
        one = AlarmMember(member=request.member, kind=request.kind)
        if request.action is AlarmAction.ACTIVATE:
            if one not in self._on:
                self._on[one] = None
                self._backend.put(ALARM, _key(one), one)
            return (one,)
        if one not in self._on:
            return ()
        del self._on[one]
        self._backend.delete(ALARM, _key(one))
        return (one,)

    def refusal(self, request: object) -> EtcdError | None:
        """Why a committed request is not carried out; the same on every member."""
        if not self._on:
            return None
        if self.on(AlarmKind.CORRUPT) and isinstance(
            request, Put | Range | DeleteRange | Txn | Compact | LeaseGrant | LeaseRevoke
        ):
            return CORRUPT_CLUSTER
        if self.on(AlarmKind.NOSPACE) and cost(request):
            return NO_SPACE
        return None


def _key(alarm: AlarmMember) -> tuple[int, int]:
    """Members in the order of their ids, kinds in that of AlarmKind."""
    return alarm.member, list(AlarmKind).index(alarm.kind)


def has_space(backend: Backend, request: object, quota_bytes: int) -> bool:
    """Is there room for the request in this member's own file?"""
    size = backend.size
    if quota_bytes < 0 or size + REQUEST_BYTES_MAX < quota_bytes:
        return True
    price = cost(request)
    return price == 0 or size + price < quota_bytes


def cost(request: object) -> int:
    """How many bytes a request may add."""
    if isinstance(request, Put):
        return KEY_BYTES + len(request.key) + _value_bytes(request.value)
    if isinstance(request, Txn):
        return max(_branch_cost(request.success), _branch_cost(request.failure))
    return LEASE_BYTES if isinstance(request, LeaseGrant) else 0


def _branch_cost(branch: tuple[RequestOp, ...]) -> int:
    return sum(cost(one) for one in branch)


def _value_bytes(value: object) -> int:
    return len(value) if isinstance(value, str) else VALUE_BYTES
