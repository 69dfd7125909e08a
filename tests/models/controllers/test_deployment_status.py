"""A Deployment's conditions (pkg/controller/deployment/progress.go, util/deployment_util.go)."""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.controllers.deployment_status import (
    condition,
    condition_of,
    counted_status,
    pause_condition,
    progress_check_delay,
    rollout_status,
    with_condition,
)
from chaoskube.models.objects import Deployment, DeploymentStatus, ReplicaSet
from chaoskube.sim import SECOND
from tests.models.controllers.making import deployment, replicaset

NOW = 1000 * SECOND


def rolled(wanted: Deployment, sets: list[ReplicaSet], at: int = NOW) -> Deployment:
    """The Deployment after a sync of its status; the last set is the new one."""
    return evolve(wanted, status=rollout_status(wanted, sets, sets[-1], at))


def reasons(wanted: Deployment) -> list[tuple[str, str, str | None]]:
    """The conditions, in order."""
    return [(each.type, each.status, each.reason) for each in wanted.status.conditions]


def test_a_rollout_goes_from_progressing_to_available() -> None:
    """The order and reasons are those of the recording deploy-create-3."""
    made = condition("Progressing", "True", "NewReplicaSetCreated", "...", NOW)
    start = deployment(3, status=DeploymentStatus(conditions=(made,)))

    first = rolled(start, [replicaset("new", 3, 0, replicas=0, observed=0, terminating=None)])
    second = rolled(first, [replicaset("new", 3, 0)])
    last = rolled(second, [replicaset("new", 3, 3)])

    assert reasons(first) == [
        ("Progressing", "True", "NewReplicaSetCreated"),
        ("Available", "False", "MinimumReplicasUnavailable"),
    ]
    assert (first.status.unavailable_replicas, first.status.terminating_replicas) == (3, 0)
    assert reasons(second) == [
        ("Available", "False", "MinimumReplicasUnavailable"),
        ("Progressing", "True", "ReplicaSetUpdated"),
    ]
    assert reasons(last) == [
        ("Available", "True", "MinimumReplicasAvailable"),
        ("Progressing", "True", "NewReplicaSetAvailable"),
    ]
    progressing = condition_of(last.status, "Progressing")
    assert progressing is not None
    assert progressing.message == 'ReplicaSet "new" has successfully progressed.'


def test_a_pod_lost_after_the_rollout_is_no_progress_event() -> None:
    """Once complete, only Available changes (recording deploy-pod-deleted)."""
    complete = rolled(deployment(3), [replicaset("new", 3, 3)])

    lost = rolled(complete, [replicaset("new", 3, 2, replicas=2, terminating=1)])

    assert reasons(lost) == [
        ("Progressing", "True", "NewReplicaSetAvailable"),
        ("Available", "False", "MinimumReplicasUnavailable"),
    ]
    assert lost.status.terminating_replicas == 1


def test_no_progress_within_the_deadline_is_said_and_nothing_rolled_back() -> None:
    """lastUpdateTime + progressDeadlineSeconds < now, and it stays until there is progress."""
    stuck = rolled(deployment(3, deadline=10), [replicaset("new", 3, 1)])

    in_time = rolled(stuck, [replicaset("new", 3, 1)], NOW + 10 * SECOND)
    late = rolled(stuck, [replicaset("new", 3, 1)], NOW + 11 * SECOND)
    better = rolled(late, [replicaset("new", 3, 2)], NOW + 12 * SECOND)

    assert reasons(in_time) == reasons(stuck)
    assert reasons(late)[-1] == ("Progressing", "False", "ProgressDeadlineExceeded")
    assert reasons(better)[-1] == ("Progressing", "True", "ReplicaSetUpdated")


def test_progress_moves_the_update_time_and_keeps_the_transition() -> None:
    """The deadline starts anew with each step forward."""
    one = rolled(deployment(3), [replicaset("new", 3, 1)])
    two = rolled(one, [replicaset("new", 3, 2)], NOW + 5 * SECOND)

    progressing = condition_of(two.status, "Progressing")
    assert progressing is not None
    assert progressing.last_update_time == NOW + 5 * SECOND
    assert progressing.last_transition_time == NOW


def test_a_condition_of_equal_status_and_reason_is_not_touched() -> None:
    """SetDeploymentCondition: no write for nothing new, and no change of order."""
    status = DeploymentStatus(
        conditions=(
            condition("Available", "True", "a", "x", NOW),
            condition("Progressing", "True", "b", "x", NOW),
        )
    )

    same = with_condition(status, condition("Available", "True", "a", "other", NOW + SECOND))

    assert same is status


def test_pausing_and_resuming_is_written_once_each() -> None:
    """And not over a deadline that was exceeded."""
    paused = deployment(3, paused=True)
    found = pause_condition(paused, NOW)
    assert found is not None and (found.status, found.reason) == ("Unknown", "DeploymentPaused")
    said = evolve(paused, status=with_condition(paused.status, found))
    assert pause_condition(said, NOW) is None

    resumed = pause_condition(evolve(said, spec=evolve(said.spec, paused=False)), NOW)

    assert resumed is not None and resumed.reason == "DeploymentResumed"


def test_an_unsynced_sets_terminating_pods_are_unknown_only_if_it_was_observed() -> None:
    """A controller that doesn't count them makes the sum unknown."""
    wanted = deployment(3)

    unknown = counted_status(wanted, [replicaset("a", 3, terminating=None)], None, NOW)
    fresh = counted_status(wanted, [replicaset("a", 3, terminating=None, observed=0)], None, NOW)

    assert unknown.terminating_replicas is None
    assert fresh.terminating_replicas == 0


def test_a_stuck_rollout_is_looked_at_when_its_deadline_has_passed() -> None:
    """One second later than the deadline; at once when less than a second is left."""
    stuck = rolled(deployment(3, deadline=10), [replicaset("new", 3, 1)])

    assert progress_check_delay(stuck, stuck.status, NOW) == 11 * SECOND
    assert progress_check_delay(stuck, stuck.status, NOW + 10 * SECOND) == 0
    done = rolled(deployment(3), [replicaset("new", 3, 3)])
    assert progress_check_delay(done, done.status, NOW) is None
