"""A whole cluster under RBAC: every component may do what it needs, as itself, and not more than its rules say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaoskube.models.apiserver.api import Request, Response
from chaoskube.models.apiserver.events import Denied, Rejected, Written
from chaoskube.models.client.api import ApiClient
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.models.objects import ClusterRole, Pod, decode, default, evolve
from chaoskube.models.objects.yaml import load_documents
from chaoskube.sim import SECOND, Process, World

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""


class Desk:
    """A warm cluster, and an administrator beside it."""

    def __init__(self, world: World) -> None:
        documents = [decode(default(one.tree)) for one in load_documents(SHOP, "shop")]
        self.world = world
        self.cluster = Cluster(world, Shape(apiservers=2, managers=1, schedulers=1, nodes=2), documents)
        self._client: ApiClient | None = None
        process = world.process("desk", host="desk", boot=self._boot)
        process.start()
        assert world.run_until(lambda: self.cluster.warm() is None, 60 * SECOND, SECOND), self.cluster.warm()

    def _boot(self, process: Process) -> None:
        self._client = ApiClient(process, self.cluster._servers, user="admin")  # where the servers are

    def ask(self, verb: str, resource: str, name: str = "", **fields: Any) -> Any:
        """The body of the answer."""
        answers: list[Any] = []
        assert self._client is not None
        self._client.request(Request(verb=verb, resource=resource, name=name, **fields), answers.append)
        assert self.world.run_until(lambda: bool(answers), 30 * SECOND, SECOND // 100)
        assert isinstance(answers[0], Response), answers[0]
        return answers[0].body

    def events(self, kind: type[Any]) -> list[Any]:
        return [one.event for one in self.world.journal.entries if isinstance(one.event, kind)]

    def take_away(self, role: str, resource: str, verb: str) -> None:
        """From now on the role doesn't allow that any more."""
        found = self.ask("get", "clusterroles", role)
        assert isinstance(found, ClusterRole), found
        rules = []
        for rule in found.rules:
            if resource in rule.resources:
                rule = evolve(rule, verbs=tuple(one for one in rule.verbs if one != verb))
            if rule.verbs:
                rules.append(rule)
        assert tuple(rules) != found.rules, f"{role} never allowed to {verb} {resource}"
        changed = self.ask("update", "clusterroles", role, body=evolve(found, rules=tuple(rules)))
        assert isinstance(changed, ClusterRole), changed
        self.world.advance(SECOND)

    def pods(self) -> list[Pod]:
        found = self.ask("list", "pods", namespace="default")
        return [pod for pod in found.items if pod.metadata.deletion_timestamp is None]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with World(seed=3) as world:
        yield Desk(world)


def a_pod_goes(desk: Desk) -> None:
    desk.ask("delete", "pods", desk.pods()[0].name, namespace="default")


def it_is_scaled(desk: Desk) -> None:
    body = {"spec": {"replicas": 3}}
    desk.ask("patch", "deployments", "web", namespace="default", patch_type="merge", body=body)


def a_node_dies(desk: Desk) -> None:
    desk.world.hosts["node-1"].crash()


def test_a_calm_cluster_is_never_denied_anything(desk: Desk) -> None:
    """From the first moment: components start, work is done, pods come and go, a node dies."""
    it_is_scaled(desk)
    a_pod_goes(desk)
    desk.world.advance(20 * SECOND)
    a_node_dies(desk)
    desk.world.advance(120 * SECOND)

    assert desk.events(Denied) == []
    assert [one for one in desk.events(Rejected) if one.code in (401, 403)] == []


def test_every_component_writes_as_itself(desk: Desk) -> None:
    """The audit log names who did it."""
    a_pod_goes(desk)
    desk.world.advance(30 * SECOND)
    users = {(one.resource, one.subresource): one.user for one in desk.events(Written)}

    accounts = "system:serviceaccount:kube-system:"
    assert users["replicasets", ""] == f"{accounts}deployment-controller"
    assert users["endpointslices", ""] == f"{accounts}endpointslice-controller"
    assert users["pods", "binding"] == "system:kube-scheduler"
    assert users["pods", "status"].startswith("system:node:node-")
    assert users["nodes", "status"].startswith("system:node:node-")
    created = {
        one.user
        for one in desk.events(Written)
        if (one.verb, one.resource, one.subresource) == ("create", "pods", "")
    }
    assert created == {f"{accounts}replicaset-controller"}


ACCOUNT = "system:serviceaccount:kube-system:"


@pytest.mark.parametrize(
    ("role", "resource", "verb", "user", "happening", "seconds"),
    [
        (
            "system:controller:replicaset-controller",
            "pods",
            "create",
            f"{ACCOUNT}replicaset-controller",
            a_pod_goes,
            10,
        ),
        (
            "system:controller:replicaset-controller",
            "replicasets/status",
            "update",
            f"{ACCOUNT}replicaset-controller",
            a_pod_goes,
            10,
        ),
        (
            "system:controller:deployment-controller",
            "replicasets",
            "update",
            f"{ACCOUNT}deployment-controller",
            it_is_scaled,
            10,
        ),
        (
            "system:controller:deployment-controller",
            "deployments/status",
            "update",
            f"{ACCOUNT}deployment-controller",
            it_is_scaled,
            10,
        ),
        (
            "system:controller:endpointslice-controller",
            "endpointslices",
            "update",
            f"{ACCOUNT}endpointslice-controller",
            a_pod_goes,
            10,
        ),
        ("system:kube-scheduler", "pods/binding", "create", "system:kube-scheduler", a_pod_goes, 10),
        ("system:controller:node-controller", "nodes", "patch", f"{ACCOUNT}node-controller", a_node_dies, 70),
    ],
)
def test_a_component_without_one_of_its_rules_fails_at_that(
    desk: Desk, role: str, resource: str, verb: str, user: str, happening: Any, seconds: int
) -> None:
    """Each rule is there because somebody needs it; and nothing else lets the same happen."""
    desk.take_away(role, resource, verb)
    happening(desk)
    desk.world.advance(seconds * SECOND)

    denied = {(one.user, one.verb, one.resource) for one in desk.events(Denied)}
    assert denied == {(user, verb, resource)}
