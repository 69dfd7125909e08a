"""Mutants of what only one may be or do."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.election import Election
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.leader_election import LeaderElector
from chaoskube.models.node import kubelet
from tests.quality.mutant import mutant


@mutant("a-pod-runs-in-one-place", scenario="rolling-update")
def kubelets_watch_all_pods() -> Iterator[None]:
    """A kubelet's watch does not say which node's pods it wants."""

    def unselected(client: ApiClient, resource: str, *, field_selector: str = "") -> Informer:
        return Informer(client, resource, field_selector="" if resource == "pods" else field_selector)

    with patched(kubelet, "Informer", unselected):
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
