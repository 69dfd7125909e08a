"""Our side: the pure state, asked as a member asks it, in a member that leads."""

from __future__ import annotations

from attrs import define, field

from chaoskube.models.etcd.backend import FINISHED_COMPACTION, META, Backend
from chaoskube.models.etcd.messages import (
    EtcdError,
    Event,
    LeaseKeepAlive,
    LeaseKeepAliveResponse,
    LeaseLeases,
    LeaseTimeToLive,
    LeaseTimeToLiveResponse,
    Range,
    Request,
    Response,
    Txn,
)
from chaoskube.models.etcd.state import State, check_request, is_read_only


def empty_state() -> State:
    """Empty at revision 1, and compacted there: what a server is that was emptied."""
    backend = Backend()
    backend.put(META, FINISHED_COMPACTION, 1)
    state = State(backend)
    state.lessor.promote(0)
    return state


@define
class Ours:
    """A state with what it told its watchers."""

    state: State = field(factory=empty_state)
    told: list[Event] = field(factory=list)

    def ask(self, request: Request) -> Response | EtcdError:
        """Answer as a member does."""
        error = check_request(request)
        if error is not None:
            return error
        if isinstance(request, Range | Txn) and is_read_only(request):
            return self.state.read(request)
        if isinstance(request, LeaseKeepAlive | LeaseTimeToLive):
            return self._ask_lease(request)
        if isinstance(request, LeaseLeases):
            return self.state.lease_leases()
        applied = self.state.apply(request, 0)
        self.told += applied.events
        while self.state.store.compact_batch():
            pass
        return applied.response

    def _ask_lease(self, request: LeaseKeepAlive | LeaseTimeToLive) -> Response:
        lessor, revision = self.state.lessor, self.state.store.revision
        if isinstance(request, LeaseKeepAlive):
            renewed = lessor.renew(request.id, 0)
            ttl = 0 if renewed is None else renewed.ttl
            return LeaseKeepAliveResponse(revision=revision, id=request.id, ttl=ttl)
        lease = lessor.leases.get(request.id)
        if lease is None:
            return LeaseTimeToLiveResponse(revision=revision, id=request.id, ttl=-1)
        return LeaseTimeToLiveResponse(
            revision=revision,
            id=request.id,
            ttl=lessor.remaining(request.id, 0) or 0,
            granted_ttl=lease.ttl,
            keys=tuple(sorted(lease.keys)) if request.keys else (),
        )
