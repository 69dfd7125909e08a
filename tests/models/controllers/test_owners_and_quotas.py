"""Namespaces, garbage, StatefulSets, budgets and quotas on a real control plane, where recordings don't reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaoskube.models.apiserver.api import CREATE, Request
from chaoskube.models.client.api import ApiClient
from chaoskube.models.controllers.events import GarbageDecided, StatefulPodDecided
from chaoskube.models.objects import (
    ConfigMap,
    KubeObject,
    ObjectMeta,
    PersistentVolumeClaim,
    Pod,
    PodDisruptionBudget,
    ResourceQuota,
    StatefulSet,
    freeze,
)
from chaoskube.sim import SECOND, Refused
from tests.models.controllers.plane import Plane, deployment_tree


@pytest.fixture
def plane() -> Iterator[Plane]:
    """A control plane of three nodes."""
    with_world = Plane()
    yield with_world
    with_world.world.close()


def config_map(name: str, *owners: KubeObject, blocks: bool = True, **more: object) -> dict[str, object]:
    """A ConfigMap owned by these."""
    references = [
        {
            "apiVersion": one.api_version,
            "kind": one.kind,
            "name": one.name,
            "uid": one.uid,
            "blockOwnerDeletion": blocks,
        }
        for one in owners
    ]
    metadata = {"name": name, "namespace": "default", "ownerReferences": references, **more}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def stateful_tree(replicas: int = 2, **more: object) -> dict[str, object]:
    """A StatefulSet as kubectl sends it."""
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [{"name": "app", "image": "v1"}]},
            },
            **more,
        },
    }


def refusal_of(plane: Plane, work: object) -> str:
    """What the server says to a request that it refuses; "" when it doesn't."""
    said: list[str] = []

    async def task(client: ApiClient) -> None:
        try:
            await work(client)  # type: ignore[operator]  # a callable of one client
        except Refused as refusal:
            said.append(str(refusal.status))

    plane.do(task)
    return said[0] if said else ""


# -- namespaces


def test_a_namespace_goes_with_all_that_is_in_it(plane: Plane) -> None:
    """Pods first, then everything else, at last the namespace; nothing can be made in it meanwhile."""
    plane.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    tree = deployment_tree(2)
    tree["metadata"] = {"name": "web", "namespace": "shop"}
    plane.create(tree)
    plane.run(3)
    plane.do(lambda client: client.delete("namespaces", "", "shop"))
    late = ConfigMap(metadata=plane.now("ConfigMap")["kube-root-ca.crt"].metadata)
    assert late.namespace == "shop"
    plane.run(4)
    assert len(plane.now("Pod")) == 2
    plane.run(20)

    gone = [event.key for event in plane.written if event.obj is None and event.key.startswith("shop")]
    assert gone[-1] == "shop"
    assert {"shop/web", "shop/default", "shop/kube-root-ca.crt"} <= set(gone)
    assert "shop" not in plane.now("Namespace")
    pods = [at for at, key in enumerate(gone) if key.count("-") == 2 and key.startswith("shop/web-")]
    assert pods == [0, 1], gone


def test_every_namespace_gets_its_account_and_its_bundle_back(plane: Plane) -> None:
    """Deleted or changed, they are put back."""
    plane.run(1)
    plane.do(lambda client: client.delete("serviceaccounts", "default", "default"))
    plane.do(lambda client: client.delete("configmaps", "default", "kube-root-ca.crt"))
    plane.do(
        lambda client: client.patch(
            "configmaps", "kube-public", "kube-root-ca.crt", {"data": {"ca.crt": "x"}}
        )
    )
    plane.run(1)

    held = {
        event.key: event.obj for event in plane.written if event.resource in ("serviceaccounts", "configmaps")
    }
    assert held["default/default"] is not None
    assert held["default/kube-root-ca.crt"] is not None
    bundle = held["kube-public/kube-root-ca.crt"]
    assert isinstance(bundle, ConfigMap) and bundle.data == {"ca.crt": ""}


# -- garbage


