"""Mutants that are safe and of no use: leaders that don't last, and writes that don't complete."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.raft import election
from chaoskube.models.raft.tracker import ProgressTracker
from tests.quality.mutant import mutant


@mutant("a-whole-majority-keeps-its-leader", scenario="etcd-register")
def candidates_are_always_heard() -> Iterator[None]:
    """A member that hears its leader gives its vote to others all the same."""
    with patched(election, "is_in_lease", lambda raft: False):
        yield


@mutant("a-whole-majority-writes", scenario="etcd-register")
def a_majority_is_everybody() -> Iterator[None]:
    """A leader takes for committed only what every voter holds."""

    def held_by_all(self: ProgressTracker) -> int:
        return min(self.progress[voter].match for voter in self.voter_nodes)

    with patched(ProgressTracker, "committed", held_by_all):
        yield
