"""The ledger's candidates: one writes, another takes over when it must, and what each wrote tells of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaoskube.models.client.events import LeaderStarted
from chaoskube.models.cluster import Cluster
from chaoskube.models.objects import ConfigMap, FrozenDict, KubeObject, ObjectMeta
from chaoskube.scenarios.leader_election import leader_election
from chaoskube.scenarios.operators.ledger import BOOK, NAMESPACE, NEW, NOTES, OLD, WRITER, ledger, writer_of
from chaoskube.scenarios.operators.ledger_rules import (
    somebody_writes_the_ledger,
    who_was_followed_writes_no_more,
)
from chaoskube.sim import SECOND, World
from tests.invariants.clusters import Case


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """The scenario's, warm."""
    made = leader_election()
    with World(seed=5) as world:
        subject = made.build(world, made.setup)
        assert isinstance(subject, Cluster)
        assert world.run_until(lambda: subject.warm() is None, 60 * SECOND, SECOND), subject.warm()
        yield subject


def written(cluster: Cluster, name: str) -> str:
    """Who wrote a page last."""
    page = cluster.observer.get(ConfigMap, f"{NAMESPACE}/{name}")
    assert page is not None
    return writer_of(page)


def leaders(cluster: Cluster) -> list[str]:
    """Who has led, in order."""
    return [entry.by for entry in cluster.world.journal.entries if isinstance(entry.event, LeaderStarted)]


def test_the_replicas_are_being_reconfigured() -> None:
    """Rules of a lease that all candidates agree on would hide who looks at the wrong one."""
    assert ledger.elections[0] == OLD
    assert set(ledger.elections[1:]) == {NEW}
    assert NEW.lease_duration_ns < OLD.lease_duration_ns


def test_the_leader_writes_guarded_and_unguarded(cluster: Cluster) -> None:
    """And goes on with it; the cluster is settled as long as it does."""
    first = leaders(cluster)[0]
    cluster.world.advance(10 * SECOND)

    assert written(cluster, BOOK) == written(cluster, NOTES) == f"{first}-1"
    assert cluster.unsettled() is None
    assert leaders(cluster) == [first]


def test_who_was_frozen_past_its_lease_is_followed(cluster: Cluster) -> None:
    """When it wakes it finds that its version of the book is past, and begins anew."""
    first = leaders(cluster)[0]
    process = cluster.world.processes[first]
    process.pause()
    cluster.world.advance(25 * SECOND)
    second = leaders(cluster)[1]
    assert written(cluster, BOOK) == f"{second}-1"
    process.resume()
    cluster.world.advance(10 * SECOND)

    assert second != first
    assert written(cluster, BOOK) == f"{second}-1"
    assert process.life == 2


def test_a_cluster_without_a_leader_is_not_settled(cluster: Cluster) -> None:
    """It says for how long nothing has been written."""
    for name in cluster.targets("process"):
        if name.startswith("ledger-"):
            cluster.world.processes[name].pause()
    cluster.world.advance(60 * SECOND)

    assert "has not been written for" in (cluster.unsettled() or "")
    with pytest.raises(AssertionError, match="has not been written for 6. s; ledger-. leads"):
        somebody_writes_the_ledger.function(cluster.observer)


def page(writer: str) -> KubeObject:
    """The book, as written by this one."""
    metadata = ObjectMeta(name=BOOK, namespace=NAMESPACE, uid="book")
    return ConfigMap(metadata=metadata, data=FrozenDict({WRITER: writer}))


def test_writers_follow_each_other() -> None:
    """Once, each."""
    with World(seed=1) as world:
        case = Case(world, who_was_followed_writes_no_more)
        last = None
        for writer in ("a-1", "a-1", "b-1", "a-2", "a-2"):
            now = case.put(page(writer))
            case.written("admin", "update", last, now)
            last = now
        assert case.said == []

        case.written("admin", "update", last, case.put(page("b-1")))
    assert case.said == ["b-1 writes the book after a-2 has followed it"]
