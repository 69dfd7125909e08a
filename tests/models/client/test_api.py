"""Whom a client acts as, on a cluster that checks it: a user of a group, or the account that a token names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaoskube.models.apiserver.api import Request, Response
from chaoskube.models.apiserver.events import Written
from chaoskube.models.client.api import ApiClient
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.models.objects import decode, default
from chaoskube.models.objects.yaml import load_documents
from chaoskube.sim import SECOND, World

RIGHTS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: app, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: writes-pages, namespace: default}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: writes-pages, namespace: default}
subjects: [{kind: ServiceAccount, name: app, namespace: default}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writes-pages}
"""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster in which the account `app` may create ConfigMaps, and nothing else."""
    with World(seed=11) as world:
        documents = [decode(default(one.tree)) for one in load_documents(RIGHTS, "rights")]
        cluster = Cluster(world, Shape(nodes=1, managers=1, schedulers=1), documents)
        assert world.run_until(lambda: cluster.warm() is None, 60 * SECOND, SECOND), cluster.warm()
        yield cluster


def ask(cluster: Cluster, client: ApiClient, verb: str, resource: str, name: str = "", **fields: Any) -> Any:
    """The answer."""
    answers: list[Any] = []
    request = Request(verb=verb, resource=resource, namespace="default", name=name, **fields)
    client.request(request, answers.append)
    assert cluster.world.run_until(lambda: bool(answers), 30 * SECOND, SECOND // 100)
    assert isinstance(answers[0], Response), answers[0]
    return answers[0]


def page(name: str) -> Any:
    return decode({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})


def test_kubectl_may_do_everything_by_its_group(cluster: Cluster) -> None:
    """It is the group that counts, as in an administrator's certificate: no name and no rule gives these rights."""
    kubectl = cluster.kubectl.client
    jane = kubectl.as_user("jane")
    administrator = kubectl.as_user("jane", groups=("system:masters",))

    assert kubectl.caller.groups == ("system:masters",)
    assert ask(cluster, kubectl, "list", "secrets").code == 200
    assert ask(cluster, administrator, "list", "secrets").code == 200
    assert ask(cluster, jane, "list", "secrets").code == 403


def test_a_client_with_a_token_is_the_account_that_the_token_names(cluster: Cluster) -> None:
    """Whoever it was before; the audit log says so, and rights end with the account."""
    kubectl = cluster.kubectl.client
    made = ask(cluster, kubectl, "create", "serviceaccounts", "app", subresource="token", body={"spec": {}})
    app = kubectl.with_token(made.body.content["status"]["token"])

    assert ask(cluster, app, "create", "configmaps", body=page("one")).code == 201
    assert ask(cluster, app, "list", "secrets").code == 403
    writes = [one.event for one in cluster.world.journal.entries if isinstance(one.event, Written)]
    assert [one.user for one in writes if one.key == "default/one"] == ["system:serviceaccount:default:app"]

    ask(cluster, kubectl, "delete", "serviceaccounts", "app")
    cluster.world.advance(SECOND)
    assert ask(cluster, app, "create", "configmaps", body=page("two")).code == 401
