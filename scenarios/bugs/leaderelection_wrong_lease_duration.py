"""leaderelection-wrong-lease-duration: a candidate judges the holder's lease by the duration that it would write itself."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.client.election import Election


def _by_its_own_duration(self: Election, now: int) -> bool:
    return self.observed_at + self.options.lease_duration_ns > now


@bug(
    "leaderelection-wrong-lease-duration",
    cites="kubernetes/client-go commit b4217e149",
    invariants=("a-lease-is-not-taken-while-it-runs",),
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
def leaderelection_wrong_lease_duration() -> Iterator[None]:
    """A candidate configured with a shorter lease takes one that still runs, because its holder wrote a longer one."""
    with patched(Election, "is_valid", _by_its_own_duration):
        yield
