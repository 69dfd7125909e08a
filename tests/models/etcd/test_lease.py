"""Leases: what every member knows, and what the leader's clock makes of it (recorded from a real etcd, or lessor.go)."""

from __future__ import annotations

import pytest

from chaoskube.bug import patched
from chaoskube.models.etcd import lease
from chaoskube.models.etcd.backend import Backend
from chaoskube.models.etcd.lease import MAX_TTL, MIN_TTL, RETRY_NS, REVOCATIONS_A_SECOND, Lessor
from chaoskube.models.etcd.messages import (
    LEASE_EXISTS,
    LEASE_NOT_FOUND,
    LEASE_TTL_TOO_LARGE,
    LeaseCheckpoint,
    LeaseCheckpointResponse,
    LeaseGrant,
    LeaseGrantResponse,
    LeaseLeasesResponse,
    LeaseRevoke,
    Put,
)
from chaoskube.models.etcd.state import State
from chaoskube.sim import SECOND

MINUTE = 60 * SECOND


def restarted(state: State) -> State:
    return State(
        Backend.load([state.backend.database()]),
        lease_checkpoint_ns=state.lessor.checkpoint_ns,
        lease_checkpoint_persist=state.lessor.checkpoint_persist,
    )


@pytest.mark.parametrize(
    ("ttl", "granted"), [(-5, MIN_TTL), (0, MIN_TTL), (1, MIN_TTL), (3, 3), (MAX_TTL, MAX_TTL)]
)
def test_a_lease_that_is_too_short_gets_the_shortest_time(ttl: int, granted: int) -> None:
    """As etcd 3.5.1 answers, also to a negative time."""
    assert State().apply(LeaseGrant(ttl=ttl, id=7), 0).response == LeaseGrantResponse(
        revision=1, id=7, ttl=granted
    )


def test_what_cannot_be_granted_is_refused_with_etcds_errors() -> None:
    """A negative id is an id like others; 0 must have been chosen by the member before."""
    state = State()
    state.apply(LeaseGrant(ttl=5, id=-3), 0)

    assert state.apply(LeaseGrant(ttl=5, id=-3), 0).response == LEASE_EXISTS
    assert state.apply(LeaseGrant(ttl=MAX_TTL + 1, id=4), 0).response == LEASE_TTL_TOO_LARGE
    assert state.apply(LeaseGrant(ttl=5, id=0), 0).response == LEASE_NOT_FOUND
    assert state.apply(LeaseRevoke(9), 0).response == LEASE_NOT_FOUND
    assert state.lease_leases() == LeaseLeasesResponse(revision=1, leases=(-3,))


def test_leases_and_their_keys_survive_a_restart_and_their_time_does_not() -> None:
    """The database holds the lease; which keys hang on it is read from the keys."""
    state = State()
    state.lessor.promote(0)
    for request in (LeaseGrant(ttl=60, id=1), Put(key="/a", value="x", lease=1), Put(key="/b", value="x")):
        state.apply(request, 0)
    assert state.lessor.remaining(1, 10 * SECOND) == 50

    again = restarted(state)

    assert again.lessor.remaining(1, 0) is None and not again.lessor.is_primary
    assert [event.kv.key for event in again.apply(LeaseRevoke(1), 0).events] == ["/a"]
    assert restarted(again).lessor.leases == {}


def test_the_time_left_is_cut_off() -> None:
    """Not rounded up (v3_server.go LeaseTimeToLive: a lease of 2 s has 1 at once); below 0 while it is being revoked."""
    lessor = Lessor()
    lessor.promote(0)
    lessor.grant(1, 2, 0)

    assert [lessor.remaining(1, now) for now in (0, 1, SECOND + 1)] == [2, 1, 0]
    assert [lessor.remaining(1, 2 * SECOND + late) for late in (1, SECOND)] == [0, -1]


def test_a_new_leader_gives_every_lease_its_full_time() -> None:
    """Without checkpoints; `extend` comes on top."""
    lessor = Lessor()
    lessor.promote(0)
    lessor.grant(1, 60, 0)
    lessor.demote()
    assert lessor.remaining(1, 0) is None and lessor.expired(100 * MINUTE) == []

    lessor.promote(50 * SECOND, extend=2 * SECOND)

    assert lessor.remaining(1, 50 * SECOND) == 62


