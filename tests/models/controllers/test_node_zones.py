"""Zones and eviction rates (pkg/controller/nodelifecycle)."""

from __future__ import annotations

import pytest

from chaoskube.models.controllers.node_zones import (
    FULL,
    NORMAL,
    PARTIAL,
    TaintQueue,
    disruption,
    eviction_interval,
    zone_of,
    zone_state,
)
from chaoskube.sim import SECOND
from tests.models.controllers.making import node


@pytest.mark.parametrize(
    ("ready", "not_ready", "state"),
    [(3, 0, NORMAL), (1, 2, NORMAL), (2, 3, PARTIAL), (3, 3, NORMAL), (0, 1, FULL), (0, 0, NORMAL)],
)
def test_partial_disruption_needs_more_than_two_and_55_percent(
    ready: int, not_ready: int, state: str
) -> None:
    """Two of three down is still normal."""
    assert zone_state(ready, not_ready) == state


def test_rates_by_state() -> None:
    """A partially disrupted zone is spared: slowly when large, altogether when small."""
    assert eviction_interval(NORMAL, 3) == 10 * SECOND
    assert eviction_interval(FULL, 3) == 10 * SECOND
    assert eviction_interval(PARTIAL, 51) == 100 * SECOND
    assert eviction_interval(PARTIAL, 50) is None


def test_when_every_zone_is_down_evictions_stop() -> None:
    """The fault is taken to be the master's. A one-zone cluster that loses all nodes evicts nothing."""
    verdict = disruption({"a": NORMAL}, {"a": FULL})

    assert verdict.stop_evictions
    assert disruption(verdict.states, {"a": FULL}).stop_evictions is False
    assert not disruption({"a": NORMAL, "b": NORMAL}, {"a": FULL, "b": NORMAL}).stop_evictions


def test_coming_back_gives_every_node_a_fresh_grace_period() -> None:
    """Leaving full disruption resets all probe times and limiters."""
    verdict = disruption({"a": FULL, "b": FULL}, {"a": FULL, "b": NORMAL})

    assert verdict.fresh_probes
    assert verdict.relimit == ("a", "b")
    assert verdict.states == {"a": FULL, "b": NORMAL}


def test_one_node_each_10_s_gets_its_first_taint() -> None:
    """And none gets two turns until it was ready again."""
    queue = TaintQueue()
    assert queue.add("n1") and queue.add("n2") and not queue.add("n1")

    assert queue.take(0) == "n1"
    queue.done("n1")
    assert queue.take(9 * SECOND) is None
    assert queue.take(10 * SECOND) == "n2"
    queue.done("n2")
    assert not queue.add("n1")
    queue.remove("n1")
    assert queue.add("n1")


def test_a_stopped_queue_taints_nobody() -> None:
    """Rate None: never; with a rate again it goes on, after one interval (SwapLimiter drains the new limiter)."""
    queue = TaintQueue()
    queue.add("n1")
    queue.limit(None, 0)

    assert queue.take(10**12) is None
    queue.limit(10 * SECOND, 10**12)
    assert queue.take(10**12) is None
    assert queue.take(10**12 + 10 * SECOND) == "n1"


def test_a_rate_that_changes_gives_no_turn_away() -> None:
    """Who could taint at once still can; who had just tainted waits at the new rate."""
    rested, busy = TaintQueue(), TaintQueue()
    for queue in (rested, busy):
        queue.add("n1")
    assert busy.take(0) == "n1"
    for queue in (rested, busy):
        queue.limit(100 * SECOND, SECOND)

    assert rested.take(SECOND) == "n1"
    assert busy.take(100 * SECOND) is None
    assert busy.take(101 * SECOND) == "n1"


def test_nodes_without_labels_are_one_zone() -> None:
    """GetZoneKey."""
    assert zone_of(node()) == ""
    assert zone_of(node(zone="a")) != zone_of(node(zone="b"))
