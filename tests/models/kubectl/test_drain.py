"""Emptying a node: which pods stand in the way, what is retried, what is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve

from chaoskube.models.kubectl import CommandFailed, Target
from chaoskube.models.kubectl.create import create, run
from chaoskube.models.kubectl.drain import drain
from chaoskube.models.kubectl.drain_filters import (
    DAEMON_SET,
    EVERYTHING,
    LOCAL_STORAGE,
    MIRROR,
    UNMANAGED,
    DrainOptions,
    judge,
    problems,
)
from chaoskube.models.kubectl.patch import patch
from chaoskube.models.kubectl.scale import scale
from chaoskube.models.objects import ObjectMeta, OwnerReference, Pod, PodStatus, decode, freeze
from chaoskube.models.objects.frozen import Tree
from chaoskube.sim import SECOND
from tests.models.controllers.plane import deployment_tree

from .bench import WEB, Bench

BUDGET: Tree = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "b", "namespace": "default"},
    "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
}


def pod(owner: str = "", **more: Any) -> Pod:
    """A pod of a controller of this kind."""
    owners = (OwnerReference(api_version="apps/v1", kind=owner, name="o", uid="u", controller=True),)
    metadata = ObjectMeta(name="p", namespace="ns", owner_references=owners if owner else ())
    return evolve(Pod(metadata=metadata), **more)


def with_empty_dir(made: Pod) -> Pod:
    """The same with a volume of its node."""
    tree: Tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [], "volumes": [{"name": "v", "emptyDir": {}}]},
    }
    decoded = decode(tree)
    assert isinstance(decoded, Pod), "as its kind says"
    return evolve(made, spec=decoded.spec)


DONE = PodStatus(phase="Succeeded")


@pytest.mark.parametrize(
    ("made", "options", "takes", "error"),
    [
        (pod("ReplicaSet"), DrainOptions(), True, ""),
        (pod(), DrainOptions(), False, UNMANAGED),
        (pod(), DrainOptions(force=True), True, ""),
        (pod(status=DONE), DrainOptions(), True, ""),
        (pod("DaemonSet"), DrainOptions(), False, DAEMON_SET),
        (pod("DaemonSet"), DrainOptions(ignore_daemonsets=True), False, ""),
        (pod("DaemonSet", status=DONE), DrainOptions(), True, ""),
        (with_empty_dir(pod("ReplicaSet")), DrainOptions(), False, LOCAL_STORAGE),
        (with_empty_dir(pod("ReplicaSet")), DrainOptions(delete_emptydir_data=True), True, ""),
        (
            pod(metadata=ObjectMeta(name="m", annotations=freeze({MIRROR: "x"}))),
            DrainOptions(),
            False,
            "",
        ),
    ],
)
def test_each_filter_lets_pass_what_it_may(made: Pod, options: DrainOptions, takes: bool, error: str) -> None:
    """drain/filters.go."""
    verdict = judge(made, options, wall_ns=0)

    assert (verdict.takes, verdict.error) == (takes, error)


def test_a_pod_whose_daemon_set_is_gone_needs_force() -> None:
    """Nobody would bring it back."""
    assert not judge(pod("DaemonSet"), DrainOptions(), wall_ns=0, daemon_set_is_there=False).takes
    assert judge(pod("DaemonSet"), DrainOptions(force=True), wall_ns=0, daemon_set_is_there=False).takes


def test_a_pod_that_has_been_going_for_long_is_left() -> None:
    """--skip-wait-for-delete-timeout."""
    going = pod("ReplicaSet", metadata=ObjectMeta(name="p", deletion_timestamp=100 * SECOND))
    options = DrainOptions(force=True, skip_wait_for_delete_timeout_ns=10 * SECOND)

    assert judge(going, options, wall_ns=105 * SECOND).takes
    assert not judge(going, options, wall_ns=111 * SECOND).takes


def test_problems_are_told_with_all_their_pods() -> None:
    """One line a problem."""
    verdicts = [judge(pod(), DrainOptions(), wall_ns=0)] * 2

    assert problems(verdicts) == (f"cannot delete {UNMANAGED}: ns/p, ns/p",)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Two nodes, and four pods of `web` on them."""
    made = Bench()
    made.do(lambda kubectl: create(kubectl, deployment_tree(4)), seconds=5)
    yield made
    made.close()


def on_node(bench: Bench, node: str) -> list[str]:
    """The pods that are bound to it and aren't going."""
    pods = bench.plane.now("Pod")
    return [name for name in bench.pods() if getattr(pods[name].spec, "node_name", "") == node]  # type: ignore[attr-defined]


def test_one_pod_in_the_way_and_nothing_is_evicted(bench: Bench) -> None:
    """But the node is closed already, and stays so."""
    bench.do(lambda kubectl: run(kubectl, "bare", "img"), seconds=2)
    node = "node-1" if "bare" in on_node(bench, "node-1") else "node-2"
    before = on_node(bench, node)
    refused = bench.do(lambda kubectl: drain(kubectl, node, DrainOptions()), seconds=5)

    assert isinstance(refused, CommandFailed)
    assert "default/bare" in str(refused)
    assert on_node(bench, node) == before
    assert bench.live("Node", node)["spec"]["unschedulable"] is True


def test_all_pods_are_evicted_at_once_and_waited_for(bench: Bench) -> None:
    """It returns when the last one is gone."""
    before = on_node(bench, "node-1")
    taken = bench.do(lambda kubectl: drain(kubectl, "node-1", EVERYTHING), seconds=40)

    assert before
    assert sorted(each.name for each in taken) == sorted(before)
    assert on_node(bench, "node-1") == [] or all(name not in before for name in on_node(bench, "node-1"))


def test_a_budget_that_refuses_is_asked_again_until_it_lets_go(bench: Bench) -> None:
    """429: every 5 s; with a time-out the drain fails, and the node stays closed."""
    bench.do(lambda kubectl: scale(kubectl, WEB, 2), seconds=40)
    bench.do(lambda kubectl: create(kubectl, BUDGET), seconds=3)
    node = next(each for each in ("node-1", "node-2") if on_node(bench, each))
    short = DrainOptions(force=True, timeout_ns=12 * SECOND)
    failed = bench.do(lambda kubectl: drain(kubectl, node, short), seconds=30)
    evictions = [line for line in bench.sent() if line.startswith("create pods default/web")]

    assert isinstance(failed, CommandFailed)
    assert "global timeout reached: 12s" in str(failed)
    assert len(evictions) == 3 * len(on_node(bench, node))

    target = Target(resource="poddisruptionbudgets", namespace="default", name="b")
    outcome: list[object] = []

    async def patient(kubectl: Any) -> None:
        outcome.append(await drain(kubectl, node, EVERYTHING))

    bench.do(patient, seconds=7)
    assert outcome == []
    bench.do(lambda kubectl: patch(kubectl, target, {"spec": {"minAvailable": 0}}), seconds=60)
    assert outcome


def test_without_eviction_no_budget_is_asked(bench: Bench) -> None:
    """--disable-eviction."""
    bench.do(
        lambda kubectl: create(kubectl, {**BUDGET, "spec": {**BUDGET["spec"], "minAvailable": 4}}), seconds=3
    )
    options = evolve(EVERYTHING, disable_eviction=True)
    taken = bench.do(lambda kubectl: drain(kubectl, "node-1", options), seconds=40)

    assert taken
    assert not [line for line in bench.sent() if line.startswith("create pods default/web")]
