"""When a node counts as silent, and which taints follow (pkg/controller/nodelifecycle)."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.models.controllers.node_health import (
    Health,
    judge,
    mirror_changes,
    missing_labels,
    with_taints,
    without_taints,
)
from chaoskube.models.objects import FrozenDict, Node, Taint
from chaoskube.sim import SECOND
from tests.models.controllers.making import node

WALL = 1_000_000 * SECOND


def seen(what: Node, renewed: int | None, at: int, known: Health | None = None) -> Health:
    """The memory after a look at `at` seconds."""
    return judge(what, renewed, known, at * SECOND, WALL).health


def test_a_node_is_unknown_after_more_than_50_s_without_a_sign() -> None:
    """Counted from when the controller last saw a change, by its own clock."""
    health = seen(node(), 7, 100)

    in_time = judge(node(), 7, health, 150 * SECOND, WALL)
    late = judge(node(), 7, health, 150 * SECOND + 1, WALL)

    assert in_time.write is None
    assert late.write is not None
    assert (late.ready_before, late.ready_now) == ("True", "Unknown")
    told = {each.type: (each.status, each.reason) for each in late.write.status.conditions}
    assert told == {
        "Ready": ("Unknown", "NodeStatusUnknown"),
        "MemoryPressure": ("Unknown", "NodeStatusNeverUpdated"),
        "DiskPressure": ("Unknown", "NodeStatusNeverUpdated"),
        "PIDPressure": ("Unknown", "NodeStatusNeverUpdated"),
    }


def test_a_renewed_lease_or_a_new_heartbeat_starts_the_wait_anew() -> None:
    """Either sign of life is enough; what time it names doesn't matter."""
    health = seen(node(), 7, 100)

    by_lease = seen(node(), 8, 140, health)
    by_heartbeat = seen(node(heartbeat=1), 7, 140, health)

    assert by_lease.probed_at == by_heartbeat.probed_at == 140 * SECOND
    assert seen(node(), 7, 140, health).probed_at == 100 * SECOND


def test_a_new_controller_gives_every_node_a_fresh_grace_period() -> None:
    """What is known lives in memory; a failover restarts the 50 s."""
    long_silent = node(heartbeat=1)

    assert judge(long_silent, 1, None, 500 * SECOND, WALL).write is None


def test_a_node_that_never_reported_has_60_s_from_its_creation() -> None:
    """The start-up grace period."""
    fresh = node(ready=None)
    born = evolve(fresh, metadata=evolve(fresh.metadata, creation_timestamp=WALL))
    health = judge(born, None, None, 0, WALL).health

    assert judge(born, None, health, 60 * SECOND, WALL).write is None
    late = judge(born, None, health, 60 * SECOND + 1, WALL)
    assert late.write is not None
    assert {each.reason for each in late.write.status.conditions} == {"NodeStatusNeverUpdated"}


def test_a_node_that_is_unknown_already_is_not_written_again() -> None:
    """No-op writes cost nothing in the API, but a write each 5 s would be one for each node."""
    health = seen(node(), 7, 100)
    gone = judge(node(), 7, health, 200 * SECOND, WALL)
    assert gone.write is not None

    again = judge(gone.write, 7, gone.health, 205 * SECOND, WALL)

    assert again.write is None
    assert (again.ready_before, again.ready_now) == ("Unknown", "Unknown")


@pytest.mark.parametrize(
    ("what", "add"),
    [
        (node(), ()),
        (node(ready="False"), ("node.kubernetes.io/not-ready",)),
        (node(ready="Unknown"), ("node.kubernetes.io/unreachable",)),
        (node(cordoned=True), ("node.kubernetes.io/unschedulable",)),
    ],
)
def test_no_schedule_taints_mirror_conditions(what: Node, add: tuple[str, ...]) -> None:
    """The scheduler looks at taints, not at conditions."""
    assert mirror_changes(what) == (add, ())


def test_deprecated_labels_follow_those_that_replaced_them() -> None:
    """Old manifests still select nodes by beta.kubernetes.io/os."""
    plain = node()
    labels = FrozenDict({"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "plan9"})
    labelled = evolve(plain, metadata=evolve(plain.metadata, labels=labels))

    assert missing_labels(plain) == {}
    assert missing_labels(labelled) == {"beta.kubernetes.io/os": "linux"}


def test_taints_of_others_are_left_alone() -> None:
    """Only the keys that mirror something are managed."""
    mine = Taint(key="node.kubernetes.io/not-ready", effect="NoSchedule")
    theirs = Taint(key="gpu", effect="NoSchedule")

    assert mirror_changes(node(taints=(mine, theirs))) == ((), (mine.key,))
    assert without_taints((mine, theirs), (mine.key,), "NoSchedule") == (theirs,)
    assert without_taints((theirs,), (mine.key,), "NoSchedule") is None
    added = with_taints((theirs,), (mine.key,), "NoSchedule", 5 * SECOND + 1)
    assert added is not None
    assert [(each.key, each.time_added) for each in added] == [("gpu", None), (mine.key, 5 * SECOND)]
    assert with_taints(added, (mine.key,), "NoSchedule", 0) is None
