"""Mutants of what only one may be or do."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.client.election import Election
from chaoskube.models.client.leader_election import LeaderElector
from chaoskube.scenarios.bugs.apiserver_stale_list_time_travel import apiserver_stale_list_time_travel
from tests.quality.mutant import mutant


@mutant("a-pod-runs-in-one-place", scenario="stateful-failover")
def the_past_is_believed() -> Iterator[None]:
    """The planted bug apiserver-stale-list-time-travel: who begins lists from any cache, however old."""
    with apiserver_stale_list_time_travel.patch():
        yield


@mutant("who-does-not-lead-writes-nothing", scenario="leader-election")
def work_outlives_the_lease() -> Iterator[None]:
    """Whoever has lost its lease goes on."""
    with patched(LeaderElector, "stop_leading", lambda self: None):
        yield


@mutant("a-lease-is-not-taken-while-it-runs", scenario="rolling-update")
def any_lease_may_be_taken() -> Iterator[None]:
    """A candidate doesn't look whether the lease still runs."""
    with patched(Election, "may_take", lambda self, now: True):
        yield
