"""One verb after the other against a control plane: what kubectl sends, and what it refuses by itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from chaoskube.models.apiserver.api import FOREGROUND, MERGE, ORPHAN
from chaoskube.models.kubectl import CommandFailed, Target
from chaoskube.models.kubectl.autoscale import autoscale
from chaoskube.models.kubectl.cordon import cordon
from chaoskube.models.kubectl.create import create, run
from chaoskube.models.kubectl.delete import delete, delete_selected
from chaoskube.models.kubectl.expose import expose
from chaoskube.models.kubectl.label import annotate, label
from chaoskube.models.kubectl.patch import patch
from chaoskube.models.kubectl.replace import replace
from chaoskube.models.kubectl.scale import ScalePrecondition, scale
from chaoskube.models.kubectl.set_image import set_image
from chaoskube.models.kubectl.taint import changed, parse_taint, taint
from chaoskube.models.kubectl.wait import (
    DeletePolicy,
    condition_is,
    delete_options,
    value_at,
    wait_for_condition,
    wait_for_value,
    wait_until_gone,
)
from chaoskube.models.objects.frozen import Tree
from chaoskube.sim import SECOND, Refused
from tests.models.controllers.plane import deployment_tree

from .bench import WEB, Bench

NODE = Target(resource="nodes", name="node-1")


@pytest.fixture(scope="module")
def shared() -> Iterator[Bench]:
    """One control plane with the Deployment `web`."""
    bench = Bench()
    bench.do(lambda kubectl: create(kubectl, deployment_tree(2)), seconds=5)
    yield bench
    bench.close()


def config_map(name: str, **labels: str) -> Tree:
    """A document."""
    metadata: Tree = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}


def map_target(name: str) -> Target:
    """The object."""
    return Target(resource="configmaps", namespace="default", name=name)


def test_scale_patches_blindly_or_checks_and_retries(shared: Bench) -> None:
    """Without preconditions the last writer wins; with them a wrong number is refused by kubectl itself."""
    shared.do(lambda kubectl: scale(kubectl, WEB, 3))
    assert shared.live("Deployment", "web")["spec"]["replicas"] == 3

    refused = shared.do(lambda kubectl: scale(kubectl, WEB, 5, precondition=ScalePrecondition(replicas=1)))
    assert str(refused) == "Expected replicas to be 1, was 3"
    right = ScalePrecondition(replicas=3)
    done = shared.do(
        lambda kubectl: scale(kubectl, WEB, 2, precondition=right, timeout_ns=30 * SECOND), seconds=10
    )
    assert done is None
    assert shared.live("Deployment", "web")["spec"]["replicas"] == 2
    stale = ScalePrecondition(resource_version="1")
    assert isinstance(shared.do(lambda kubectl: scale(kubectl, WEB, 2, precondition=stale)), CommandFailed)


def test_labels_are_overwritten_only_when_asked(shared: Bench) -> None:
    """And a label command that changes nothing sends nothing."""
    shared.do(lambda kubectl: label(kubectl, WEB, {"team": "a"}))
    refused = shared.do(lambda kubectl: label(kubectl, WEB, {"team": "b"}))
    before = len(shared.sent())
    shared.do(lambda kubectl: label(kubectl, WEB, {"team": "a"}))
    same = len(shared.sent())
    shared.do(lambda kubectl: label(kubectl, WEB, {"team": "b", "no-such": None}, overwrite=True))

    assert str(refused) == "'team' already has a value (a), and --overwrite is false"
    assert same == before
    assert shared.live("Deployment", "web")["metadata"]["labels"] == {"team": "b"}
    shared.do(lambda kubectl: label(kubectl, WEB, {"team": None}))
    assert "labels" not in shared.live("Deployment", "web")["metadata"]


def test_annotations_may_name_the_version_that_they_are_about(shared: Bench) -> None:
    """--resource-version: 409 when somebody was quicker."""
    shared.do(lambda kubectl: annotate(kubectl, WEB, {"note": "1"}))
    refused = shared.do(
        lambda kubectl: annotate(kubectl, WEB, {"note": "2"}, overwrite=True, resource_version="1")
    )

    assert isinstance(refused, Refused)
    assert "409" in str(refused)
    assert shared.live("Deployment", "web")["metadata"]["annotations"]["note"] == "1"


def test_patch_sends_what_was_written(shared: Bench) -> None:
    """By its type; of what isn't there it says not found."""
    shared.do(lambda kubectl: patch(kubectl, WEB, {"spec": {"minReadySeconds": 1}}, type=MERGE))
    missing = Target(resource="deployments", namespace="default", name="none")
    refused = shared.do(lambda kubectl: patch(kubectl, missing, {}))

    assert shared.live("Deployment", "web")["spec"]["minReadySeconds"] == 1
    assert "404" in str(refused)


