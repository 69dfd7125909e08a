"""Rollouts by kubectl: status, restart, pause, resume, undo, history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaoskube.models.kubectl import CommandFailed
from chaoskube.models.kubectl.create import create
from chaoskube.models.kubectl.rollout import RESTARTED_AT, pause, restart, resume
from chaoskube.models.kubectl.rollout_status import rollout_status, status_of
from chaoskube.models.kubectl.rollout_undo import history, restoring, undo
from chaoskube.models.kubectl.set_image import set_image
from chaoskube.models.objects.frozen import Tree
from tests.models.controllers.plane import deployment_tree

from .bench import WEB, Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A control plane with the Deployment `web`, rolled out."""
    made = Bench()
    made.do(lambda kubectl: create(kubectl, deployment_tree(2)), seconds=5)
    yield made
    made.close()


def image(bench: Bench) -> str:
    """Of the live template."""
    return str(bench.live("Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"])


def test_undo_goes_back_to_the_revision_before_and_makes_it_the_newest(bench: Bench) -> None:
    """Its number becomes the highest; the same template again is a no-op; a wrong number is refused."""
    bench.do(lambda kubectl: set_image(kubectl, WEB, {"app": "v2"}), seconds=15)
    assert [one.number for one in bench.do(lambda kubectl: history(kubectl, WEB))] == [1, 2]
    assert bench.do(lambda kubectl: undo(kubectl, WEB), seconds=15) is True

    assert image(bench) == "v1"
    assert [one.number for one in bench.do(lambda kubectl: history(kubectl, WEB))] == [2, 3]
    assert bench.do(lambda kubectl: undo(kubectl, WEB, to_revision=3)) is False
    refused = bench.do(lambda kubectl: undo(kubectl, WEB, to_revision=9))
    assert str(refused) == "unable to find specified revision 9 in history"
    assert "pod-template-hash" not in str(bench.live("Deployment", "web")["spec"]["template"])


def test_a_first_revision_has_nothing_before_it(bench: Bench) -> None:
    """No rollout history."""
    assert "no rollout history found" in str(bench.do(lambda kubectl: undo(kubectl, WEB)))


def test_while_paused_changes_gather(bench: Bench) -> None:
    """No restart, no undo; resume rolls out what gathered."""
    bench.do(lambda kubectl: pause(kubectl, WEB))
    bench.do(lambda kubectl: set_image(kubectl, WEB, {"app": "v2"}), seconds=5)
    sets = len(bench.plane.now("ReplicaSet"))
    again = bench.do(lambda kubectl: pause(kubectl, WEB))
    restarted = bench.do(lambda kubectl: restart(kubectl, WEB))
    assert (sets, isinstance(again, CommandFailed), isinstance(restarted, CommandFailed)) == (1, True, True)

    bench.do(lambda kubectl: resume(kubectl, WEB), seconds=10)
    assert len(bench.plane.now("ReplicaSet")) == 2
    assert "paused" not in bench.live("Deployment", "web")["spec"]
    assert isinstance(bench.do(lambda kubectl: resume(kubectl, WEB)), CommandFailed)


def test_restart_replaces_all_pods_once_a_second(bench: Bench) -> None:
    """The annotation in the template has whole seconds."""
    before = set(bench.pods())
    bench.plane.run(1 - bench.process.wall_ns() % 10**9 / 10**9)
    bench.do(lambda kubectl: restart(kubectl, WEB), seconds=0.2)
    too_soon = bench.do(lambda kubectl: restart(kubectl, WEB), seconds=15)

    assert "please wait before attempting to trigger another" in str(too_soon)
    assert before.isdisjoint(bench.pods())
    template = bench.live("Deployment", "web")["spec"]["template"]
    assert RESTARTED_AT in template["metadata"]["annotations"]


