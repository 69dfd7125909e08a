"""Mutants of etcd's members, and of what a client of theirs can see."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from chaoskube.bug import patched
from chaoskube.models.etcd.events import Acknowledged
from chaoskube.models.etcd.messages import KeyValue
from chaoskube.models.etcd.mvcc import Store
from chaoskube.models.etcd.proposals import Proposal
from chaoskube.models.etcd.raft_node import RaftNode
from chaoskube.models.raft import leading
from chaoskube.models.raft.log import RaftLog
from chaoskube.models.raft.messages import Message
from chaoskube.models.raft.progress import Progress
from chaoskube.models.raft.ready import Role
from chaoskube.models.raft.state import RaftState
from tests.quality.mutant import mutant


@mutant("one-content-a-revision", scenario="etcd-register")
def versions_begin_anew() -> Iterator[None]:
    """A member that comes back counts the versions of every key from 1 again."""
    restore_version = Store._restore_version

    def restore_first_version(self: Store, main: int, sub: int, kv: KeyValue) -> None:
        restore_version(self, main, sub, evolve(kv, version=min(kv.version, 1)))

    with patched(Store, "_restore_version", restore_first_version):
        yield


@mutant("no-split-brain-writes", scenario="etcd-register")
def deposed_leader_promises() -> Iterator[None]:
    """A leader that steps down tells its clients that what they still wait for is written."""
    role_changed = RaftNode._role_changed

    def change_with_promises(self: RaftNode) -> None:
        role_changed(self)
        log = self.raft.log
        was_leader = self.raft.role is not Role.LEADER and log.last_term == self._led_term
        for entry in log.slice(log.applied + 1, log.last_index + 1) if was_leader else ():
            if isinstance(entry.data, Proposal) and self._proposals.take(entry.data.id) is not None:
                self._process.record(
                    Acknowledged(
                        index=entry.index,
                        term=entry.term,
                        revision=self._member.state.store.revision + 1,
                        request_id=entry.data.id,
                    )
                )

    with patched(RaftNode, "_role_changed", change_with_promises):
        yield


@mutant("no-acknowledged-write-is-lost", scenario="etcd-register")
def any_log_will_do() -> Iterator[None]:
    """A member votes for everybody, however old and short their log is."""
    with patched(RaftLog, "is_up_to_date", lambda self, last_index, last_term: True):
        yield


@mutant("members-agree", scenario="etcd-register")
def leader_never_steps_back() -> Iterator[None]:
    """A leader whose append was refused tries the same append again, and no earlier one."""

    def stay(raft: RaftState, peer: int, progress: Progress, message: Message) -> None:
        progress.is_paused = False

    with patched(leading, "step_back", stay):
        yield
