"""A StatefulSet on whole nodes: a name that comes back, with real kubelets and every component under its own name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaoskube.models.apiserver.events import Rejected
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.models.node.events import PodWorkerMoved
from chaoskube.models.objects import Pod, decode
from chaoskube.sim import World, seconds
from tests.models.controllers.test_owners_and_quotas import stateful_tree


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Two nodes, and a StatefulSet of two that runs."""
    with World(seed=3) as world:
        made = Cluster(
            world, Shape(etcd=1, apiservers=1, managers=1, schedulers=1, nodes=2), [decode(stateful_tree())]
        )
        world.advance(seconds(25))
        yield made


def _pods(cluster: Cluster) -> dict[str, Pod]:
    return {pod.name: pod for pod in cluster.observer.all(Pod)}


def _delete(cluster: Cluster, name: str, **options: int) -> None:
    cluster.run_kubectl(
        lambda kubectl: kubectl.client.delete("pods", "default", name, **options),  # type: ignore[arg-type]
        lambda: None,
    )


def test_a_set_runs_under_the_rights_that_its_controllers_have(cluster: Cluster) -> None:
    """RBAC is on in a cluster: nothing that the controllers ask is refused."""
    pods = _pods(cluster)

    assert [pods[name].status.phase for name in ("db-0", "db-1")] == ["Running", "Running"]
    refused = [entry.event for entry in cluster.world.journal.entries if isinstance(entry.event, Rejected)]
    assert [one for one in refused if one.code == 403] == []


def test_a_pod_that_took_a_name_over_runs_and_the_one_before_is_stopped(cluster: Cluster) -> None:
    """Deleted by force while its kubelet slept, and made again on that very node: two uids, two workers."""
    old = _pods(cluster)["db-1"]
    kubelet = cluster.world.processes[f"kubelet@{old.spec.node_name}"]
    kubelet.pause()
    _delete(cluster, "db-1", grace_period_seconds=0)
    cluster.world.advance(seconds(5))
    new = _pods(cluster)["db-1"]
    assert new.uid != old.uid and new.status.phase == "Pending"
    kubelet.resume()
    cluster.world.advance(seconds(60))

    assert _pods(cluster)["db-1"].uid == new.uid
    assert _pods(cluster)["db-1"].status.phase == "Running"
    states: dict[str, list[str]] = {}
    for entry in cluster.world.journal.entries:
        if isinstance(entry.event, PodWorkerMoved):
            states.setdefault(entry.event.uid, []).append(entry.event.state)
    assert states[old.uid] == ["terminating", "terminated", "finished"]
    assert new.uid not in states
