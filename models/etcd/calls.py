"""What a member does with each kind of request that a client sends: refuse it, answer it, or have it agreed on.

`Calls.handle` is the door. In this order, as etcd's interceptors and services have it: a message too large for
gRPC; what a learner does not serve; malformed requests; then by kind:

- a serializable read is answered from what this member has, any other read once its read index is reached;
- a write is proposed, unless entries pile up unapplied (5000) or it is too large for the log (1.5 MiB);
- keep-alives and questions for a lease's time go to the lease keeper, services over locks to `lock_service.py`;
- maintenance and membership are the replica's own business.

Sources: server/etcdserver/v3_server.go, api/v3rpc/{key,lease,maintenance,member,interceptor}.go.
Made by `member.boot_member`; called by sessions, and by the lock service as a client of its own member.
Not modelled: authentication, priority requests, range streams.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from chaoskube.models.etcd.errors import (
    NOT_LEADER,
    NOT_SUPPORTED_FOR_LEARNER,
    REQUEST_TOO_LARGE,
    TOO_MANY_REQUESTS,
)
from chaoskube.models.etcd.lease_keeper import LeaseKeeper
from chaoskube.models.etcd.messages import (
    Alarm,
    Compact,
    Defragment,
    DeleteRange,
    EtcdError,
    HashKV,
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
    Response,
    SaveSnapshot,
    SaveSnapshotResponse,
    Status,
    Txn,
)
from chaoskube.models.etcd.replica import Replica
from chaoskube.models.etcd.sizes import MAX_MESSAGE_BYTES, MAX_REQUEST_BYTES, log_bytes, request_bytes
from chaoskube.models.etcd.state import check_request, is_read_only, is_serializable
from chaoskube.sim import reached

UNAPPLIED_MAX: Final = 5000
"""v3_server.go maxGapBetweenApplyAndCommitIndex."""

Answerer = Callable[[Response | EtcdError], None]


class Calls:
    """The requests of all clients of one member."""

    def __init__(self, replica: Replica, leases: LeaseKeeper) -> None:
        self._replica = replica
        self._leases = leases

    def handle(self, request: Request, answer: Answerer) -> None:
        """Answer `request`, at once or later, once."""
        size = 0 if isinstance(request, Range) else request_bytes(request)
        error = self._refusal(request, size)
        if error is not None:
            answer(error)
        elif isinstance(request, Range):
            self._read(request, request.serializable, answer)
        elif isinstance(request, Txn) and is_read_only(request):
            self._read(request, is_serializable(request), answer)
        elif isinstance(request, LeaseKeepAlive | LeaseTimeToLive):
            self._leases.request(request, answer)
        elif isinstance(request, LeaseLeases):
            answer(self._replica.state.lease_leases())
        elif isinstance(request, Put | DeleteRange | Txn | Compact | LeaseGrant | LeaseRevoke):
            self._propose(request, size, answer)
        elif isinstance(request, Status | Defragment | HashKV | SaveSnapshot | MoveLeader | Alarm):
            self._maintain(request, answer)
        else:
            assert isinstance(request, MemberAdd | MemberRemove | MemberPromote | MemberList), (
                f"{type(request).__name__} is no request of a client"
            )
            self._change_members(request, answer)

    # -- refusals

    def _refusal(self, request: Request, size: int) -> EtcdError | None:
        if size > MAX_MESSAGE_BYTES:
            return EtcdError(
                code="ResourceExhausted",
                message=f"grpc: received message larger than max ({size} vs. {MAX_MESSAGE_BYTES})",
            )
        if self._replica.is_learner and not is_served_by_learners(request):
            return NOT_SUPPORTED_FOR_LEARNER
        return check_request(request)

    def _is_overloaded(self) -> bool:
        return self._replica.raft.log.committed - self._replica.applier.index > UNAPPLIED_MAX

    # -- reads

    def _read(self, request: Range | Txn, is_stale_fine: bool, answer: Answerer) -> None:
        if is_stale_fine:
            self._replica.applier.run(partial(self._read_current, request, answer, None))
        else:
            self._replica.when_current(partial(self._read_current, request, answer))

    def _read_current(self, request: Range | Txn, answer: Answerer, error: EtcdError | None) -> None:
        answer(error if error is not None else self._replica.state.read(request))

    # -- writes

    def _propose(self, request: Request, size: int, answer: Answerer) -> None:
        if isinstance(request, LeaseGrant) and request.id == 0:
            request = LeaseGrant(ttl=request.ttl, id=self._replica.new_id())
        if self._is_overloaded():
            reached("etcd: a write was refused because too many wait to be applied")
            answer(TOO_MANY_REQUESTS)
        elif log_bytes(size) > MAX_REQUEST_BYTES:
            answer(REQUEST_TOO_LARGE)
        else:
            self._replica.write(request, answer)

    # -- maintenance and members

    def _maintain(
        self, request: Status | Defragment | HashKV | SaveSnapshot | MoveLeader | Alarm, answer: Answerer
    ) -> None:
        replica = self._replica
        if isinstance(request, Status):
            answer(replica.status())
        elif isinstance(request, HashKV):
            replica.applier.run(lambda: answer(replica.hash_kv(request.revision)))
        elif isinstance(request, SaveSnapshot):
            answer(
                SaveSnapshotResponse(revision=replica.state.store.revision, database=replica.save_snapshot())
            )
        elif isinstance(request, Defragment):
            replica.defragment(answer)
        elif isinstance(request, Alarm):
            replica.alarm(request, answer)
        elif replica.is_leader:
            replica.move_leader(request.target, answer)
        else:
            answer(NOT_LEADER)

    def _change_members(
        self, request: MemberAdd | MemberRemove | MemberPromote | MemberList, answer: Answerer
    ) -> None:
        replica = self._replica
        if isinstance(request, MemberAdd):
            replica.member_add(request, answer)
        elif isinstance(request, MemberRemove):
            replica.member_remove(request, answer)
        elif isinstance(request, MemberPromote):
            replica.member_promote(request, answer)
        else:
            replica.member_list(request, answer)


def is_served_by_learners(request: Request) -> bool:
    """What a member without a vote answers (api/v3rpc/util.go isRPCSupportedForLearner)."""
    return isinstance(request, Status) or (isinstance(request, Range) and request.serializable)
