"""The scheduler's cache: assumed pods count, are confirmed or forgotten; nodes are scanned zone by zone."""

from __future__ import annotations

import random

from chaoskube.models.scheduler.cache import SchedulerCache
from chaoskube.models.scheduler.nodes import NodeInfo, PodInfo
from tests.models.scheduler.sched_objects import node, pod


def used(cache: SchedulerCache, name: str) -> int:
    info = cache.view().node(name)
    assert info is not None, f"{name} is known"
    return info.requested.get("cpu", 0)


def test_nodes_are_scanned_one_of_each_zone_in_turn() -> None:
    """node_tree.go: spreads the load of the scan, and ties, over zones."""
    cache = SchedulerCache()
    for name, zone in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c"), ("c2", "c")):
        cache.set_node(node(name, zone=zone))

    assert [info.name for info in cache.view().nodes] == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_assumed_pod_counts_until_forgotten() -> None:
    """Else the next decision would give its room away again."""
    cache = SchedulerCache()
    cache.set_node(node("node-1"))
    cache.assume(PodInfo.of(pod("a", cpu="1")), "node-1")
    assumed = used(cache, "node-1")

    assert cache.forget("uid-a")

    assert (assumed, used(cache, "node-1")) == (1000, 0)


def test_confirmed_pod_is_not_forgotten() -> None:
    """A binding whose answer was lost but that the informer shows has happened."""
    cache = SchedulerCache()
    cache.set_node(node("node-1"))
    cache.assume(PodInfo.of(pod("a", cpu="1")), "node-1")
    cache.set_pod(pod("a", cpu="1", node="node-1"))

    assert not cache.forget("uid-a")

    assert used(cache, "node-1") == 1000


def test_pod_assumed_here_but_assigned_elsewhere_counts_there() -> None:
    """Another scheduler was faster."""
    cache = SchedulerCache()
    cache.set_node(node("node-1"))
    cache.set_node(node("node-2"))
    cache.assume(PodInfo.of(pod("a", cpu="1")), "node-1")

    cache.set_pod(pod("a", cpu="1", node="node-2"))

    assert (used(cache, "node-1"), used(cache, "node-2")) == (0, 1000)


def test_pods_outlive_their_node_and_count_when_it_returns() -> None:
    """Informers are independent: a pod may be seen before its node, and after it."""
    cache = SchedulerCache()
    cache.set_pod(pod("a", cpu="1", node="node-1"))
    assert cache.view().nodes == ()
    cache.set_node(node("node-1"))
    cache.remove_node("node-1")
    cache.set_node(node("node-1"))

    assert used(cache, "node-1") == 1000


def test_incremental_sums_agree_with_sums_made_anew() -> None:
    """Fast against naive: after any changes a node holds what its pods ask for."""
    luck = random.Random(5)
    cache = SchedulerCache()
    placed: dict[str, str] = {}
    for step in range(400):
        name = f"p{luck.randrange(30)}"
        if name in placed and luck.random() < 0.4:
            cache.remove_pod(f"uid-{name}")
            del placed[name]
        elif name not in placed:
            placed[name] = f"node-{luck.randrange(4)}"
            cache.assume(PodInfo.of(pod(name, cpu=f"{step % 7}00m")), placed[name])
        if luck.random() < 0.3:
            number = luck.randrange(4)
            if cache.has_node(f"node-{number}"):
                cache.remove_node(f"node-{number}")
            else:
                cache.set_node(node(f"node-{number}"))

        for info in cache.view().nodes:
            anew = NodeInfo.of(info.node, info.pods)
            assert sorted(info.pods) == sorted(
                f"uid-{each}" for each, at in placed.items() if at == info.name
            )
            assert {key: amount for key, amount in info.requested.items() if amount} == {
                key: amount for key, amount in anew.requested.items() if amount
            }
            assert info.scored == anew.scored
