"""Tokens of service accounts: who may have one, what it allows, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaoskube.models.apiserver.api import DeleteOptions
from chaoskube.models.apiserver.server_options import ServerOptions
from chaoskube.models.apiserver.tokens import decoded
from chaoskube.models.objects import Pod, decode
from chaoskube.sim import SECOND, World

ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app"}}
RBAC = "rbac.authorization.k8s.io/v1"


@pytest.fixture
def guarded(control_plane: Any) -> Iterator[Any]:
    """A control plane in which the account `app` may list ConfigMaps, and a pod that runs as it."""
    with World(seed=13) as world:
        api = control_plane(world, ServerOptions())
        api.do("create", "serviceaccounts", user="admin", body=decode(ACCOUNT))
        rule = {"verbs": ["list", "watch"], "apiGroups": [""], "resources": ["configmaps"]}
        role = {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "r"}, "rules": [rule]}
        binding = {
            "apiVersion": RBAC,
            "kind": "RoleBinding",
            "metadata": {"name": "r"},
            "subjects": [{"kind": "ServiceAccount", "name": "app", "namespace": "default"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        }
        api.do("create", "roles", user="admin", body=decode(role))
        api.do("create", "rolebindings", user="admin", body=decode(binding))
        spec = {
            "nodeName": "node-1",
            "serviceAccountName": "app",
            "containers": [{"name": "c", "image": "i"}],
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
        api.do("create", "pods", user="admin", body=decode(pod))
        world.advance(SECOND)
        yield api


def ask_for(api: Any, user: str = "admin", name: str = "app", **spec: Any) -> Any:
    return api.do("create", "serviceaccounts", name, subresource="token", user=user, body={"spec": spec})


def token_of(api: Any, **spec: Any) -> str:
    made = ask_for(api, **spec)
    return str(made.content["status"]["token"])


def code_with(api: Any, token: str, server: int = 0) -> int:
    return int(api.ask(api.request("list", "configmaps", token=token), server).code)


def test_a_token_is_its_account(guarded: Any) -> None:
    """With the account's rights, and no others."""
    token = token_of(guarded)

    assert decoded(token)["sub"] == "system:serviceaccount:default:app"
    assert code_with(guarded, token) == 200
    assert guarded.do("list", "secrets", token=token).code == 403


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "a.e30.c"])
def test_what_is_no_token_is_nobody(guarded: Any, token: str) -> None:
    """401, before anything is asked."""
    said = guarded.do("list", "configmaps", token=token)

    assert (said.code, said.reason, said.message) == (401, "Unauthorized", "Unauthorized")


def test_a_token_ends(guarded: Any) -> None:
    """At the time it says, which is an hour away unless asked otherwise; ten minutes at least."""
    token = token_of(guarded, expirationSeconds=600)
    guarded.world.advance(590 * SECOND)
    before = code_with(guarded, token)
    guarded.world.advance(20 * SECOND)

    assert (before, code_with(guarded, token)) == (200, 401)
    assert "may not specify a duration less than 10 minutes" in ask_for(guarded, expirationSeconds=1).message


def test_a_token_dies_with_its_pod_a_watch_later(guarded: Any) -> None:
    """Each server for itself: the one whose watch is late still believes it."""
    pod = guarded.do("get", "pods", "p", user="admin")
    assert isinstance(pod, Pod)
    token = token_of(guarded, boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": pod.uid})
    guarded.delay_etcd_watch(1, "pods", 10 * SECOND)
    now = DeleteOptions(grace_period_seconds=0)
    guarded.do("delete", "pods", "p", user="admin", delete_options=now)
    guarded.world.advance(SECOND)

    assert (code_with(guarded, token, 0), code_with(guarded, token, 1)) == (401, 200)


def test_a_token_dies_with_its_account_even_if_another_takes_the_name(guarded: Any) -> None:
    """The uid counts."""
    token = token_of(guarded)
    guarded.do("delete", "serviceaccounts", "app", user="admin")
    guarded.do("create", "serviceaccounts", user="admin", body=decode(ACCOUNT))
    guarded.world.advance(SECOND)

    assert code_with(guarded, token) == 401


def test_a_kubelet_gets_tokens_for_its_own_pods_alone(guarded: Any) -> None:
    """Authorizer and NodeRestriction together."""
    uid = guarded.do("get", "pods", "p", user="admin").uid
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": uid}
    own = ask_for(guarded, user="system:node:node-1", boundObjectRef=reference)
    unbound = ask_for(guarded, user="system:node:node-1")
    neighbour = ask_for(guarded, user="system:node:node-2", boundObjectRef=reference)

    assert own.kind == "TokenRequest"
    assert unbound.message.endswith("node requested token not bound to a pod")
    assert "no relationship found between node 'node-2' and this object" in neighbour.message


def test_a_token_for_nobody_is_not_found(guarded: Any) -> None:
    """404, with the account's name."""
    assert ask_for(guarded, name="ghost").message == 'serviceaccounts "ghost" not found'
