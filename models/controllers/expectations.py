"""What a controller waits to see in its cache before it counts again.

`Expectations` counts the creations and deletions that were asked for and have not been observed; setting
them overwrites what stood. A deletion counts once per pod: seeing it marked for deletion is enough, the
later DELETE doesn't count again. Expectations that are not met after five minutes are given up.

`CountingExpectations` is the older kind, for controllers whose pods have names of their own making (DaemonSet, Job): it counts
deletions like creations, and may be raised while it stands.

`ConsistencyGuard` (1.36) keeps, for each owner, the newest version that this controller's own writes got;
a cache that is older must not be read. Both are pure and live in memory: a restart forgets them.

Sources: pkg/controller/controller_utils.go (ControllerExpectations, UIDTrackingControllerExpectations),
pkg/controller/util/consistency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chaoskube.models.constants import EXPECTATIONS_TIMEOUT
from chaoskube.sim import reached


class _Expected:
    __slots__ = ("creations", "deletions", "since")

    def __init__(self, creations: int, deletions: dict[str, None], since: int) -> None:
        self.creations = creations
        self.deletions = deletions
        self.since = since


class Expectations:
    """By owner key: how many creations, and which deletions, are still to be seen."""

    def __init__(self) -> None:
        self._expected: dict[str, _Expected] = {}

    def expect_creations(self, key: str, count: int, now: int) -> None:
        """From now on, `count` creations and nothing else."""
        self._expected[key] = _Expected(count, {}, now)

    def expect_deletions(self, key: str, pods: Iterable[str], now: int) -> None:
        """From now on, these pods' deletions and nothing else."""
        self._expected[key] = _Expected(0, dict.fromkeys(pods), now)

    def creation_observed(self, key: str, count: int = 1) -> None:
        """`count` creations were seen, or will never be."""
        expected = self._expected.get(key)
        if expected is not None:
            expected.creations -= count

    def deletion_observed(self, key: str, pod: str) -> None:
        """`pod` was seen to go, or will not."""
        expected = self._expected.get(key)
        if expected is not None:
            expected.deletions.pop(pod, None)

    def creations_left(self, key: str) -> int:
        """Creations not yet seen."""
        expected = self._expected.get(key)
        return max(0, expected.creations) if expected is not None else 0

    def is_satisfied(self, key: str, now: int) -> bool:
        """Everything was seen, nothing is expected, or it took too long."""
        expected = self._expected.get(key)
        if expected is None or (expected.creations <= 0 and not expected.deletions):
            return True
        if now - expected.since > EXPECTATIONS_TIMEOUT:
            reached("expectations expired")
            return True
        return False

    def forget(self, key: str) -> None:
        """The owner is gone."""
        self._expected.pop(key, None)


class CountingExpectations:
    """By owner key: how many creations and deletions are still to be seen; which ones doesn't matter."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[int, int, int]] = {}

    def expect(self, key: str, *, creations: int = 0, deletions: int = 0, now: int) -> None:
        """From now on so many of each, and nothing else."""
        self._left[key] = (creations, deletions, now)

    def raise_by(self, key: str, *, creations: int = 0, deletions: int = 0) -> None:
        """So many more; the time stays."""
        self._change(key, creations, deletions)

    def creation_observed(self, key: str, count: int = 1) -> None:
        """`count` creations were seen, or will never be."""
        self._change(key, -count, 0)

    def deletion_observed(self, key: str, count: int = 1) -> None:
        """`count` deletions were seen, or will never be."""
        self._change(key, 0, -count)

    def is_satisfied(self, key: str, now: int) -> bool:
        """Everything was seen, nothing is expected, or it took too long."""
        left = self._left.get(key)
        if left is None or (left[0] <= 0 and left[1] <= 0):
            return True
        return now - left[2] > EXPECTATIONS_TIMEOUT

    def forget(self, key: str) -> None:
        """The owner is gone."""
        self._left.pop(key, None)

    def _change(self, key: str, creations: int, deletions: int) -> None:
        left = self._left.get(key)
        if left is not None:
            self._left[key] = (left[0] + creations, left[1] + deletions, left[2])


class ConsistencyGuard:
    """By owner key and resource: the version that a cache must have reached. Off, it asks for nothing (before 1.36)."""

    def __init__(self, *, is_on: bool = True) -> None:
        self._is_on = is_on
        self._written: dict[str, dict[str, int]] = {}

    def wrote(self, key: str, resource: str, resource_version: str) -> None:
        """A write for this owner was answered with `resource_version`."""
        if resource_version and self._is_on:
            versions = self._written.setdefault(key, {})
            versions[resource] = max(versions.get(resource, 0), int(resource_version))

    def behind(self, key: str, revisions: Mapping[str, int]) -> str:
        """The first resource whose cache is older than our own writes; "" when all may be read."""
        for resource, version in self._written.get(key, {}).items():
            if revisions.get(resource, 0) < version:
                return resource
        return ""

    def forget(self, key: str) -> None:
        """The owner is gone."""
        self._written.pop(key, None)