def test_set_image_changes_the_container_that_is_meant(shared: Bench) -> None:
    """By name, all of them, or the first; a name that isn't there is refused."""
    refused = shared.do(lambda kubectl: set_image(kubectl, WEB, {"nobody": "x"}))
    assert str(refused) == 'unable to find container named "nobody"'
    for name, image in (("app", "v2"), ("*", "v3"), ("", "v4")):
        shared.do(partial(set_image, target=WEB, images={name: image}))
        containers = shared.live("Deployment", "web")["spec"]["template"]["spec"]["containers"]
        assert [one["image"] for one in containers] == [image]


def test_cordon_writes_only_what_has_to_change(shared: Bench) -> None:
    """Twice is once."""
    assert shared.do(lambda kubectl: cordon(kubectl, "node-1")) is True
    assert shared.do(lambda kubectl: cordon(kubectl, "node-1")) is False
    assert shared.live("Node", "node-1")["spec"]["unschedulable"] is True
    assert shared.do(lambda kubectl: cordon(kubectl, "node-1", unschedulable=False)) is True
    assert "unschedulable" not in shared.live("Node", "node-1")["spec"]


def test_taints_are_added_overwritten_and_removed(shared: Bench) -> None:
    """The whole list is in the patch."""
    shared.do(lambda kubectl: taint(kubectl, "node-2", ["a=1:NoSchedule", "a:NoExecute"]))
    again = shared.do(lambda kubectl: taint(kubectl, "node-2", ["a=2:NoSchedule"]))
    shared.do(lambda kubectl: taint(kubectl, "node-2", ["a=2:NoSchedule"], overwrite=True))
    taints = shared.live("Node", "node-2")["spec"]["taints"]
    shared.do(lambda kubectl: taint(kubectl, "node-2", ["a-"]))

    assert "already has a taint(s) with same effect(s)" in str(again)
    assert [(one["key"], one.get("value"), one["effect"]) for one in taints] == [
        ("a", "2", "NoSchedule"),
        ("a", None, "NoExecute"),
    ]
    assert not [one for one in shared.live("Node", "node-2")["spec"].get("taints", ()) if one["key"] == "a"]


@pytest.mark.parametrize("text", ["a", "a=1", "a:Never", ":NoSchedule"])
def test_taints_that_make_no_sense_are_refused(text: str) -> None:
    """parseTaint."""
    with pytest.raises(CommandFailed, match="invalid taint"):
        parse_taint(text)


def test_a_taint_that_is_not_there_cannot_be_removed() -> None:
    """kubectl says so and sends nothing."""
    with pytest.raises(CommandFailed, match='taint "a:NoExecute" not found'):
        changed([{"key": "a", "effect": "NoSchedule"}], [parse_taint("a:NoExecute-")], "n", overwrite=False)


def test_expose_makes_a_service_for_the_pods_of_a_workload(shared: Bench) -> None:
    """Selector and ports from the object; without a port there is nothing to expose."""
    refused = shared.do(lambda kubectl: expose(kubectl, WEB))
    made = shared.do(lambda kubectl: expose(kubectl, WEB, port=80, target_port=8080, name="front"))

    assert "couldn't find port" in str(refused)
    assert made["spec"]["selector"] == {"app": "web"}
    assert [(one["port"], one["targetPort"]) for one in made["spec"]["ports"]] == [(80, 8080)]


