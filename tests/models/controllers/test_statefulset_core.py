"""The order in which a StatefulSet's pods come, go and change (stateful_set_control.go)."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.models.controllers.statefulset_core import (
    Step,
    completed,
    condemned_step,
    is_status_old,
    lay_out,
    needs_claims,
    needs_current,
    new_status,
    replica_step,
    update_target,
)
from chaoskube.models.controllers.statefulset_identity import revision_of
from chaoskube.models.objects import Pod, StatefulSet, StatefulSetStatus
from tests.models.controllers.stateful_making import NOW, member, revisions_of, stateful_set

SET = stateful_set()
NEWER = stateful_set(image="v2")
REVISIONS = revisions_of(SET, NEWER)
OLD, NEW = REVISIONS.current.name, REVISIONS.update.name
PARALLEL = stateful_set(policy="Parallel")


def test_missing_numbers_are_filled_and_others_are_condemned_from_the_top() -> None:
    """Holes first: a pod in the middle is made before the set goes on."""
    pods = [member(SET, 7), member(SET, 0), member(SET, 4), member(SET, 2)]
    layout = lay_out(SET, pods, REVISIONS, NOW)

    assert [pod.name for pod in layout.replicas] == ["db-0", "db-1", "db-2"]
    assert [pod.name for pod in layout.condemned] == ["db-7", "db-4"]
    assert layout.first_unavailable is layout.replicas[1]


def test_the_first_unavailable_is_the_lowest_replica_and_then_the_lowest_condemned() -> None:
    """It is the only broken one that a scale-down may delete."""
    pods = [member(SET, n) for n in range(3)] + [member(SET, 3, ready=False), member(SET, 4, ready=False)]

    assert lay_out(SET, pods, REVISIONS, NOW).first_unavailable is pods[3]
    assert lay_out(SET, pods[:3], REVISIONS, NOW).first_unavailable is None


@pytest.mark.parametrize(
    ("statefulset", "current"),
    [
        (stateful_set(partition=2), [True, True, False]),
        (stateful_set(partition=0), [False, False, False]),
        (
            stateful_set(partition=None, status=StatefulSetStatus(current_replicas=1)),
            [True, False, False],
        ),
        (
            stateful_set(partition=None, strategy="OnDelete", status=StatefulSetStatus(current_replicas=3)),
            [False, False, False],
        ),
    ],
)
def test_a_new_pod_is_of_the_revision_that_its_number_is_to_have(
    statefulset: StatefulSet, current: list[bool]
) -> None:
    """sts-partition: pods below the partition come back as they were."""
    assert [needs_current(statefulset, ordinal) for ordinal in range(3)] == current
    made = lay_out(statefulset, (), REVISIONS, NOW).replicas
    assert [revision_of(pod) for pod in made] == [OLD if kept else NEW for kept in current]
    assert [pod.spec.containers[0].image for pod in made] == ["v1" if kept else "v2" for kept in current]


@pytest.mark.parametrize(
    ("pod", "ordered", "parallel"),
    [
        (lay_out(SET, (), REVISIONS, NOW).replicas[0], Step.CREATE, Step.CREATE),
        (member(SET, 0), Step.CHECK, Step.CHECK),
        (member(SET, 0, ready=False), Step.WAIT, Step.CHECK),
        (member(SET, 0, phase="Pending", ready=False), Step.WAIT, Step.CHECK),
        (member(SET, 0, going=True), Step.WAIT, Step.CHECK),
        (member(SET, 0, phase="Failed"), Step.REPLACE, Step.REPLACE),
        (member(SET, 0, phase="Succeeded"), Step.REPLACE, Step.REPLACE),
        (member(SET, 0, phase="Failed", going=True), Step.WAIT, Step.WAIT),
    ],
)
def test_a_pod_that_still_is_there_is_never_made_again(pod: Pod, ordered: Step, parallel: Step) -> None:
    """At most one: told to go, ended or silent, it keeps its name until it is gone from the API."""
    assert replica_step(SET, pod, NOW) is ordered
    assert replica_step(PARALLEL, pod, NOW) is parallel


def test_ready_for_too_short_a_time_is_not_available() -> None:
    """minReadySeconds gates everything."""
    slow = stateful_set(min_ready_seconds=2000)

    assert replica_step(slow, member(slow, 0), NOW) is Step.WAIT
    assert lay_out(slow, [member(slow, 0)], REVISIONS, NOW).first_unavailable is not None
    assert needs_claims(member(SET, 0, phase="Pending")) and not needs_claims(member(SET, 0))


def test_two_broken_condemned_pods_hold_a_scale_down_up() -> None:
    """sts-scale-down-unready: only the first unavailable one may go."""
    well, broken, other = member(SET, 5), member(SET, 4, ready=False), member(SET, 3, ready=False)

    assert condemned_step(SET, well, broken, NOW) is Step.DELETE
    assert condemned_step(SET, broken, broken, NOW) is Step.DELETE
    assert condemned_step(SET, other, broken, NOW) is Step.WAIT
    assert condemned_step(PARALLEL, other, broken, NOW) is Step.DELETE
    assert condemned_step(SET, member(SET, 5, going=True), None, NOW) is Step.WAIT
    assert condemned_step(PARALLEL, member(SET, 5, going=True), None, NOW) is Step.PASS


def pods_at(*revisions: str) -> list[Pod]:
    """Pods from number 0 on, of these revisions."""
    return [member(SET, number, revision=revision) for number, revision in enumerate(revisions)]


def test_updates_go_from_the_top_down_to_the_partition() -> None:
    """One at a time: the one before must be back and available."""
    assert update_target(SET, pods_at(OLD, OLD, OLD), REVISIONS, NOW) == pods_at(OLD, OLD, OLD)[2]
    half = pods_at(OLD, OLD, NEW)
    assert update_target(SET, half, REVISIONS, NOW) is half[1]
    broken = [*half[:2], member(SET, 2, revision=NEW, ready=False)]
    assert update_target(SET, broken, REVISIONS, NOW) is None
    assert update_target(SET, pods_at(NEW, NEW, NEW), REVISIONS, NOW) is None
    assert update_target(stateful_set(partition=2), pods_at(OLD, OLD, NEW), REVISIONS, NOW) is None
    assert update_target(stateful_set(strategy="OnDelete"), pods_at(OLD, OLD, OLD), REVISIONS, NOW) is None


def test_an_old_pod_that_goes_already_is_waited_for() -> None:
    """sts-broken-update: nothing else is deleted meanwhile."""
    pods = [*pods_at(OLD, OLD), member(SET, 2, revision=OLD, going=True)]

    assert update_target(SET, pods, REVISIONS, NOW) is None


def test_the_status_counts_what_exists() -> None:
    """A pod that was only just asked for counts in the next round; one that goes counts as a replica alone."""
    layout = lay_out(SET, [member(SET, 0, revision=OLD), member(SET, 1, going=True)], REVISIONS, NOW)
    status = new_status(SET, layout.replicas, REVISIONS, NOW)

    assert (status.replicas, status.ready_replicas, status.available_replicas) == (2, 2, 2)
    assert (status.current_replicas, status.updated_replicas) == (1, 0)
    assert (status.current_revision, status.update_revision, status.collision_count) == (OLD, NEW, 0)


def test_an_update_is_through_when_every_pod_is_new_and_ready() -> None:
    """Not with a partition, which holds pods back."""
    done = new_status(SET, pods_at(NEW, NEW, NEW), REVISIONS, NOW)

    assert completed(SET, done).current_revision == NEW
    assert completed(SET, done).current_replicas == 3
    assert completed(SET, new_status(SET, pods_at(OLD, NEW, NEW), REVISIONS, NOW)).current_revision == OLD
    assert completed(stateful_set(strategy="OnDelete"), done).current_revision == OLD


def test_a_status_that_says_nothing_new_is_not_written() -> None:
    """A newer generation is something new."""
    status = new_status(SET, pods_at(OLD), REVISIONS, NOW)
    known = evolve(SET, status=status)

    assert is_status_old(SET, status)
    assert not is_status_old(known, status)
    assert not is_status_old(known, evolve(status, collision_count=9))
    assert is_status_old(known, evolve(status, observed_generation=2))
