"""Mutants that are safe and of no use: leaders that don't last, and writes that don't complete."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.raft.tracker import ProgressTracker
from tests.quality.mutant import mutant


@mutant("a-whole-majority-keeps-its-leader", scenario="etcd-register")
def a_quorum_is_everybody() -> Iterator[None]:
    """A leader steps down unless it hears every voter."""

    def hears_all(self: ProgressTracker) -> bool:
        return all(self.progress[voter].is_recently_active for voter in self.voter_nodes)

    with patched(ProgressTracker, "quorum_active", hears_all):
        yield


@mutant("a-whole-majority-writes", scenario="etcd-register")
def a_majority_is_everybody() -> Iterator[None]:
    """A leader takes for committed only what every voter holds."""

    def held_by_all(self: ProgressTracker) -> int:
        return min(self.progress[voter].match for voter in self.voter_nodes)

    with patched(ProgressTracker, "committed", held_by_all):
        yield


@mutant("a-leader-without-a-quorum-steps-down", scenario="etcd-register")
def leaders_ask_nobody() -> Iterator[None]:
    """A leader doesn't look whether it is still heard."""
    with patched(ProgressTracker, "quorum_active", lambda self: True):
        yield
