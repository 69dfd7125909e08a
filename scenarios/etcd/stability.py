"""Whether the cluster has had no excuse for a while: a majority that runs, hears each other, and nothing else amiss.

What counts as an excuse: any fault but those that take a minority away and leave the rest alone (partitions, pauses,
crashes). While such a majority stands, and pre-vote is on, whoever is cut off cannot disturb it: members that hear their
leader refuse a vote, and one that comes back doesn't raise the term first (Raft dissertation, 9.6). What happens to
others, again and again, is no excuse either: `quiet_with` says how long a majority has been whole by what happened to its own
members, and by what concerns everybody. Upkeep that concerns one member is about that one.

Made by the observer of an etcd scenario; the two invariants about it stand here, because only these scenarios know it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Protocol

from chaoskube.invariant import Invariant, always
from chaoskube.models.etcd.view import Acknowledged, BecameLeader, CallAnswered, ConfigApplied, RaftView
from chaoskube.sim import (
    SECOND,
    Entry,
    FaultEnded,
    FaultStarted,
    OperationEnded,
    OperationStarted,
    Process,
    ProcessStarted,
    ProcessStopped,
    World,
    show,
)

GRACE_NS = 6 * SECOND
"""For the leader that is cut off to step down, and for some elections that nobody wins."""
RACE_NS = SECOND // 2
"""Whoever hasn't heard of a leader that was elected just now may depose it."""
WRITE_NS = 10 * SECOND
ALONE_NS = 4 * SECOND
"""A leader looks for its quorum once an election time-out: it may lead on alone for two of them."""
UPKEEP = ("compact", "defrag")
"""Operations that leave who leads and who is a member alone: at most the member that they name is busy with them."""
HARMLESS = ("partition", "pause", "crash", "crash-host", "clock-offset", "clock-jump", "heal")