def test_two_that_own_each_other_go_in_the_foreground(plane: Plane) -> None:
    """Each waits for the other: the collector takes the block away."""
    plane.create(config_map("a"))
    plane.create(config_map("b", plane.now("ConfigMap")["a"]))
    owner = config_map("a", plane.now("ConfigMap")["b"])["metadata"]
    assert isinstance(owner, dict)
    plane.do(
        lambda client: client.patch(
            "configmaps", "default", "a", {"metadata": {"ownerReferences": tuple(owner["ownerReferences"])}}
        )
    )
    plane.do(lambda client: client.delete("configmaps", "default", "a", propagation_policy="Foreground"))
    plane.run(3)

    assert not {"a", "b"} & set(plane.now("ConfigMap"))


def test_an_owner_whose_name_was_taken_again_is_no_owner(plane: Plane) -> None:
    """The uid decides, and the collector asks the server, not its cache."""
    plane.create(config_map("owner"))
    first = plane.now("ConfigMap")["owner"]
    plane.do(lambda client: client.delete("configmaps", "default", "owner"))
    plane.create(config_map("owner"))
    plane.create(config_map("child", first))
    plane.run(1)

    assert "child" not in plane.now("ConfigMap") and "owner" in plane.now("ConfigMap")
    decided = [
        entry.event for entry in plane.world.journal.entries if isinstance(entry.event, GarbageDecided)
    ]
    assert [(one.key, one.owners) for one in decided] == [("default/child", (first.uid,))]


def test_one_kind_that_cannot_be_listed_stops_nothing(plane: Plane) -> None:
    """It begins without that kind after 30 s (waited for for ever before 1.30)."""
    plane.world.network.delay_stream("*", "controller-manager-0", "watch/podtemplates", 10_000 * SECOND)
    plane.world.processes["controller-manager-0"].exit()
    plane.create(config_map("owner"))
    plane.create(config_map("child", plane.now("ConfigMap")["owner"]))
    plane.do(lambda client: client.delete("configmaps", "default", "owner"))
    plane.run(20)
    assert "child" in plane.now("ConfigMap")
    plane.run(20)

    assert "child" not in plane.now("ConfigMap")


def test_a_collector_that_sees_late_deletes_nothing_that_lives(plane: Plane) -> None:
    """Its watch is 20 s behind: it decides by live reads, and by the version that they showed."""
    plane.world.network.delay_stream("*", "controller-manager-0", "watch/configmaps", 20 * SECOND)
    plane.create(config_map("owner"))
    plane.create(config_map("other"))
    maps = plane.now("ConfigMap")
    plane.create(config_map("child", maps["owner"]))
    plane.do(lambda client: client.delete("configmaps", "default", "owner"))
    other = config_map("child", maps["other"])["metadata"]
    assert isinstance(other, dict)
    patch = {"metadata": {"ownerReferences": tuple(other["ownerReferences"])}}
    plane.do(lambda client: client.patch("configmaps", "default", "child", patch))
    plane.run(60)

    child = plane.now("ConfigMap")["child"]
    assert [owner.name for owner in child.metadata.owner_references] == ["other"]


def test_custom_objects_own_and_are_owned(plane: Plane) -> None:
    """A kind that a definition added is watched from the next look at the definitions on, within 30 s."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    plane.create(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "stores.example.com"},
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"plural": "stores", "singular": "store", "kind": "Store"},
                "versions": [version],
            },
        }
    )
    plane.run(3)

    def make(name: str, *owners: KubeObject) -> KubeObject:
        metadata = config_map(name, *owners)["metadata"]
        body = freeze({"apiVersion": "example.com/v1", "kind": "Store", "metadata": metadata})
        request = Request(
            verb=CREATE, resource="stores.example.com", namespace="default", name=name, body=body
        )
        plane.do(lambda client: client.call(request))
        return plane.now("Store")[name]

    plane.create(config_map("child", make("owner")))
    make("grandchild", plane.now("ConfigMap")["child"])
    plane.run(35)
    assert {"owner", "grandchild"} == set(plane.now("Store"))
    plane.do(lambda client: client.delete("stores.example.com", "default", "owner"))
    plane.run(5)

    assert not plane.now("Store") and "child" not in plane.now("ConfigMap")


# -- StatefulSets


def test_a_silent_nodes_pod_keeps_its_name_until_it_is_gone(plane: Plane) -> None:
    """Told to go on a node that doesn't hear it: no second db-0 before somebody takes the first away by force."""
    plane.create(stateful_tree())
    plane.run(4)
    first = plane.now("Pod")["db-0"]
    assert isinstance(first, Pod) and set(plane.now("Pod")) == {"db-0", "db-1"}
    plane.silent.add(first.spec.node_name or "")
    plane.do(lambda client: client.delete("pods", "default", "db-0"))
    plane.run(30)
    assert plane.now("Pod")["db-0"].uid == first.uid
    plane.do(lambda client: client.delete("pods", "default", "db-0", grace_period_seconds=0))
    plane.run(3)

    second = plane.now("Pod")["db-0"]
    assert isinstance(second, Pod) and second.uid != first.uid
    assert second.spec.node_name != first.spec.node_name
    statefulset = plane.now("StatefulSet")["db"]
    assert isinstance(statefulset, StatefulSet) and statefulset.status.ready_replicas == 2