def test_autoscale_makes_an_autoscaler(shared: Bench) -> None:
    """autoscaling/v2 with a CPU target."""
    refused = shared.do(lambda kubectl: autoscale(kubectl, WEB, maximum=1, minimum=2))
    made = shared.do(lambda kubectl: autoscale(kubectl, WEB, maximum=5, minimum=2, cpu_percent=80))

    assert isinstance(refused, CommandFailed)
    assert made["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    assert (made["spec"]["minReplicas"], made["spec"]["maxReplicas"]) == (2, 5)
    assert made["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 80


def test_replace_puts_over_the_live_version_or_the_named_one(shared: Bench) -> None:
    """A version in the document makes it conditional; --force makes it anew."""
    shared.do(lambda kubectl: create(kubectl, config_map("r")))
    uid = shared.live("ConfigMap", "r")["metadata"]["uid"]
    shared.do(lambda kubectl: replace(kubectl, {**config_map("r"), "data": {"b": "2"}}))
    assert shared.live("ConfigMap", "r")["data"] == {"b": "2"}
    stale = config_map("r")
    stale["metadata"]["resourceVersion"] = "1"
    assert "409" in str(shared.do(lambda kubectl: replace(kubectl, stale)))
    shared.do(lambda kubectl: replace(kubectl, config_map("r"), force=True), seconds=3)
    assert shared.live("ConfigMap", "r")["metadata"]["uid"] != uid


def test_delete_waits_until_finalizers_are_gone(shared: Bench) -> None:
    """By default; --wait=false doesn't, and a name that isn't there is an error unless it may be."""
    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/held"]
    shared.do(lambda kubectl: create(kubectl, held))
    done: list[str] = []

    async def command(kubectl: Any) -> None:
        await delete(kubectl, map_target("held"))
        done.append("gone")

    shared.do(command, seconds=3)
    assert done == []
    shared.do(
        lambda kubectl: patch(kubectl, map_target("held"), {"metadata": {"finalizers": None}}, type=MERGE)
    )
    assert done == ["gone"]
    assert "404" in str(shared.do(lambda kubectl: delete(kubectl, map_target("held"))))
    assert shared.do(lambda kubectl: delete(kubectl, map_target("held"), ignore_not_found=True)) is None


def test_delete_by_selector_takes_all_that_match(shared: Bench) -> None:
    """One by one, as the list has them."""
    for name, app in (("x1", "x"), ("x2", "x"), ("y1", "y")):
        shared.do(partial(create, given=config_map(name, app=app)))
    targets = shared.do(lambda kubectl: delete_selected(kubectl, "configmaps", "default", "app=x"))

    assert [one.name for one in targets] == ["x1", "x2"]
    assert shared.find("ConfigMap", "y1") is not None


@pytest.mark.parametrize(
    ("policy", "grace"),
    [
        (DeletePolicy(), None),
        (DeletePolicy(grace_period_seconds=0), 1),
        (DeletePolicy(grace_period_seconds=0, force=True), 0),
        (DeletePolicy(force=True), 0),
        (DeletePolicy(now=True), 1),
        (DeletePolicy(grace_period_seconds=30, force=True), 30),
    ],
)
def test_zero_seconds_need_force(policy: DeletePolicy, grace: int | None) -> None:
    """delete.go Complete: --grace-period=0 alone is one second, to prevent accidents."""
    assert delete_options(policy).grace_period_seconds == grace
    assert delete_options(policy).propagation_policy == "Background"


def test_cascades_are_asked_for_by_name(shared: Bench) -> None:
    """--cascade=orphan leaves the pods' ReplicaSet without an owner."""
    tree = deployment_tree(1)
    tree["metadata"] = {"name": "lonely", "namespace": "default"}
    tree["spec"]["selector"] = {"matchLabels": {"app": "lonely"}}  # type: ignore[index]
    tree["spec"]["template"]["metadata"] = {"labels": {"app": "lonely"}}  # type: ignore[index]
    shared.do(lambda kubectl: create(kubectl, tree), seconds=3)
    target = Target(resource="deployments", namespace="default", name="lonely")
    shared.do(lambda kubectl: delete(kubectl, target, policy=DeletePolicy(cascade=ORPHAN)), seconds=5)

    assert shared.find("Deployment", "lonely") is None
    assert [name for name in shared.pods() if name.startswith("lonely")]
    assert delete_options(DeletePolicy(cascade=FOREGROUND)).propagation_policy == "Foreground"


def test_run_makes_a_bare_pod(shared: Bench) -> None:
    """Labelled with its name; nobody replaces it."""
    made = shared.do(lambda kubectl: run(kubectl, "bare", "img"))

    assert made["metadata"]["labels"] == {"run": "bare"}
    assert "ownerReferences" not in made["metadata"]


def test_wait_follows_the_object_until_its_condition(shared: Bench) -> None:
    """An informer of one object; a time-out of its own; what isn't there is an error."""
    ready = shared.do(lambda kubectl: wait_for_condition(kubectl, NODE, "Ready"), seconds=2)
    assert ready is None
    late = shared.do(lambda kubectl: wait_for_condition(kubectl, NODE, "Never", timeout_ns=SECOND), seconds=3)
    assert "timed out waiting for the condition on nodes/node-1" in str(late)
    missing = Target(resource="nodes", name="nobody")
    assert "not found" in str(shared.do(lambda kubectl: wait_for_value(kubectl, missing, "{.spec}")))
    assert shared.do(lambda kubectl: wait_until_gone(kubectl, missing)) is None
    assert shared.do(lambda kubectl: wait_for_value(kubectl, WEB, "{.spec.paused}", timeout_ns=1)) is not None


def test_a_condition_of_an_older_generation_does_not_count() -> None:
    """observedGeneration, of the condition or of the status."""
    tree: Tree = {
        "metadata": {"generation": 2},
        "status": {"observedGeneration": 1, "conditions": [{"type": "Available", "status": "True"}]},
    }
    assert not condition_is(tree, "available", "True")
    tree["status"]["observedGeneration"] = 2
    assert condition_is(tree, "available", "true")
    assert not condition_is(tree, "other", "True")


def test_values_are_found_by_path() -> None:
    """Names and numbers."""
    tree: Tree = {"status": {"list": [{"a": 1}, {"a": 2}]}}

    assert value_at(tree, "{.status.list[1].a}") == 2
    assert value_at(tree, "{.status.list[7].a}") is None
    assert value_at(tree, "{.spec.x}") is None
