"""The upkeep of one member: how it is, its hash, defragmentation, giving leadership away, stopping in good order.

Server/etcdserver/api/v3rpc/maintenance.go and server.go (MoveLeader, TryTransferLeadershipOnShutdown), storage/backend
defrag. Made by `replica.py`; what clients may ask is in `calls.py`.
Not modelled: hashes of the whole file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from chaoskube.models.constants import ETCD_REQUEST_TIMEOUT, ETCD_TICK
from chaoskube.models.etcd.backend import Database
from chaoskube.models.etcd.database_file import DEFRAGMENT_NS, DEFRAGMENT_NS_PER_BYTE
from chaoskube.models.etcd.messages import (
    BAD_LEADER_TRANSFEREE,
    NO_LEADER,
    DefragmentResponse,
    EtcdError,
    HashKVResponse,
    MoveLeaderResponse,
    StatusResponse,
)
from chaoskube.models.etcd.proposals import Answerer
from chaoskube.models.raft.messages import NONE
from chaoskube.sim import reached

if TYPE_CHECKING:
    from chaoskube.models.etcd.replica import Replica

TRANSFER_TOO_LONG: Final = EtcdError(
    code="Unknown",
    message="etcdserver: request timed out, leader transfer took too long",
    is_definite=False,
)
"""server/etcdserver/errors ErrTimeoutLeaderTransfer, which has no gRPC code of its own."""


class Maintenance:
    """The upkeep of one life of a member."""

    def __init__(self, member: Replica) -> None:
        self._member = member
        self._is_stopping = False
        member.process.on_sigterm = self.stop

    # -- how it is

    def status(self) -> StatusResponse:
        """What this member says of itself, without asking anybody."""
        member = self._member
        raft, backend = member.raft, member.backend
        errors = [f"memberID:{one.member} alarm:{one.kind.value} " for one in member.alarms.on()]
        if raft.lead == NONE:
            errors.insert(0, NO_LEADER.message)
        return StatusResponse(
            revision=member.state.store.revision,
            member=member.id,
            leader=raft.lead,
            raft_term=raft.term,
            raft_index=raft.log.committed,
            raft_applied_index=member.applier.index,
            db_size=backend.size,
            db_size_in_use=backend.size_in_use,
            is_learner=member.is_learner,
            errors=tuple(errors),
        )

    def hash_kv(self, revision: int) -> HashKVResponse | EtcdError:
        """The hash of the keys, to be compared with other members'."""
        return self._member.state.store.hash_kv(revision)

    def save_snapshot(self) -> Database:
        """The whole database as it is now, for a backup; what is uncommitted is committed first."""
        self._member.database.commit()
        return self._member.backend.database()

    # -- defragmentation

    def defragment(self, answer: Answerer) -> None:
        """Write the file anew without its free space. Nothing is applied or read meanwhile."""
        self._member.applier.run(lambda: self._defragment(answer))

    def _defragment(self, answer: Answerer) -> None:
        member = self._member
        reached("etcd: a database was defragmented")
        member.applier.block()
        member.database.commit_before_defragment(lambda: self._copy(answer))

    def _copy(self, answer: Answerer) -> None:
        """Everything is committed: copy it, which takes a while."""
        member = self._member
        delay = DEFRAGMENT_NS + member.backend.size_in_use * DEFRAGMENT_NS_PER_BYTE
        member.process.call_later(delay, self._rename, answer)

    def _rename(self, answer: Answerer) -> None:
        member = self._member
        member.backend.defragment()
        member.database.replace(member.backend.database())
        member.process.disk.sync(lambda: self._defragmented(answer))

    def _defragmented(self, answer: Answerer) -> None:
        member = self._member
        member.applier.unblock()
        answer(DefragmentResponse(revision=member.state.store.revision))
        member.node.after_step()

    # -- leadership

    def move_leader(self, target: int, answer: Answerer) -> None:
        """Hand leadership over. Called at the leader."""
        member = self._member
        if target not in member.membership.members or member.membership.is_learner(target):
            answer(BAD_LEADER_TRANSFEREE)
            return
        revision = member.state.store.revision

        def done(error: EtcdError | None) -> None:
            answer(error if error is not None else MoveLeaderResponse(revision=revision))

        self._transfer(target, done)

    def _transfer(self, target: int, done: Callable[[EtcdError | None], object]) -> None:
        self._member.raft.transfer_leader(target)
        self._look(target, self._member.process.now + ETCD_REQUEST_TIMEOUT, done)
        self._member.node.after_step()

    def _look(self, target: int, until: int, done: Callable[[EtcdError | None], object]) -> None:
        """Has it moved? Looked at every tick, as MoveLeader does."""
        member = self._member
        if member.raft.lead == target:
            done(None)
        elif member.process.now >= until:
            done(TRANSFER_TOO_LONG)
        else:
            member.process.call_later(ETCD_TICK, self._look, target, until, done)

    # -- stopping

    def stop(self) -> None:
        """SIGTERM: give leadership away if there is anybody to take it, commit, and end."""
        if self._is_stopping:
            return
        self._is_stopping = True
        member = self._member
        others = [number for number in member.membership.voters if number != member.id]
        names = dict(zip(member.membership.names_of(others), others, strict=True))
        heir = member.peers.longest_active(names) if member.is_leader else None
        if heir is None:
            self._end(None)
        else:
            self._transfer(names[heir], self._end)

    def _end(self, _error: EtcdError | None) -> None:
        self._member.applier.run(self._commit_and_exit)

    def _commit_and_exit(self) -> None:
        self._member.database.commit()
        self._member.process.exit()
