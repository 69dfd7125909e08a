"""What a quota's status should say (resource_quota_controller.go)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from attrs import evolve

from chaoskube.models.apiserver.admission.amounts import add
from chaoskube.models.controllers.resource_quota_core import counted, frees, is_of_quota, is_urgent
from chaoskube.models.objects import (
    ConfigMap,
    KubeObject,
    ObjectMeta,
    Pod,
    PodSpec,
    Quantity,
    ResourceQuota,
    ResourceQuotaSpec,
    ResourceQuotaStatus,
    freeze,
)
from chaoskube.models.objects.pod import Container, ResourceRequirements
from chaoskube.models.objects.resources import Resource, resource_of
from chaoskube.sim import SECOND
from tests.models.controllers.making import pod

PODS, MAPS = resource_of("pods"), resource_of("configmaps")
BOTH = (PODS, MAPS)
NOW = 1000 * SECOND


def amounts(**named: str) -> dict[str, Quantity]:
    """Amounts by name, `requests_cpu` for requests.cpu."""
    return {name.replace("_", "."): Quantity(text) for name, text in named.items()}


def quota(hard: dict[str, Quantity], status: ResourceQuotaStatus | None = None) -> ResourceQuota:
    """A quota of that size."""
    return ResourceQuota(
        metadata=ObjectMeta(name="q", namespace="ns"),
        spec=ResourceQuotaSpec(hard=freeze(hard)),
        status=status or ResourceQuotaStatus(),
    )


def hungry(name: str, cpu: str, phase: str = "Running") -> Pod:
    """A pod that asks for that much."""
    requests = ResourceRequirements(requests=freeze({"cpu": Quantity(cpu)}))
    spec = PodSpec(containers=(Container(name="app", resources=requests),), node_name="node-1")
    return evolve(pod(name, phase=phase), spec=spec)


def listed(resource: Resource) -> Iterable[KubeObject]:
    """Two pods that run, one that has ended, and a ConfigMap."""
    if resource is PODS:
        return (hungry("a", "100m"), hungry("b", "200m"), hungry("c", "1", "Succeeded"))
    return (ConfigMap(metadata=ObjectMeta(name="m", namespace="ns")),)


def texts(made: ResourceQuota) -> dict[str, str]:
    """What is used, as it is written."""
    return {name: amount.canonical() for name, amount in made.status.used.items()}


def test_pods_that_have_ended_count_as_objects_alone() -> None:
    """requests, pods and count/pods are three questions."""
    hard = {**amounts(requests_cpu="1", pods="5", configmaps="3", services="2"), "count/pods": Quantity("9")}
    new = counted(quota(hard), BOTH, listed, NOW)

    assert texts(new) == {"requests.cpu": "300m", "pods": "2", "count/pods": "3", "configmaps": "1"}
    assert new.status.hard == hard
    assert counted(new, BOTH, listed, NOW) is new


def test_zero_is_said_and_what_is_no_longer_limited_is_dropped() -> None:
    """Admission refuses what it has no number for."""
    old = ResourceQuotaStatus(hard=freeze(amounts(pods="5", secrets="1")), used=freeze(amounts(secrets="1")))
    new = counted(quota(amounts(pods="5"), old), BOTH, lambda _: (), NOW)

    assert texts(new) == {"pods": "0"}


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [("0", "100Mi", "100Mi"), ("512Mi", "512Mi", "1Gi"), ("600", "400", "1k"), ("1536Mi", "1", "1610612737"),
     ("500m", "1", "1500m")],
)  # fmt: skip
def test_a_sum_is_written_as_the_server_writes_amounts(first: str, second: str, total: str) -> None:
    """resource/quantity.go, Add and CanonicalizeBytes: the largest suffix that leaves a whole number, in the form of
    the first amount that isn't zero."""
    assert add({"a": Quantity(first)}, {"a": Quantity(second)})["a"].text == total


def test_a_quota_that_knows_nothing_yet_comes_first() -> None:
    """Nothing can be created before its first count."""
    fresh = quota(amounts(pods="5"))
    known = counted(fresh, BOTH, listed, NOW)
    half = evolve(known, status=evolve(known.status, used=freeze({})))

    assert is_urgent(fresh, BOTH) and is_urgent(half, BOTH)
    assert not is_urgent(known, BOTH)
    assert is_of_quota(known, PODS) and not is_of_quota(known, MAPS)


def test_a_pod_frees_what_it_had_when_it_ends_or_should_have() -> None:
    """Not when it becomes ready."""
    running, ready = hungry("a", "1"), evolve(hungry("a", "1"), status=pod("a", ready=True).status)
    ended = hungry("a", "1", "Succeeded")
    going = evolve(
        running,
        metadata=evolve(
            running.metadata, deletion_timestamp=NOW - 60 * SECOND, deletion_grace_period_seconds=30
        ),
    )

    assert frees(PODS, running, ended, NOW)
    assert frees(PODS, running, going, NOW) and not frees(PODS, running, going, NOW - 40 * SECOND)
    assert not frees(PODS, running, ready, NOW)
    assert not frees(PODS, ended, ended, NOW)