def test_status_waits_until_all_pods_are_new_and_available(bench: Bench) -> None:
    """It watches; a deployment that goes away meanwhile is an error."""

    async def roll(kubectl: Any) -> Any:
        await set_image(kubectl, WEB, {"app": "v2"})
        return await rollout_status(kubectl, WEB)

    done = bench.do(roll, seconds=15)

    assert done.words == 'deployment "web" successfully rolled out'
    live = bench.live("Deployment", "web")
    assert live["status"]["updatedReplicas"] == live["status"]["availableReplicas"] == 2
    wrong = bench.do(lambda kubectl: rollout_status(kubectl, WEB, revision=1))
    assert "desired revision (1) is different from the running revision (2)" in str(wrong)


def deployment(generation: int, **status: object) -> Tree:
    """A Deployment with this status."""
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "generation": generation},
        "spec": {"replicas": 3},
        "status": status,
    }


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (deployment(2, observedGeneration=1), "Waiting for deployment spec update to be observed..."),
        (deployment(1, observedGeneration=1, updatedReplicas=1), "1 out of 3 new replicas have been updated"),
        (
            deployment(1, observedGeneration=1, updatedReplicas=3, replicas=4),
            "1 old replicas are pending termination",
        ),
        (
            deployment(1, observedGeneration=1, updatedReplicas=3, replicas=3, availableReplicas=2),
            "2 of 3 updated replicas are available",
        ),
    ],
)
def test_each_stage_of_a_rollout_has_its_words(tree: Tree, words: str) -> None:
    """rollout_status.go."""
    status = status_of(tree)

    assert not status.is_done
    assert words in status.words


def test_an_exceeded_deadline_is_an_error() -> None:
    """The exit code that pipelines wait for."""
    tree = deployment(
        1,
        observedGeneration=1,
        conditions=[{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}],
    )
    with pytest.raises(CommandFailed, match="exceeded its progress deadline"):
        status_of(tree)


def stateful(rolling: Tree | None, **status: object) -> Tree:
    """A StatefulSet of three."""
    strategy: Tree = {"type": "RollingUpdate"}
    if rolling is not None:
        strategy["rollingUpdate"] = rolling
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "db", "generation": 1},
        "spec": {"replicas": 3, "updateStrategy": strategy},
        "status": {"observedGeneration": 1, "readyReplicas": 3, **status},
    }


def test_a_stateful_set_is_done_when_its_part_is_new() -> None:
    """With a partition by counting, without by revision; OnDelete has no status."""
    assert not status_of(stateful({"partition": 1}, updatedReplicas=1)).is_done
    assert status_of(stateful({"partition": 1}, updatedReplicas=2)).is_done
    assert not status_of(stateful(None, updateRevision="b", currentRevision="a")).is_done
    assert status_of(stateful(None, updateRevision="b", currentRevision="b")).is_done
    assert not status_of(stateful(None, readyReplicas=2)).is_done
    by_hand = stateful(None)
    by_hand["spec"]["updateStrategy"] = {"type": "OnDelete"}
    with pytest.raises(CommandFailed, match="only available for RollingUpdate"):
        status_of(by_hand)


def test_a_daemon_set_is_done_when_all_nodes_have_the_new_pod() -> None:
    """updated, then available."""

    def daemon(updated: int, available: int) -> Tree:
        return {
            "kind": "DaemonSet",
            "metadata": {"name": "d", "generation": 1},
            "spec": {"updateStrategy": {"type": "RollingUpdate"}},
            "status": {
                "observedGeneration": 1,
                "desiredNumberScheduled": 2,
                "updatedNumberScheduled": updated,
                "numberAvailable": available,
            },
        }

    assert [status_of(daemon(*each)).is_done for each in ((1, 2), (2, 1), (2, 2))] == [False, False, True]


def test_a_revision_of_a_stateful_set_holds_what_restores_it() -> None:
    """The template, to be put in place whole."""
    tree = stateful(None)
    tree["spec"]["template"] = {"spec": {"containers": []}}

    assert restoring(tree) == {"spec": {"template": {"$patch": "replace", "spec": {"containers": []}}}}
