"""What admission is asked about when something else than the object itself is written: bindings, evictions, scales."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chaoskube.models.apiserver.server_options import ServerOptions
from chaoskube.models.apiserver.webhook_calls import Review, Verdict
from chaoskube.models.objects import decode, encode
from chaoskube.models.webhook import allow, boot_webhook, deny
from chaoskube.sim import SECOND, World

CONTAINERS = [{"name": "c", "image": "i"}]


def pod(name: str = "p", node: str = "") -> Any:
    spec: dict[str, Any] = {"containers": CONTAINERS, **({"nodeName": node} if node else {})}
    return decode({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})


def deployment() -> Any:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": CONTAINERS}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return decode({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})


def hook(api: Any, kind: str, rule: dict[str, str], decide: Callable[[Review], Verdict]) -> list[Review]:
    """Register a webhook that is asked by this rule; what it is asked."""
    asked: list[Review] = []

    def answer(review: Review) -> Verdict:
        asked.append(review)
        return decide(review)

    name = f"{kind.lower()}-{rule['resources'].replace('/', '-')}"
    process = api.world.process(name, host=f"host-{name}", boot=lambda p: boot_webhook(p, answer))
    process.start()
    webhook = {
        "name": f"{name}.example.com",
        "clientConfig": {"url": f"https://{api.world.network.ip_of(f'host-{name}')}:8443/"},
        "rules": [{"apiVersions": ["v1"], **{key: [value] for key, value in rule.items()}}],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    path = f"/apis/admissionregistration.k8s.io/v1/{kind.lower()}webhookconfigurations"
    code, said = api.http("POST", path, body={"metadata": {"name": name}, "webhooks": [webhook]})
    assert code == 201, said
    api.world.advance(SECOND)
    return asked


def rule(resources: str, operation: str, group: str = "") -> dict[str, str]:
    return {"apiGroups": group, "operations": operation, "resources": resources}


def bind(api: Any, node: str = "node-1", *, path: str = "pods/p/binding") -> Any:
    body = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": node}}
    return api.http("POST", f"/api/v1/namespaces/default/{path}", body=body)


def evict(api: Any, **fields: Any) -> Any:
    return api.do("create", "pods", "p", subresource="eviction", body={"metadata": {"name": "p"}}, **fields)


def node_of(api: Any) -> str:
    return str(encode(api.do("get", "pods", "p"))["spec"].get("nodeName", ""))


@pytest.mark.parametrize(
    ("path", "resources"), [("pods/p/binding", "pods/binding"), ("bindings", "bindings")]
)
def test_a_webhook_may_refuse_a_binding(api: Any, path: str, resources: str) -> None:
    """It is told of the Binding, before the pod is touched; whoever asks about pods alone isn't."""
    api.create(pod())
    asked = hook(api, "Validating", rule(resources, "CREATE"), lambda one: deny(one, "not there"))
    others = hook(api, "Validating", rule("pods", "*"), allow)
    code, said = bind(api, path=path)

    assert (code, node_of(api)) == (403, "")
    assert said["message"].endswith("denied the request: not there")
    (review,) = asked
    assert review.obj is not None and encode(review.obj)["target"] == {"kind": "Node", "name": "node-1"}
    assert others == []


def test_a_webhook_may_change_where_a_pod_goes(api: Any) -> None:
    """What it leaves is what is done."""
    api.create(pod())
    change: dict[str, object] = {"op": "replace", "path": "/target/name", "value": "node-2"}
    hook(api, "Mutating", rule("pods/binding", "CREATE"), lambda one: allow(one, change))

    assert bind(api)[0] == 201
    assert node_of(api) == "node-2"


