"""Mutants of etcd's members, and of what a client of theirs can see."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.etcd.events import Acknowledged
from chaoskube.models.etcd.messages import Event
from chaoskube.models.etcd.replica import Proposal, Replica
from chaoskube.models.etcd.watch import Batch, WatchHub
from chaoskube.models.etcd.watch_stream import Watcher
from chaoskube.models.raft import leading
from chaoskube.models.raft.log import RaftLog
from chaoskube.models.raft.messages import Entry, Message
from chaoskube.models.raft.progress import Progress
from chaoskube.models.raft.state import RaftState
from tests.quality.mutant import mutant


@mutant("one-content-a-revision", scenario="etcd-register")
def first_write_is_replayed_twice() -> Iterator[None]:
    """A member that comes back applies its first write twice (as in etcd issue 13766)."""
    apply_one = Replica._apply_one

    def apply_again(self: Replica, entry: Entry, proposal: Proposal) -> None:
        apply_one(self, entry, proposal)
        if self.process.life > 1 and self.state.store.revision == 2:
            apply_one(self, entry, proposal)

    with patched(Replica, "_apply_one", apply_again):
        yield


@mutant("no-split-brain-writes", scenario="etcd-register")
def deposed_leader_promises() -> Iterator[None]:
    """A leader that steps down tells its clients that what they still wait for is written."""
    role_changed = Replica._role_changed

    def change_with_promises(self: Replica) -> None:
        was_leader = self.raft.log.last_term == self._led_term != 0
        role_changed(self)
        log = self.raft.log
        for entry in log.slice(log.applied + 1, log.last_index + 1) if was_leader else ():
            if isinstance(entry.data, Proposal) and entry.data.id in self._waiting:
                self.process.record(
                    Acknowledged(
                        index=entry.index,
                        term=entry.term,
                        revision=self.state.store.revision + 1,
                        request_id=entry.data.id,
                    )
                )

    with patched(Replica, "_role_changed", change_with_promises):
        yield


@mutant("no-acknowledged-write-is-lost", scenario="etcd-register")
def any_log_will_do() -> Iterator[None]:
    """A member votes for candidates whose log is shorter than its own."""
    with patched(RaftLog, "is_up_to_date", lambda self, last_index, last_term: True):
        yield


@mutant("a-watch-delivers-every-event-once-in-order", scenario="etcd-register")
def history_begins_late() -> Iterator[None]:
    """A watch that begins in the past isn't told of the very revision that it asked for."""
    sync = WatchHub._sync

    def sync_late(
        self: WatchHub, watcher: Watcher, history: list[tuple[Event, ...]], victims: dict[Watcher, Batch]
    ) -> None:
        watcher.min_revision += 1
        sync(self, watcher, history, victims)

    with patched(WatchHub, "_sync", sync_late):
        yield


@mutant("members-agree", scenario="etcd-register")
def leader_never_steps_back() -> Iterator[None]:
    """A leader whose append was refused tries the same append again, and no earlier one."""

    def stay(raft: RaftState, peer: int, progress: Progress, message: Message) -> None:
        progress.is_paused = False

    with patched(leading, "step_back", stay):
        yield


@mutant("a-read-sees-what-was-acknowledged", scenario="etcd-register")
def reads_are_answered_at_once() -> Iterator[None]:
    """A member answers linearizable reads from what it has, without asking the leader how far that must be."""
    with patched(Replica, "when_current", lambda self, go_on: go_on(None)):
        yield
