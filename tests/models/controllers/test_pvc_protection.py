"""When a claim may go."""

from __future__ import annotations

from chaoskube.models.controllers.pvc_protection import FINALIZER, claims_of, is_deleted, is_used, is_wanting
from chaoskube.models.objects import ObjectMeta, PersistentVolumeClaim, Pod, PodSpec, Volume
from chaoskube.models.objects.volumes import PersistentVolumeClaimVolumeSource


def claim(
    name: str = "data", *, deleted: bool = False, finalizers: tuple[str, ...] = (FINALIZER,)
) -> PersistentVolumeClaim:
    """A claim."""
    stamp = 1 if deleted else None
    metadata = ObjectMeta(name=name, namespace="a", deletion_timestamp=stamp, finalizers=finalizers)
    return PersistentVolumeClaim(metadata=metadata)


def pod(name: str, node: str | None, *claims: str) -> Pod:
    """A pod that names claims."""
    volumes = tuple(
        Volume(name=one, persistent_volume_claim=PersistentVolumeClaimVolumeSource(claim_name=one))
        for one in claims
    )
    return Pod(metadata=ObjectMeta(name=name, namespace="a"), spec=PodSpec(node_name=node, volumes=volumes))


def test_a_claim_is_used_by_pods_on_nodes_that_name_it() -> None:
    """A pod without a node will not start with a claim that is being deleted."""
    assert is_used(claim(), [pod("p", "node-1", "logs", "data")])
    assert not is_used(claim(), [pod("p", None, "data"), pod("q", "node-1", "logs")])
    assert claims_of(pod("p", None, "x", "y")) == ("a/x", "a/y")


def test_only_the_finalizer_makes_a_deleted_claim_a_matter_of_this_controller() -> None:
    """Another finalizer is another's."""
    assert is_deleted(claim(deleted=True)) and not is_wanting(claim(deleted=True))
    assert not is_deleted(claim(deleted=True, finalizers=("x",)))
    assert is_wanting(claim(finalizers=())) and not is_deleted(claim(finalizers=()))