def test_an_eviction_asks_who_watches_evictions_and_not_who_watches_deletions(api: Any) -> None:
    """The pod that goes by it was admitted already (eviction.go deletes with ValidateAllObjectFunc)."""
    api.create(pod())
    evictions = hook(
        api, "Validating", rule("pods/eviction", "CREATE"), lambda one: deny(one, "hold") if one.dry_run else allow(one)
    )  # fmt: skip
    deletions = hook(api, "Validating", rule("pods", "DELETE"), lambda one: deny(one, "never"))

    assert evict(api, dry_run=True).message.endswith("denied the request: hold")
    assert evict(api).code == 201
    assert [(one.operation, one.subresource, one.name) for one in evictions] == [
        ("CREATE", "eviction", "p")
    ] * 2
    assert deletions == []
    api.create(pod("q"))
    assert api.do("delete", "pods", "q").message.endswith("denied the request: never")


def test_nothing_is_evicted_in_a_namespace_that_goes(api: Any) -> None:
    """As kubectl's drain knows: it then waits for the pods to be deleted (drain.go, evictPods)."""
    api.do(
        "create",
        "namespaces",
        body=decode({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}),
    )
    api.do("create", "pods", namespace="n", body=pod())
    api.do("delete", "namespaces", "n")
    api.world.advance(SECOND)
    said = evict(api, namespace="n")

    assert (said.code, [one.reason for one in said.causes]) == (403, ["NamespaceTerminating"])


def test_a_webhook_sees_a_scale_before_and_after(api: Any) -> None:
    """Of the view, whoever changes it; who asks about deployments alone isn't told."""
    api.create(deployment())
    asked = hook(api, "Validating", rule("deployments/scale", "UPDATE", "apps"), lambda one: deny(one, "no"))
    others = hook(api, "Validating", rule("deployments", "UPDATE", "apps"), allow)
    patch = {"spec": {"replicas": 5}}
    said = api.do("patch", "deployments", "web", subresource="scale", body=patch, patch_type="merge")

    assert said.message.endswith("denied the request: no")
    (review,) = asked
    assert review.obj is not None and review.old is not None
    assert (review.obj.kind, encode(review.obj)["spec"], encode(review.old)["spec"]) == (
        "Scale", {"replicas": 5}, {"replicas": 1},
    )  # fmt: skip
    assert (api.do("get", "deployments", "web").spec.replicas, others) == (1, [])


def test_a_webhook_may_hold_a_scale_down(api: Any) -> None:
    """What it leaves is what is stored."""
    api.create(deployment())
    change = {"op": "replace", "path": "/spec/replicas", "value": 2}
    hook(api, "Mutating", rule("deployments/scale", "UPDATE", "apps"), lambda one: allow(one, change))
    patch = {"spec": {"replicas": 5}}
    api.do("patch", "deployments", "web", subresource="scale", body=patch, patch_type="merge")

    assert api.do("get", "deployments", "web").spec.replicas == 2


@pytest.fixture
def guarded(control_plane: Any) -> Iterator[Any]:
    """A control plane that restricts nodes."""
    with World(seed=13) as world:
        yield control_plane(world, ServerOptions())


def test_a_kubelet_evicts_its_own_pods_alone(guarded: Any) -> None:
    """NodeRestriction looks the pod up; what isn't there is 404."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    guarded.do("create", "serviceaccounts", user="admin", body=decode(account))
    guarded.do("create", "pods", user="admin", body=pod(node="node-1"))
    guarded.world.advance(SECOND)
    stranger = evict(guarded, user="system:node:node-2")
    own = evict(guarded, user="system:node:node-1")
    guarded.world.advance(SECOND)

    assert stranger.message.endswith("node node-2 can only evict pods with spec.nodeName set to itself")
    assert own.code == 201


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"kind": "Node"}, "target.name: Required value"),
        (
            {"kind": "Pod", "name": "n"},
            'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
        ),
    ],
)
def test_a_binding_that_points_nowhere_is_a_bare_error(api: Any, target: Any, message: str) -> None:
    """core/pod/storage/storage.go: what ValidatePodBinding finds goes back as an aggregate, not as an Invalid."""
    path = "/api/v1/namespaces/default/pods/p/binding"
    code, answer = api.http("POST", path, None, None, {"metadata": {"name": "p"}, "target": target})

    assert (code, answer["message"], answer.get("reason")) == (500, message, None)
