"""The arithmetic of rolling updates (pkg/controller/deployment/rolling.go, sync.go)."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.models.controllers.deployment_rolling import (
    bounds,
    is_scaling,
    max_unavailable,
    new_set_target,
    old_set_targets,
    scale_targets,
)
from chaoskube.models.objects import DeploymentStatus, ReplicaSet
from tests.models.controllers.making import deployment, replicaset


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (3, "25%", "25%", (1, 0)),
        (4, 0, "10%", (0, 1)),
        (4, 0, 0, (0, 1)),
        (0, "25%", "25%", (0, 1)),
        (5, 2, 1, (2, 1)),
    ],
)
def test_surge_rounds_up_and_unavailable_down(
    replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]
) -> None:
    """And both zero would never move: then one may be missing."""
    assert bounds(deployment(replicas, surge, unavailable)) == expected


def test_unavailable_is_capped_at_the_replicas() -> None:
    """MaxUnavailable of a Deployment of 2 that allows 5 is 2."""
    assert max_unavailable(deployment(2, 0, 5)) == 2
    assert max_unavailable(deployment(0, 0, 5)) == 0


@pytest.mark.parametrize(
    ("old", "new", "target"), [(3, 0, 1), (3, 1, 1), (2, 1, 2), (0, 1, 3), (4, 0, 0), (0, 5, 3)]
)
def test_the_new_set_grows_into_what_the_surge_leaves(old: int, new: int, target: int) -> None:
    """R=3, surge 1: the total of spec.replicas stays within 4."""
    sets = [replicaset("old", old), replicaset("new", new, image="v2")]

    assert new_set_target(deployment(3, 1, 0, image="v2"), sets, sets[1]) == target


def sizes(steps: tuple[tuple[ReplicaSet, int], ...]) -> list[tuple[str, int]]:
    """Steps by name."""
    return [(each.name, size) for each, size in steps]


def test_old_pods_go_only_as_far_as_available_ones_allow() -> None:
    """R=3, unavailable 0: with 4 available one may go, with 3 none."""
    wanted = deployment(3, 1, 0, image="v2")
    old = replicaset("old", 3, 3)

    assert sizes(old_set_targets(wanted, [old], replicaset("new", 1, 1))) == [("old", 2)]
    assert old_set_targets(wanted, [old], replicaset("new", 1, 0)) == ()


def test_unhealthy_old_replicas_go_first_oldest_first() -> None:
    """They serve nobody; the surplus of available ones follows."""
    wanted = deployment(10, 3, 2, image="v2")
    oldest = replicaset("a", 4, 1, created=1)
    older = replicaset("b", 6, 6, created=2)

    steps = old_set_targets(wanted, [older, oldest], replicaset("new", 3, 3))

    # room = 13 - 8 - 0 = 5: 3 unhealthy of a, then 10 available - 8 = 2: 1 of a, 1 of b
    assert sizes(steps) == [("a", 1), ("a", 0), ("b", 5)]


def test_no_room_means_no_step_even_for_unhealthy_ones() -> None:
    """New pods that aren't available yet use up the room."""
    wanted = deployment(3, 1, 0, image="v2")

    assert old_set_targets(wanted, [replicaset("old", 3, 2)], replicaset("new", 1, 0)) == ()


def test_a_cut_that_was_not_counted_yet_is_not_made_twice() -> None:
    """An old set that says 3 available of 2 wanted: its status is older than its spec, so nothing is cut.

    By the sums alone one more could go: 5 available - 3. (cleanupUnhealthyReplicas gives up on such a set.)
    """
    wanted = deployment(4, 1, 1, image="v2")
    new = replicaset("new", 2, 2)

    assert old_set_targets(wanted, [replicaset("old", 2, 3)], new) == ()
    assert sizes(old_set_targets(wanted, [replicaset("old", 2, 2)], new)) == [("old", 1)]


def test_what_was_cut_before_an_uncounted_set_stays_cut() -> None:
    """Older sets come first; the newer one's stale status ends the step."""
    wanted = deployment(6, 2, 2, image="v2")
    sick, stale = replicaset("a", 2, 0, created=1), replicaset("b", 2, 4, created=2)

    assert sizes(old_set_targets(wanted, [stale, sick], replicaset("new", 4, 4))) == [("a", 0)]


def annotated(
    name: str, size: int, *, created: int, desired: int, most: int, available: int = 0
) -> ReplicaSet:
    """A ReplicaSet that remembers what it was a share of."""
    return replicaset(
        name,
        size,
        available,
        created=created,
        annotations={
            "deployment.kubernetes.io/desired-replicas": str(desired),
            "deployment.kubernetes.io/max-replicas": str(most),
        },
    )


def test_a_change_of_replicas_is_seen_by_the_annotation() -> None:
    """isScalingEvent looks at active ReplicaSets only."""
    sets = [annotated("old", 3, created=1, desired=3, most=4)]

    assert not is_scaling(deployment(3), sets)
    assert is_scaling(deployment(5), sets)
    assert not is_scaling(deployment(5), [annotated("old", 0, created=1, desired=3, most=4)])


def test_one_active_set_takes_all() -> None:
    """And the latest does when none is active."""
    only = annotated("only", 3, created=1, desired=3, most=4)

    assert sizes(scale_targets(deployment(5), [], only)) == [("only", 5)]
    idle = annotated("idle", 0, created=1, desired=0, most=0)
    assert sizes(scale_targets(deployment(5), [idle], None)) == [("idle", 5)]


def test_several_active_sets_share_in_proportion() -> None:
    """The documentation's example: 10 replicas mid-rollout as 8 and 5, scaled to 15, become 11 and 7."""
    wanted = deployment(15, 3, 2)
    old = annotated("old", 8, created=1, desired=10, most=13)
    new = annotated("new", 5, created=2, desired=10, most=13)

    assert sizes(scale_targets(wanted, [old], new)) == [("old", 11), ("new", 7)]


def test_down_to_zero_takes_everything() -> None:
    """R=0: no surge either."""
    old = annotated("old", 2, created=1, desired=3, most=4)
    new = annotated("new", 2, created=2, desired=3, most=4)

    assert sizes(scale_targets(deployment(0), [old], new)) == [("old", 0), ("new", 0)]


def test_the_leftover_goes_to_the_largest_and_ties_to_the_newer_when_growing() -> None:
    """Rounding must not lose or invent a replica."""
    wanted = deployment(5, 1, 0)
    old = annotated("old", 2, created=1, desired=3, most=4)
    new = annotated("new", 2, created=2, desired=3, most=4)

    steps = scale_targets(wanted, [old], new)

    assert sizes(steps) == [("new", 3), ("old", 3)]
    assert sum(size for _, size in steps) == 6


def test_a_saturated_new_set_sends_the_old_ones_to_zero() -> None:
    """An adopted old ReplicaSet beside a finished rollout."""
    new = annotated("new", 3, created=2, desired=3, most=4, available=3)

    steps = scale_targets(deployment(3), [annotated("old", 1, created=1, desired=3, most=4)], new)

    assert sizes(steps) == [("old", 0)]


def test_without_the_annotation_the_status_is_the_base() -> None:
    """getReplicaSetFraction falls back to status.replicas."""
    wanted = evolve(deployment(8, 0, 1), status=DeploymentStatus(replicas=4))

    steps = scale_targets(wanted, [replicaset("old", 2)], replicaset("new", 2, created=1))

    assert sizes(steps) == [("new", 4), ("old", 4)]
