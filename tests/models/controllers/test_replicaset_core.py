"""A ReplicaSet's choices: victims, batches, status (pkg/controller/controller_utils.go, replicaset)."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.models.controllers.replicaset_core import (
    active_pods,
    choose_victims,
    compare_victims,
    new_status,
    slow_start_batches,
    terminating_pods,
)
from chaoskube.models.objects import Pod
from chaoskube.models.objects.pod_status import ContainerStatus
from chaoskube.sim import SECOND
from tests.models.controllers.making import pod, replicaset

NOW = 100_000 * SECOND
READY = pod("ready", ready=True, ready_at=10)


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (pod("x", node="", phase="Pending"), "unassigned before assigned"),
        (pod("x", phase="Pending"), "Pending before Running"),
        (pod("x", phase="Unknown", ready=True, ready_at=10), "Unknown before Running"),
        (pod("x"), "not ready before ready"),
        (
            pod("x", ready=True, annotations={"controller.kubernetes.io/pod-deletion-cost": "-5"}),
            "lower deletion cost first",
        ),
        (pod("x", ready=True, ready_at=90_000), "ready for a shorter time first"),
        (pod("x", ready=True, ready_at=10, created=90_000), "created more recently first"),
    ],
)
def test_the_lower_rank_goes_first(first: Pod, why: str) -> None:
    """Each rule of ActivePodsWithRanks decides when those above it are equal."""
    for pods in ((first, READY), (READY, first)):
        assert choose_victims(pods, 1, {}, NOW) == (first,), why


def test_more_siblings_on_its_node_goes_first() -> None:
    """Rule 5: pods are taken from where the related ReplicaSets have most."""
    crowded = pod("a", ready=True, ready_at=10, node="node-2")

    victims = choose_victims((READY, crowded), 1, {"node-1": 1, "node-2": 2}, NOW)

    assert victims == (crowded,)


def test_more_restarts_goes_first() -> None:
    """Rule 7: the pod that failed more often is the lesser loss."""
    restarted = evolve(
        pod("a", ready=True, ready_at=10),
        status=evolve(READY.status, container_statuses=(ContainerStatus(name="app", restart_count=2),)),
    )

    assert choose_victims((READY, restarted), 1, {}, NOW) == (restarted,)


def test_ages_of_one_magnitude_are_decided_by_uid_and_equal_times_are_not() -> None:
    """LogarithmicScaleDown: within one log2 bucket the lower uid goes; equal times fall through."""
    older = pod("b", ready=True, ready_at=1000)
    younger = pod("c", ready=True, ready_at=1010)

    assert choose_victims((younger, older), 1, {}, NOW) == (older,)
    same = pod("c", ready=True, ready_at=1000, created=90_000)
    assert choose_victims((older, same), 1, {}, NOW) == (same,)


def test_deleting_all_needs_no_order() -> None:
    """When everything goes, nothing is sorted."""
    assert choose_victims((READY, pod("a")), 2, {}, NOW) == (READY, pod("a"))


@pytest.mark.parametrize(
    ("count", "batches"), [(0, ()), (1, (1,)), (2, (1, 1)), (3, (1, 2)), (10, (1, 2, 4, 3))]
)
def test_creation_starts_slowly(count: int, batches: tuple[int, ...]) -> None:
    """1, 2, 4, ...: a template that can't be created is found out with one request."""
    assert slow_start_batches(count) == batches


def test_a_pod_told_to_go_is_not_active_and_still_terminating_until_it_ends() -> None:
    """Its replacement starts at once; terminatingReplicas counts it until it has finished."""
    going, gone = pod("a", deleting=True), pod("b", deleting=True, phase="Succeeded")

    assert active_pods((READY, going, gone, pod("c", phase="Failed"))) == (READY,)
    assert terminating_pods((READY, going, gone)) == (going,)


def test_status_counts_ready_and_available_apart() -> None:
    """Available means ready for minReadySeconds, by this controller's clock."""
    wanted = replicaset(size=3)
    wanted = evolve(wanted, spec=evolve(wanted.spec, min_ready_seconds=30))
    pods = (pod("a", ready=True, ready_at=60), pod("b", ready=True, ready_at=80), pod("c"))

    status = new_status(wanted, pods, 2, "", 100 * SECOND, 100 * SECOND)

    assert (status.replicas, status.ready_replicas, status.available_replicas) == (3, 2, 1)
    assert (status.fully_labeled_replicas, status.terminating_replicas) == (3, 2)


def test_a_failed_create_is_a_condition_and_goes_with_the_next_success() -> None:
    """ReplicaFailure is set once and taken away when nothing failed."""
    wanted = replicaset(size=3)

    failed = new_status(wanted, (), 0, "quota", NOW, NOW)
    healed = new_status(evolve(wanted, status=failed), (), 0, "", NOW, NOW)

    assert [(each.type, each.reason, each.message) for each in failed.conditions] == [
        ("ReplicaFailure", "FailedCreate", "quota")
    ]
    assert healed.conditions == ()


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("-5", -5),
        ("0", 0),
        ("12", 12),
        ("+1", 0),
        ("01", 0),
        ("1_0", 0),
        (" 7", 0),
        ("2147483648", 0),
        ("x", 0),
    ],
)
def test_a_deletion_cost_that_is_none_counts_as_zero(text: str, cost: int) -> None:
    """GetDeletionCostFromPodAnnotations: as the controller reads it, 32 bits, no plus, no leading zeros."""
    key = "controller.kubernetes.io/pod-deletion-cost"
    below, above = (pod(name, annotations={key: str(cost + step)}) for name, step in (("b", -1), ("c", 1)))
    asked = pod("a", annotations={key: text})

    assert compare_victims(below, asked, 0, 0, 10**18) < 0 < compare_victims(above, asked, 0, 0, 10**18)
