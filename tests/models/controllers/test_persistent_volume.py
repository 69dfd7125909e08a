"""Volumes and claims in a running control plane: bound, released, protected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chaoskube.models.client.api import ApiClient
from chaoskube.models.controllers.pv_protection import FINALIZER, finalizers_of
from chaoskube.models.objects import KubeObject, ObjectMeta, PersistentVolume, PersistentVolumeStatus, decode
from chaoskube.sim import SECOND
from tests.models.controllers.plane import Plane


@pytest.fixture
def plane() -> Iterator[Plane]:
    """A control plane without nodes."""
    with_world = Plane(nodes=0)
    yield with_world
    with_world.world.close()


def volume(name: str, size: str = "1Gi") -> KubeObject:
    return decode(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": size},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "manual",
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": f"/{name}"},
            },
        }
    )


def claim(name: str, size: str = "1Gi") -> KubeObject:
    return decode(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "manual",
                "resources": {"requests": {"storage": size}},
            },
        }
    )


def found(plane: Plane, resource: str, namespace: str, name: str) -> Any:
    """The object as a user reads it."""
    kept: list[KubeObject] = []

    async def read(client: ApiClient) -> None:
        kept.append(await client.get(resource, namespace, name))

    plane.do(read)
    return kept[0]


def until(plane: Plane, second: int) -> None:
    """Let the world go on until then."""
    plane.world.advance(second * SECOND - plane.world.now)


def test_a_claim_gets_a_volume_and_the_volume_is_released_when_the_claim_goes(plane: Plane) -> None:
    """pv_controller.go: the recording sts-volume-claims shows the same writes."""
    until(plane, 10)
    plane.do(lambda client: client.create(volume("small")))
    plane.do(lambda client: client.create(volume("big", "5Gi")))
    plane.do(lambda client: client.create(claim("data", "2Gi")))
    until(plane, 12)
    bound, volume_bound = (
        found(plane, "persistentvolumeclaims", "default", "data"),
        found(plane, "persistentvolumes", "", "big"),
    )
    plane.do(lambda client: client.delete("persistentvolumeclaims", "default", "data"))
    until(plane, 14)

    assert (bound.spec.volume_name, bound.status.phase) == ("big", "Bound")
    assert (volume_bound.status.phase, volume_bound.spec.claim_ref.name) == ("Bound", "data")
    assert found(plane, "persistentvolumes", "", "small").status.phase == "Available"
    assert found(plane, "persistentvolumes", "", "big").status.phase == "Released"


def test_a_claim_waits_for_a_volume_until_the_next_look(plane: Plane) -> None:
    """PVClaimBinderSyncPeriod: a new volume doesn't wake the claims, the round every 15 s does."""
    until(plane, 10)
    plane.do(lambda client: client.create(claim("data")))
    plane.do(lambda client: client.create(volume("v")))
    until(plane, 14)
    early = found(plane, "persistentvolumeclaims", "default", "data").status.phase
    until(plane, 28)

    assert (early, found(plane, "persistentvolumeclaims", "default", "data").status.phase) == (
        "Pending",
        "Bound",
    )


def test_a_bound_volume_is_held_by_its_finalizer() -> None:
    """pv_protection_controller.go, isBeingUsed: phase Bound."""

    def volume_of(
        phase: str, *, deleted: bool, finalizers: tuple[str, ...] = (FINALIZER, "a/b")
    ) -> PersistentVolume:
        stamp = 1 if deleted else None
        metadata = ObjectMeta(name="v", finalizers=finalizers, deletion_timestamp=stamp)
        return PersistentVolume(metadata=metadata, status=PersistentVolumeStatus(phase=phase))

    assert finalizers_of(volume_of("Bound", deleted=True)) is None
    assert finalizers_of(volume_of("Released", deleted=True)) == ("a/b",)
    assert finalizers_of(volume_of("Bound", deleted=False)) is None
    assert finalizers_of(volume_of("Bound", deleted=False, finalizers=())) == (FINALIZER,)
