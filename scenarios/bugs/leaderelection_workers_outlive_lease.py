"""leaderelection-workers-outlive-lease: the lease is lost, and what works under it is not stopped."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.client.leader_election import LeaderElector


@bug(
    "leaderelection-workers-outlive-lease",
    cites="kubernetes/kubernetes issue 65257; kyverno/kyverno pull request 14984",
    invariants=("who-does-not-lead-writes-nothing",),
    scenario="leader-election",
    needs=(
        "pause",
        "partition",
        "steer",
        "crash",
        "crash-host",
        "crash-renaming",
        "slow-disk",
        "slow-link",
        "lose",
        "lose-answer",
        "full-disk",
        "bit-rot",
        "clock-jump",
        "clock-drift",
        "clock-offset",
    ),
)
def leaderelection_workers_outlive_lease() -> Iterator[None]:
    """Workers whose lease is gone go on and write, though another leader acts already."""
    with patched(LeaderElector, "stop_leading", lambda self: None):
        yield
