"""Whether the cluster has had no excuse for a while: a majority that runs, hears each other, and nothing else amiss.

What counts as an excuse: any fault but those that take a minority away and leave the rest alone (partitions, pauses,
crashes). While such a majority stands, and pre-vote is on, whoever is cut off cannot disturb it: members that hear their
leader refuse a vote, and one that comes back doesn't raise the term first (Raft dissertation, 9.6). `quiet_since` says since
when that has been so; every change of faults, starts and ends of processes, and of members begins it anew.

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

GRACE_NS = 8 * SECOND
"""For the leader that is cut off to step down, and for some elections that nobody wins."""
WRITE_NS = 10 * SECOND
ALONE_NS = 4 * SECOND
"""A leader looks for its quorum once an election time-out: it may lead on alone for two of them."""
HARMLESS = ("partition", "pause", "crash", "crash-host", "clock-offset", "clock-jump", "heal")


class Stability:
    """Since when a majority has been whole."""

    def __init__(self, world: World, raft: RaftView, *, has_pre_vote: bool) -> None:
        self.quiet_since = 0
        self.leaders: list[str] = []
        """Who has become the leader after a grace since then."""
        self.written_at = 0
        """When a write was acknowledged last."""
        self._world = world
        self._raft = raft
        self._has_pre_vote = has_pre_vote
        self._faults: dict[str, int] = {}
        subscribe = world.journal.subscribe
        subscribe(FaultStarted, self._fault_started)
        subscribe(FaultEnded, self._fault_ended)
        subscribe(ProcessStarted, self._changed)
        subscribe(ProcessStopped, self._changed)
        subscribe(OperationStarted, self._changed)
        subscribe(OperationEnded, self._changed)
        subscribe(ConfigApplied, self._changed)
        subscribe(BecameLeader, self._became_leader)
        subscribe(Acknowledged, self._acknowledged)

    def _fault_started(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FaultStarted)
        self._faults[event.text] = self._faults.get(event.text, 0) + 1
        self._begin()

    def _fault_ended(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FaultEnded)
        left = self._faults.pop(event.text, 1) - 1
        if left > 0:
            self._faults[event.text] = left
        self._begin()

    def _changed(self, _entry: Entry) -> None:
        self._begin()

    def _begin(self) -> None:
        self.quiet_since = self._world.now
        self.leaders = []

    def _became_leader(self, entry: Entry) -> None:
        if self.is_quiet_for(GRACE_NS):
            self.leaders.append(entry.by)

    def _acknowledged(self, entry: Entry) -> None:
        self.written_at = entry.at

    @property
    def quiet_ns(self) -> int:
        """How long there has been nothing new."""
        return self._world.now - self.quiet_since

    def is_quiet_for(self, wanted_ns: int) -> bool:
        """Has there been no excuse for so long?"""
        return self._has_pre_vote and self._is_plain_for(wanted_ns) and self._has_majority()

    def _is_plain_for(self, wanted_ns: int) -> bool:
        return self.quiet_ns >= wanted_ns and all(text.split()[0] in HARMLESS for text in self._faults)

    def leader_alone(self) -> str:
        """A leader that has heard no quorum for so long that it must have noticed; "" for none.

        Members that were changed are no subject of this: a leader that is cut off has its own idea of who they are.
        """
        if not self._is_plain_for(ALONE_NS) or len(self._raft.members) > 1:
            return ""
        voters = [self._world.processes[name] for name in self._raft.current_voters]
        running = [voter for voter in voters if voter.is_running]
        for leader in running:
            if leader.name in self._raft.leading:
                heard = sum(one is leader or self._is_whole((leader, one)) for one in running)
                if heard <= len(voters) // 2:
                    return leader.name
        return ""

    def _has_majority(self) -> bool:
        voters = [self._world.processes[name] for name in self._raft.current_voters]
        running = [voter for voter in voters if voter.is_running]
        needed = len(voters) // 2 + 1
        return any(self._is_whole(some) for some in combinations(running, needed))

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
    """While a majority runs and hears each other, and pre-vote is on, the leader changes once at most.

    A member that is cut off and raises its term would depose a healthy leader again and again. (Raft dissertation, 9.6.)
    """
    leaders = seen.stability.leaders
    assert len(leaders) <= 1, (
        f"{', then '.join(leaders)} became the leader within {show(seen.stability.quiet_ns)} in which a majority was whole"
    )


@always(on=[CallAnswered])
def a_whole_majority_writes(seen: SeesStability, event: Entry) -> None:
    """While a majority runs and hears each other, writes complete.

    Consensus that is safe and says nothing is no use to anybody. (Raft paper, 5.6: availability.)
    """
    answered = event.event
    assert isinstance(answered, CallAnswered), "woken by its own event only"
    stability = seen.stability
    if answered.unsure and stability.is_quiet_for(GRACE_NS + WRITE_NS):
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
    assert not alone, f"{alone} still leads; it has heard no quorum for {show(seen.stability.quiet_ns)}"


INVARIANTS: tuple[Invariant, ...] = (
    a_whole_majority_keeps_its_leader,
    a_whole_majority_writes,
    a_leader_without_a_quorum_steps_down,
)
