"""A bag of Raft members and messages without a world: what is delivered, lost, doubled or crashed is the caller's choice.

Honest about disks: what a `Ready` wants stored is written at once and synced only by `sync`; a crash keeps
what was synced. Messages that depend on the disk stay inside until then. With asynchronous storage `sync` does one
piece of writing, `apply` one of applying, and `hear` lets the member know.

Every entry that anybody ever holds to be committed is remembered, and so is who led which term: `check` compares.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable

from attrs import define, evolve, field

from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.messages import (
    LOCAL_APPEND_THREAD,
    LOCAL_APPLY_THREAD,
    ConfChange,
    ConfChangeV2,
    Entry,
    EntryType,
    HardState,
    Message,
    MessageType,
    Snapshot,
)
from chaoskube.models.raft.progress import ProgressState
from chaoskube.models.raft.ready import Config, Ready, Role


@define
class Disk:
    """What survives a crash: entries follow the snapshot."""

    hard_state: HardState = field(factory=HardState)
    entries: list[Entry] = field(factory=list)
    snapshot: Snapshot | None = None

    @property
    def offset(self) -> int:
        return 0 if self.snapshot is None else self.snapshot.metadata.index

    def store(
        self, hard_state: HardState | None, entries: tuple[Entry, ...], snapshot: Snapshot | None
    ) -> None:
        if hard_state is not None:
            self.hard_state = hard_state
        if snapshot is not None:
            self.snapshot, self.entries = snapshot, []
        kept = [entry for entry in entries if entry.index > self.offset]
        if kept:
            del self.entries[kept[0].index - self.offset - 1 :]
            self.entries.extend(kept)

    def keep(self, snapshot: Snapshot) -> None:
        """The member has made a snapshot of its own; entries before it are not needed to start from."""
        del self.entries[: snapshot.metadata.index - self.offset]
        self.snapshot = snapshot


class Bag:
    """Members 1..n, their disks, and the messages in flight. Checks safety after every step.

    Without `newcomers` the voters are configured; with them the cluster is bootstrapped, and members that are
    no peers yet wait for somebody to add them.
    """

    def __init__(self, size: int, luck: random.Random, *, newcomers: int = 0, **options: object) -> None:
        self.luck = luck
        self.options = options
        self.is_async = bool(options.get("async_storage_writes"))
        self.founders = tuple(range(1, size + 1))
        self.voters = tuple(range(1, size + newcomers + 1))
        self.is_bootstrapped = newcomers > 0
        self.disks = {member: Disk() for member in self.voters}
        self.members: dict[int, Raft] = {}
        self.saving: dict[int, Ready] = {}
        self.append_work: dict[int, deque[Message]] = {}
        self.apply_work: dict[int, deque[Message]] = {}
        self.to_itself: dict[int, deque[Message]] = {}
        self.flight: list[Message] = []
        self.leaders: dict[int, int] = {}
        self.chosen: dict[int, tuple[int, object]] = {}
        self.checked: dict[int, int] = {}
        self.applied: dict[int, list[object]] = {}
        self.reads: dict[int, list[tuple[object, int]]] = {member: [] for member in self.voters}
        for member in self.voters:
            self.start(member)

    def config(self, member: int) -> Config:
        voters = () if self.is_bootstrapped else self.voters
        return evolve(
            Config(id=member, voters=voters, seed=self.luck.getrandbits(64)),
            **self.options,  # type: ignore[arg-type]  # names of Config's own fields
        )

    def start(self, member: int) -> None:
        disk = self.disks[member]
        if self.is_bootstrapped and member in self.founders and disk == Disk():
            self.members[member] = Raft.bootstrap(
                self.config(member), {founder: None for founder in self.founders}
            )
        else:
            commit = max(disk.hard_state.commit, disk.offset)
            self.members[member] = Raft(
                self.config(member),
                hard_state=evolve(disk.hard_state, commit=commit),
                snapshot=disk.snapshot,
                entries=disk.entries,
            )
        self.applied[member] = self._state_of(disk.snapshot)
        self.append_work[member] = deque()
        self.apply_work[member] = deque()
        self.to_itself[member] = deque()
        self.checked[member] = 0

    @staticmethod
    def _state_of(snapshot: Snapshot | None) -> list[object]:
        if snapshot is None:
            return []
        assert isinstance(snapshot.data, tuple)
        return list(snapshot.data)

    def crash(self, member: int) -> None:
        """Power loss between a write and its sync, and back at once."""
        self.saving.pop(member, None)
        self.start(member)

    def carry_out(self, member: int) -> None:
        """Take the next Ready and write it down; its held-back messages wait for `sync`."""
        raft = self.members[member]
        if member in self.saving or not raft.has_ready():
            return
        ready = raft.ready()
        if self.is_async:
            self.reads[member].extend((state.context, state.index) for state in ready.read_states)
            for message in ready.messages:
                if message.to == LOCAL_APPEND_THREAD:
                    self.append_work[member].append(message)
                elif message.to == LOCAL_APPLY_THREAD:
                    self.apply_work[member].append(message)
                else:
                    self.flight.append(message)
            return
        self.saving[member] = ready
        if raft.role is Role.LEADER:
            self.flight.extend(ready.messages)

    def sync(self, member: int) -> None:
        """The disk is done with the oldest write."""
        if self.is_async:
            if self.append_work[member]:
                self._append(member, self.append_work[member].popleft())
            return
        ready = self.saving.pop(member, None)
        if ready is None:
            return
        raft = self.members[member]
        self.disks[member].store(ready.hard_state, ready.entries, ready.snapshot)
        if raft.role is not Role.LEADER:
            self.flight.extend(ready.messages)
        elif ready.messages and self.luck.random() < 0.5:
            # It became leader meanwhile (or was): sending twice is what a network may do anyway.
            self.flight.extend(ready.messages)
        self.flight.extend(one for one in ready.messages_after_append if one.to != member)
        if ready.snapshot is not None:
            self.applied[member] = self._state_of(ready.snapshot)
        self._apply(member, ready.committed_entries)
        self.reads[member].extend((state.context, state.index) for state in ready.read_states)
        raft.advance(ready)
        self.check()

    def _append(self, member: int, work: Message) -> None:
        hard_state = HardState(term=work.term, vote=work.vote, commit=work.commit)
        self.disks[member].store(
            None if hard_state == HardState() else hard_state, work.entries, work.snapshot
        )
        if work.snapshot is not None:
            self.applied[member] = self._state_of(work.snapshot)
        self._answer(member, work)

    def apply(self, member: int) -> None:
        """Asynchronous storage: the state machine is done with the oldest page."""
        if self.apply_work[member]:
            work = self.apply_work[member].popleft()
            self._apply(member, work.entries)
            self._answer(member, work)
            self.check()

    def _answer(self, member: int, work: Message) -> None:
        self.to_itself[member].extend(one for one in work.responses if one.to == member)
        self.flight.extend(one for one in work.responses if one.to != member)

    def hear(self, member: int) -> None:
        """Asynchronous storage: the member hears of what is done, in order."""
        if self.to_itself[member]:
            self.members[member].step(self.to_itself[member].popleft())
            self.check()

    def _apply(self, member: int, entries: Iterable[Entry]) -> None:
        state = self.applied[member]
        for entry in entries:
            if entry.index <= len(state):
                # Handed out before a snapshot that came with all of it.
                continue
            assert entry.index == len(state) + 1, f"{member} applies {entry.index} after {len(state)}"
            state.append(entry.data)
            if entry.type is not EntryType.ENTRY_NORMAL:
                change = entry.data if entry.data is not None else ConfChangeV2()
                assert isinstance(change, ConfChange | ConfChangeV2)
                self.members[member].apply_conf_change(change)

    def snapshot(self, member: int, *, keep: int = 0) -> None:
        """Make a snapshot of what is applied, and drop all but `keep` entries before it from memory."""
        raft = self.members[member]
        index = raft.log.applied
        if raft.log.pending_snapshot is not None or member in self.saving or index > raft.log.stable:
            return
        data = tuple(self.applied[member][:index])
        if len(self.applied[member]) != index:
            return
        made = raft.create_snapshot(index, raft.tracker.conf_state(), data) if index else None
        if made is not None:
            self.disks[member].keep(made)
            raft.compact(index - keep)

    def deliver(self, place: int, *, keep: bool = False) -> None:
        message = self.flight[place]
        if not keep:
            self.flight.pop(place)
        self.members[message.to].step(message)
        self.check()

    def report_lost_snapshots(self) -> None:
        """Tell leaders that snapshots on their way will not arrive."""
        for raft in self.members.values():
            for peer in raft.peers if raft.role is Role.LEADER else ():
                if raft.tracker.progress[peer].state is ProgressState.SNAPSHOT:
                    raft.report_snapshot(peer, ok=False)

    def settle(self, rounds: int = 4000) -> None:
        """Deliver everything in order, without any trouble, until nothing moves."""
        for _ in range(rounds):
            before = len(self.flight)
            for member in self.voters:
                self.carry_out(member)
                self.sync(member)
                self.apply(member)
                self.hear(member)
            if self.flight:
                self.deliver(0)
            elif before == 0 and not self._is_busy():
                return
        raise AssertionError("the members never fall silent")

    def settle_votes(self, candidate: int, *voters: int) -> None:
        """Let an election run its course; of what the winner sends afterwards nothing arrives."""
        kinds = (MessageType.MSG_VOTE, MessageType.MSG_VOTE_RESP)
        for _ in range(2):
            for member in (candidate, *voters):
                self.carry_out(member)
                self.sync(member)
                for message in [one for one in self.flight if one.type in kinds]:
                    self.flight.remove(message)
                    if message.to in (candidate, *voters):
                        self.members[message.to].step(message)
        self.check()

    def _is_busy(self) -> bool:
        return any(raft.has_ready() for raft in self.members.values()) or any(
            work[member]
            for work in (self.append_work, self.apply_work, self.to_itself)
            for member in self.voters
        )

    def tick_all(self) -> None:
        """A tick for everybody, and all that comes of it."""
        for member in self.voters:
            self.members[member].tick()
        self.settle()

    # -- the paper's figure 3

    def check(self) -> None:
        """Election safety, and state machine safety for what became committed since the last look."""
        for member, raft in self.members.items():
            if raft.role is Role.LEADER:
                first = self.leaders.setdefault(raft.term, member)
                assert first == member, f"term {raft.term} is led by {first} and {member}"
            log = raft.log
            begin = max(self.checked[member], log.offset)
            for entry in log.entries[begin - log.offset : log.committed - log.offset]:
                self._choose(entry)
            self.checked[member] = log.committed

    def _choose(self, entry: Entry) -> None:
        chosen = self.chosen.setdefault(entry.index, (entry.term, entry.data))
        assert chosen == (entry.term, entry.data), f"{entry.index} is {chosen} and {entry}"

    def check_logs(self) -> None:
        """Log matching, leader completeness for whoever leads the newest term, and what was applied."""
        logs = [{entry.index: entry for entry in raft.log.entries} for raft in self.members.values()]
        for one in logs:
            for other in logs:
                same = [place for place in one if place in other and one[place].term == other[place].term]
                for place in one:
                    if place in other and place <= max(same, default=0):
                        assert one[place] == other[place]
        for raft in self.members.values():
            committed = raft.log.entries[: raft.log.committed - raft.log.offset]
            for entry in committed:
                self._choose(entry)
        for state in self.applied.values():
            assert state == [self.chosen[place][1] for place in range(1, len(state) + 1)]
        self._check_newest_leader()

    def _check_newest_leader(self) -> None:
        newest = max(self.members.values(), key=lambda raft: (raft.term, raft.role is Role.LEADER))
        if newest.role is Role.LEADER:
            for index, (term, data) in self.chosen.items():
                if term < newest.term and index > newest.log.offset:
                    assert newest.log.term(index) == term
                    assert newest.log.entries[index - newest.log.offset - 1].data == data


def elected(size: int = 3, **options: object) -> Bag:
    """A calm cluster led by member 1."""
    bag = Bag(size, random.Random(1), newcomers=0, **options)
    bag.members[1].campaign()
    bag.settle()
    assert bag.members[1].role is Role.LEADER
    return bag
