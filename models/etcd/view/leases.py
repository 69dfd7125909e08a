"""Leases: when each was granted, last renewed and ended, and how long leaders have had to end it.

What a lease is owed: nobody ends it before its time has passed since the grant, or since the last renewal that a client
was told of (that it asked for then, to be exact: the leader renewed it later). Time is the members' own: where clocks were
made to run fast or slow, the bounds are as much wider (`drift_ppm`).

What a lease owes: to end, when nobody renews it. Only a leader that still commits can end one, and a new leader gives each
lease an election time-out more, and what was used up since the last checkpoint. So what is counted is *led* time: from
the first to the last commit of each term, without what lies between. It may exceed the time to live by a
constant, and by a constant for each term; not by the time to live once more for each term (etcd issue 9888). While messages or disks are slow nothing
is counted: a lease ends by several rounds of messages, each of which may then take seconds.

Part of `EtcdView`.
"""

from __future__ import annotations

from attrs import define

from chaoskube.models.constants import ETCD_REQUEST_TIMEOUT
from chaoskube.models.etcd.events import (
    CallMade,
    KeepAliveAnswered,
    LeaseEnded,
    LeaseGranted,
)
from chaoskube.models.etcd.messages import LeaseKeepAlive, LeaseRevoke
from chaoskube.models.etcd.view.raft import RaftView
from chaoskube.models.etcd.view.store import StoreView
from chaoskube.models.raft.events import Committed
from chaoskube.sim import SECOND, Entry, FaultEnded, FaultStarted, Journal

MILLION = 1_000_000
SLOWING = frozenset({"lose", "reorder", "slow-disk", "slow-link"})
"""Faults under which a leader leads, and gets nothing done soon."""
GAP_NS_MAX = 2 * SECOND
"""Of a longer time without a commit only so much counts as led: the leader may have been asleep."""
TERM_NS = 3 * SECOND
"""What a new leader adds by itself: an election time-out, and whole seconds."""


@define(kw_only=True)
class LeaseLife:
    """One lease."""

    id: int
    ttl: int
    granted_at: int
    asked_at: int
    """When the newest keep-alive that was answered had been asked for; the grant counts as one."""
    led_ns: int
    """The led time so far when it was last renewed, or asked to be."""
    terms: int
    """How many terms there had been then."""
    open_ns: int = 0
    """How much later a keep-alive that nobody has answered may still renew it."""
    is_given_up: bool = False
    """Somebody asked for its end."""
    ended_at: int | None = None


class LeasesView:
    """Every lease, and how long the cluster has been led."""

    def __init__(self, journal: Journal, raft: RaftView, store: StoreView) -> None:
        self.all: dict[int, LeaseLife] = {}
        self.alive: dict[int, LeaseLife] = {}
        """Those that no member has ended, the one that was renewed longest ago first."""
        self.led_ns = 0
        """How long there has been a leader that committed."""
        self.terms = 0
        """How many terms have had a commit."""
        self.checkpoint_ns: int | None = None
        """How often the leader notes how long leases have; None where it doesn't."""
        self.drift_ppm = 0
        """What all clocks together were made to run fast or slow, in parts in a million; never less again."""
        self._raft = raft
        self._term = 0
        self._committed_at = 0
        self._slowing: dict[str, int] = {}
        self._was_slow = False
        """Since the last commit of a leader, at least for a while."""
        journal.subscribe(FaultStarted, self._fault_started)
        journal.subscribe(FaultEnded, self._fault_ended)
        journal.subscribe(Committed, self._committed)
        journal.subscribe(LeaseGranted, self._granted)
        journal.subscribe(LeaseEnded, self._ended)
        journal.subscribe(KeepAliveAnswered, self._answered)
        journal.subscribe(CallMade, self._asked)
        store.on_restored.append(self._restored)

    @property
    def pace_ppm(self) -> int:
        """How much time passes on the slowest clock, of a million parts, and the inverse on the fastest."""
        return max(100_000, MILLION - self.drift_ppm)

    def _fault_started(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FaultStarted)
        if event.verb == "clock-drift":
            ppm = [word.removeprefix("ppm=") for word in event.text.split() if word.startswith("ppm=")]
            self.drift_ppm += int(ppm[0])
        elif event.verb in SLOWING:
            self._slowing[event.text] = self._slowing.get(event.text, 0) + 1
            self._was_slow = True

    def _fault_ended(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, FaultEnded)
        if event.text in self._slowing:
            self._slowing[event.text] -= 1
            if not self._slowing[event.text]:
                del self._slowing[event.text]

    def _committed(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, Committed)
        if entry.by not in self._raft.leading:
            return
        term = event.terms[-1]
        if term > self._term:
            self._term = term
            self.terms += 1
        elif term == self._term:
            self.led_ns += 0 if self._was_slow else min(entry.at - self._committed_at, GAP_NS_MAX)
        else:
            return
        self._committed_at = entry.at
        self._was_slow = bool(self._slowing)

    def _granted(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, LeaseGranted)
        if event.id in self.all:
            return
        life = LeaseLife(
            id=event.id,
            ttl=event.ttl,
            granted_at=entry.at,
            asked_at=entry.at,
            led_ns=self.led_ns,
            terms=self.terms,
        )
        self.all[event.id] = self.alive[event.id] = life

    def _ended(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, LeaseEnded)
        life = self.alive.pop(event.id, None)
        if life is not None:
            life.ended_at = entry.at

    def _answered(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, KeepAliveAnswered)
        life = self.all.get(event.id)
        if life is not None and event.ttl > 0:
            life.asked_at = max(life.asked_at, event.asked_at)
            self._renew(life, 0)

    def _asked(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, CallMade)
        request = event.request
        if isinstance(request, LeaseKeepAlive | LeaseRevoke):
            life = self.all.get(request.id)
            if life is not None and isinstance(request, LeaseRevoke):
                life.is_given_up = True
            elif life is not None:
                self._renew(life, ETCD_REQUEST_TIMEOUT)

    def _renew(self, life: LeaseLife, open_ns: int) -> None:
        life.led_ns, life.terms, life.open_ns = self.led_ns, self.terms, open_ns
        if self.alive.pop(life.id, None) is not None:
            self.alive[life.id] = life

    def _restored(self, _entry: Entry) -> None:
        """A restored cluster has the snapshot's leases; those that were granted since are gone without a word."""
        self.all.clear()
        self.alive.clear()
        self._term = 0


def overdue(leases: LeasesView, slack_ns: int) -> LeaseLife | None:
    """The first lease that should have ended by now."""
    for life in leases.alive.values():
        ttl_ns = life.ttl * SECOND * MILLION // leases.pace_ppm
        a_term_ns = ttl_ns if leases.checkpoint_ns is None else leases.checkpoint_ns + TERM_NS
        allowed_ns = ttl_ns + slack_ns + life.open_ns + (leases.terms - life.terms) * a_term_ns
        if leases.led_ns - life.led_ns > allowed_ns:
            return life
    return None


def is_early(leases: LeasesView, life: LeaseLife, lived_ns: int) -> bool:
    """Is this less than the lease was promised?"""
    return lived_ns * MILLION < life.ttl * SECOND * leases.pace_ppm
