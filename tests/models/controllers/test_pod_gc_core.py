"""Which pods nobody else will remove (pkg/controller/podgc)."""

from __future__ import annotations

from chaoskube.models.controllers.pod_gc_core import Quarantine, Why, choose
from chaoskube.models.objects import Taint
from chaoskube.sim import SECOND
from tests.models.controllers.making import node, pod

NODES = {"node-1": node()}


def test_orphans_wait_40_s_and_are_asked_about_in_the_round_after() -> None:
    """Node gone at 0, rounds each 20 s: 60 s until the pod is collected."""
    quarantine = Quarantine()
    pods = [pod("a", node="gone"), pod("b")]

    ripe = [quarantine.look(pods, NODES, second * SECOND) for second in (0, 20, 40, 60)]

    assert ripe == [(), (), (), ("gone",)]


def test_a_node_that_is_back_in_time_starts_anew() -> None:
    """Quarantine is forgotten when the node is known again."""
    quarantine = Quarantine()
    pods = [pod("a")]
    quarantine.look(pods, {}, 0)
    quarantine.look(pods, NODES, 20 * SECOND)

    assert quarantine.look(pods, {}, 60 * SECOND) == ()


def test_each_reason_takes_its_own_pods() -> None:
    """A terminating pod is left to its kubelet, unless it has none or its node is out of service."""
    out = node("node-2", ready="Unknown", taints=(Taint(key="node.kubernetes.io/out-of-service"),))
    pods = [
        pod("fine"),
        pod("orphan", node="gone"),
        pod("going", deleting=True),
        pod("stuck", node="node-2", deleting=True),
        pod("unborn", node="", deleting=True),
    ]

    chosen = choose(pods, {**NODES, "node-2": out}, ["gone"])

    assert [(each.pod.name, each.why) for each in chosen] == [
        ("stuck", Why.OUT_OF_SERVICE),
        ("orphan", Why.ORPHANED),
        ("unborn", Why.UNSCHEDULED),
    ]


def test_finished_pods_above_the_threshold_go_oldest_first() -> None:
    """--terminated-pod-gc-threshold."""
    pods = [pod(f"p{age}", phase="Succeeded", created=age) for age in (3, 1, 2)]

    chosen = choose(pods, NODES, [], terminated_max=1)

    assert [each.pod.name for each in chosen] == ["p1", "p2"]