def test_a_cache_that_is_behind_makes_no_pod_twice(plane: Plane) -> None:
    """It is not read before it has reached what this controller itself has written."""
    plane.world.network.delay_stream("*", "controller-manager-0", "watch/pods", 2 * SECOND)
    plane.create(stateful_tree(3, podManagementPolicy="Parallel"))
    plane.run(12)

    decided = [
        entry.event for entry in plane.world.journal.entries if isinstance(entry.event, StatefulPodDecided)
    ]
    assert sorted(one.pod for one in decided if one.step == "create") == [
        "default/db-0",
        "default/db-1",
        "default/db-2",
    ]


def test_claims_stay_when_a_set_shrinks_and_are_used_again(plane: Plane) -> None:
    """Retain is the default: db-1 comes back to its own claim."""
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    plane.create(stateful_tree(2, volumeClaimTemplates=[claim]))
    plane.run(3)
    before = plane.now("PersistentVolumeClaim")
    for replicas in (1, 2):
        patch = {"spec": {"replicas": replicas}}
        plane.do(lambda client, patch=patch: client.patch("statefulsets", "default", "db", patch))  # type: ignore[misc]
        plane.run(3)

    after = plane.now("PersistentVolumeClaim")
    assert set(after) == {"data-db-0", "data-db-1"}
    assert {name: one.uid for name, one in after.items()} == {name: one.uid for name, one in before.items()}
    pod, own = plane.now("Pod")["db-1"], after["data-db-1"]
    assert isinstance(pod, Pod) and isinstance(own, PersistentVolumeClaim)
    source = pod.spec.volumes[0].persistent_volume_claim
    assert source is not None and source.claim_name == own.name and not own.metadata.owner_references


# -- budgets


def test_a_budget_of_one_lets_one_pod_go_at_a_time(plane: Plane) -> None:
    """Asked for two at once, the API server grants one; the next when the first is replaced."""
    plane.create(deployment_tree(3))
    plane.create(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        }
    )
    plane.run(2)
    names = sorted(plane.now("Pod"))

    def evict(name: str) -> object:
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": "default"},
        }
        request = Request(
            verb=CREATE, resource="pods", namespace="default", name=name, subresource="eviction", body=body
        )
        return lambda client: client.call(request)

    assert refusal_of(plane, evict(names[0])) == ""
    assert refusal_of(plane, evict(names[1])).startswith("429 TooManyRequests: Cannot evict pod")
    plane.run(3)
    budget = plane.now("PodDisruptionBudget")["web"]
    assert isinstance(budget, PodDisruptionBudget)
    assert (budget.status.disruptions_allowed, budget.status.expected_pods) == (1, 3)
    assert not budget.status.disrupted_pods
    assert refusal_of(plane, evict(names[1])) == ""


# -- quotas


def test_what_is_deleted_is_given_back_to_its_quota(plane: Plane) -> None:
    """Charged by the server, given back by the controller."""
    plane.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "few", "namespace": "kube-public"},
            "spec": {"hard": {"configmaps": "2"}},
        }
    )
    plane.run(1)

    def used() -> str:
        quota = plane.now("ResourceQuota")["few"]
        assert isinstance(quota, ResourceQuota)
        return quota.status.used["configmaps"].canonical()

    def make(name: str) -> str:
        made = ConfigMap(metadata=ObjectMeta(name=name, namespace="kube-public"))
        return refusal_of(plane, lambda client: client.create(made))

    assert used() == "1"  # the bundle
    assert make("a") == ""
    assert "exceeded quota: few" in make("b")
    plane.do(lambda client: client.delete("configmaps", "kube-public", "a"))
    plane.run(1)
    assert used() == "1"
    assert make("b") == ""