def with_checkpoints(*, persist: bool) -> State:
    state = State(lease_checkpoint_ns=5 * MINUTE, lease_checkpoint_persist=persist)
    state.lessor.promote(0)
    state.apply(LeaseGrant(ttl=3_600, id=1), 0)
    state.apply(LeaseGrant(ttl=300, id=2), 0)
    return state


def test_the_leader_notes_the_time_of_long_leases() -> None:
    """Those longer than the interval, each time they have run for it, until little is left (findDueScheduledCheckpoints)."""
    state = with_checkpoints(persist=False)
    assert state.lessor.due_checkpoints(5 * MINUTE - 1) == ()

    noted = state.lessor.due_checkpoints(5 * MINUTE)

    assert noted == ((1, 3_300),) and state.lessor.due_checkpoints(5 * MINUTE) == ()
    applied = state.apply(LeaseCheckpoint(noted), 5 * MINUTE)
    assert applied.response == LeaseCheckpointResponse(revision=1)
    assert state.lessor.due_checkpoints(10 * MINUTE) == ((1, 3_000),)


@pytest.mark.parametrize("persist", [False, True])
def test_a_new_leader_goes_on_from_what_was_noted(persist: bool) -> None:
    """After a restart only where notes are kept in the database (etcd PR 13508)."""
    state = with_checkpoints(persist=persist)
    follower = restarted(state)
    for member in (state, follower):
        member.apply(LeaseCheckpoint(((1, 100), (99, 5))), 0)

    follower.lessor.promote(0)
    again = restarted(follower)
    again.lessor.promote(0)

    assert follower.lessor.remaining(1, 0) == 100
    assert again.lessor.remaining(1, 0) == (100 if persist else 3_600)
    with patched(lease, "seconds_to_run", lambda one: one.ttl):
        follower.lessor.promote(0)
        assert follower.lessor.remaining(1, 0) == 3_600, "the bug is this one function"


def test_a_renewed_lease_needs_its_note_cleared_first() -> None:
    """Else the next leader would take the old note for the time that is left."""
    state = with_checkpoints(persist=True)
    assert not state.lessor.needs_clearing(1)
    state.apply(LeaseCheckpoint(((1, 100),)), 0)
    assert state.lessor.needs_clearing(1)

    state.apply(LeaseCheckpoint(((1, 0),)), 0)
    renewed = state.lessor.renew(1, 7 * SECOND)

    assert renewed is not None and state.lessor.remaining(1, 7 * SECOND) == 3_600
    assert not Lessor().needs_clearing(1)


def test_what_has_run_out_is_never_renewed_and_is_revoked_again_after_a_while() -> None:
    """A revocation may get lost with its leader (expiredLeaseRetryInterval)."""
    lessor = Lessor()
    lessor.promote(0)
    for number in (3, 1, 2):
        lessor.grant(number, 2 + number % 2, 0)

    assert lessor.due(2 * SECOND) == [2] and lessor.expired(2 * SECOND) == [2]
    assert lessor.renew(2, 2 * SECOND) is None
    assert lessor.due(3 * SECOND) == [1, 3]
    assert lessor.due(2 * SECOND + RETRY_NS) == [2]


def test_many_leases_that_would_end_at_once_are_spread() -> None:
    """No second after an election has more to revoke than three quarters of what a second can (lessor.go Promote)."""
    lessor = Lessor()
    for number in range(1, 3 * REVOCATIONS_A_SECOND):
        lessor.grant(number, 10, 0)

    lessor.promote(0)

    ends = [one.expires_at or 0 for one in lessor.leases.values()]
    assert min(ends) == 10 * SECOND and max(ends) > 13 * SECOND
    assert sum(end < 11 * SECOND for end in ends) < REVOCATIONS_A_SECOND
    assert len(lessor.due(60 * SECOND)) == REVOCATIONS_A_SECOND // 2