class Stability:
    """Since when a majority has been whole."""

    def __init__(self, world: World, raft: RaftView, *, has_pre_vote: bool) -> None:
        self.quiet_since = 0
        """When something happened last that concerns everybody."""
        self.deposed = ""
        """A leader that was replaced although it belonged to a whole majority; in words."""
        self.written_at = 0
        """When a write was acknowledged last."""
        self._touched: dict[str, int] = {}
        """When something happened last to one member, or to its host."""
        self._leader = ("", 0)
        self._newest = 0
        self._world = world
        self._raft = raft
        self._has_pre_vote = has_pre_vote
        self._faults: dict[str, int] = {}
        subscribe = world.journal.subscribe
        subscribe(FaultStarted, self._fault_started)
        subscribe(FaultEnded, self._fault_ended)
        subscribe(ProcessStarted, self._touch)
        subscribe(ProcessStopped, self._touch)
        subscribe(OperationStarted, self._asked)
        subscribe(OperationEnded, self._asked)
        subscribe(ConfigApplied, self._configured)
        subscribe(BecameLeader, self._became_leader)
        subscribe(Acknowledged, self._acknowledged)

    def _fault_started(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FaultStarted)
        self._faults[event.text] = self._faults.get(event.text, 0) + 1
        self._fault_changed(event.text)

    def _fault_ended(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FaultEnded)
        left = self._faults.pop(event.text, 1) - 1
        if left > 0:
            self._faults[event.text] = left
        self._fault_changed(event.text)

    def _fault_changed(self, text: str) -> None:
        """What harms some and leaves the others alone is about those that it names."""
        verb = text.split()[0]
        if verb not in HARMLESS or verb == "heal":
            self.quiet_since = self._world.now
        else:
            self._touch_named(text)

    def _touch_named(self, text: str) -> None:
        """Something happened to the processes and hosts among an action's arguments; a compaction names none."""
        world = self._world
        for argument in text.split()[1:]:
            for name in argument.partition("=")[2].split(","):
                if name in world.processes or name in world.hosts:
                    self._touched[name] = world.now

    def _touch(self, entry: Entry) -> None:
        self._touched[entry.by] = self._world.now

    def _configured(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, ConfigApplied)
        self._touched[entry.by] = self._world.now
        if event.index > self._newest:
            self._newest, self.quiet_since = event.index, self._world.now

    def _asked(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, OperationStarted | OperationEnded)
        if event.verb in UPKEEP:
            self._touch_named(event.text)
        else:
            self.quiet_since = self._world.now

    def _became_leader(self, entry: Entry) -> None:
        """A leader that a majority elected keeps leading while that majority is whole; what began before is over soon."""
        (before, since), now = self._leader, self._world.now
        self._leader = (entry.by, now)
        if not before or self.deposed or now - since < RACE_NS:
            return
        quiet = self.quiet_with(before)
        if quiet >= GRACE_NS + min(now - since, GRACE_NS):
            self.deposed = (
                f"{before} led for {show(now - since)}, then {entry.by} became the leader; a majority with {before} "
                f"had been whole for {show(quiet)}"
            )

    def _acknowledged(self, entry: Entry) -> None:
        self.written_at = entry.at

    def quiet_with(self, member: str = "") -> int:
        """How long a majority (with this member) has been whole, and had no other excuse; 0 for not at all."""
        if not self._has_pre_vote or not self._is_plain():
            return 0
        return self._world.now - min(
            (self._since(some) for some in self._whole(member)), default=self._world.now
        )

    def _since(self, some: Sequence[Process]) -> int:
        touched = self._touched.get
        return max(self.quiet_since, *(max(touched(one.name, 0), touched(one.host, 0)) for one in some))

    def _whole(self, member: str) -> list[Sequence[Process]]:
        """Majorities that run, hear each other now, and wait for nobody who is no more."""
        voters = [self._world.processes[name] for name in self._raft.current_voters]
        running = [one for one in voters if one.is_running and not self._raft.is_stranded(one.name)]
        return [
            some
            for some in combinations(running, len(voters) // 2 + 1)
            if (not member or any(one.name == member for one in some)) and self._is_whole(some)
        ]

    def _is_plain(self) -> bool:
        return all(text.split()[0] in HARMLESS for text in self._faults)

    @property
    def alone_ns(self) -> int:
        """How long nothing has changed for anybody."""
        return self._world.now - max(self.quiet_since, *self._touched.values(), 0)

    def leader_alone(self) -> str:
        """A leader that has heard no quorum for so long that it must have noticed; "" for none.

        Members that were changed are no subject of this: a leader that is cut off has its own idea of who they are.
        """
        if self.alone_ns < ALONE_NS or not self._is_plain() or len(self._raft.members) > 1:
            return ""
        voters = [self._world.processes[name] for name in self._raft.current_voters]
        running = [voter for voter in voters if voter.is_running]
        for leader in running:
            if leader.name in self._raft.leading:
                heard = sum(one is leader or self._is_whole((leader, one)) for one in running)
                if heard <= len(voters) // 2:
                    return leader.name
        return ""

    def _is_whole(self, some: Sequence[Process]) -> bool:
        """Do all of these hear each other?"""
        link = self._world.network.link
        return all(
            not link(one.host, other.host).blocked and not link(other.host, one.host).blocked
            for one, other in combinations(some, 2)
        )


class SeesStability(Protocol):
    """An observer of an etcd scenario."""

    @property
    def stability(self) -> Stability:
        """Whether there is an excuse."""


@always(on=[BecameLeader])
def a_whole_majority_keeps_its_leader(seen: SeesStability) -> None:
    """While a majority runs and hears each other, and pre-vote is on, a leader that belongs to it leads on.

    A member that is cut off and raises its term would depose a healthy leader again and again. (Raft dissertation, 9.6.)
    """
    deposed = seen.stability.deposed
    assert not deposed, deposed


@always(on=[CallAnswered])
def a_whole_majority_writes(seen: SeesStability, event: Entry) -> None:
    """While a majority runs and hears each other, writes complete.

    Consensus that is safe and says nothing is no use to anybody. (Raft paper, 5.6: availability.)
    """
    answered = event.event
    assert isinstance(answered, CallAnswered), "woken by its own event only"
    stability = seen.stability
    if answered.unsure and stability.quiet_with() >= GRACE_NS + WRITE_NS:
        idle = event.at - stability.written_at
        assert idle < WRITE_NS, (
            f"nothing was written for {show(idle)} while a majority was whole; {event.by}: {answered.unsure}"
        )


@always(on=[CallAnswered, Acknowledged, BecameLeader])
def a_leader_without_a_quorum_steps_down(seen: SeesStability) -> None:
    """A leader that hears no quorum leads no more after two election time-outs.

    Until it does it takes requests that it can't serve; with reads on its lease it answers them with the past. (Raft
    dissertation, 6.2; etcd-io/raft: check-quorum.)
    """
    alone = seen.stability.leader_alone()
    assert not alone, f"{alone} still leads; it has heard no quorum for {show(seen.stability.alone_ns)}"


INVARIANTS: tuple[Invariant, ...] = (
    a_whole_majority_keeps_its_leader,
    a_whole_majority_writes,
    a_leader_without_a_quorum_steps_down,
)
