"""What each operation does to a cluster in calm: the words of a trace, and what is there afterwards."""

from __future__ import annotations

import pytest

from chaoskube.action import Step, parse_step
from chaoskube.discovery import scenario_named
from chaoskube.models.cluster import Cluster
from chaoskube.models.kubectl.rollout import RESTARTED_AT
from chaoskube.models.objects import Deployment, Node, Pod, ReplicaSet
from chaoskube.run import Session
from chaoskube.scenarios import menus
from chaoskube.sim import SECOND

WEB = "deployment=default/web"


def play(*lines: str, until: int = 60) -> Cluster:
    """Do these in the rolling-update scenario; the cluster as it is then (its world is closed)."""
    with Session(scenario_named("rolling-update")) as session:
        steps: list[Step] = [parse_step(line) for line in lines]
        session.warm_up()
        began = session.world.now
        for step in steps:
            session.advance_to(began + step.at)
            session.apply(step.action)
        session.advance_to(began + until * SECOND)
        cluster = session.subject
        assert isinstance(cluster, Cluster), "the scenario builds a cluster"
        return cluster


def web(cluster: Cluster) -> Deployment:
    """The Deployment."""
    found = cluster.observer.get(Deployment, "default/web")
    assert found is not None, "nobody deleted it"
    return found


def image(one: Deployment) -> str:
    """What runs in it."""
    return one.spec.template.spec.containers[0].image or ""


def test_a_rollout_is_undone_and_restarted() -> None:
    """Three templates in all: the first again, then with the time of the restart in it."""
    cluster = play(
        f"at 1s roll {WEB} version=3", f"at 30s rollout-undo {WEB}", f"at 60s rollout-restart {WEB}", until=90
    )

    assert image(web(cluster)).endswith(":v1")
    assert RESTARTED_AT in web(cluster).spec.template.metadata.annotations
    assert len(list(cluster.observer.all(ReplicaSet))) == 3
    assert cluster.observer.is_whole(web(cluster))


def test_what_is_changed_while_paused_rolls_out_after_resume() -> None:
    """One ReplicaSet until then."""
    paused = play(f"at 1s rollout-pause {WEB}", f"at 5s roll {WEB} version=3", until=30)
    assert len(list(paused.observer.all(ReplicaSet))) == 1

    resumed = play(f"at 1s rollout-pause {WEB}", f"at 5s roll {WEB} version=3", f"at 9s rollout-resume {WEB}")
    assert len(list(resumed.observer.all(ReplicaSet))) == 2
    assert resumed.observer.is_whole(web(resumed))


def test_server_side_apply_takes_back_what_was_scaled() -> None:
    """The document says three."""
    cluster = play(f"at 1s scale {WEB} replicas=1", f"at 20s apply-server-side {WEB}")

    assert web(cluster).spec.replicas == 3


def test_taints_move_pods_and_go_away_again() -> None:
    """NoExecute empties the node; nobody else's taint is touched."""
    cluster = play("at 1s taint node=node-1 effect=NoExecute", until=60)
    pods = cluster.observer.pods_of_deployment("default/web")
    assert pods
    assert all(pod.spec.node_name != "node-1" for pod in pods)

    cluster = play(
        "at 1s taint node=node-1", "at 5s untaint node=node-1", "at 6s cordon node=node-2", until=15
    )
    nodes = {node.name: node for node in cluster.observer.all(Node)}
    assert [one.key for one in nodes["node-1"].spec.taints] == []
    assert nodes["node-2"].spec.unschedulable


@pytest.mark.parametrize(("cascade", "pods"), [("background", 0), ("orphan", 3)])
def test_a_deployment_goes_with_or_without_its_pods(cascade: str, pods: int) -> None:
    """The garbage collector follows, unless it is told not to."""
    cluster = play(f"at 1s delete-deployment {WEB} cascade={cascade}", until=60)

    assert cluster.observer.get(Deployment, "default/web") is None
    assert len([one for one in cluster.observer.all(Pod) if one.namespace == "default"]) == pods


def test_what_ends_a_workload_is_on_no_menu() -> None:
    """Invariants promise things of what is there."""
    verbs = {action.verb for action in menus.everything()}

    assert {"rollout-restart", "rollout-undo", "rollout-pause", "taint", "untaint", "annotate"} <= verbs
    assert "delete-deployment" not in verbs
