"""Deployments over several templates, on a real control plane: history, pause, rollback, scaling in a rollout, Recreate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaoskube.models.controllers.deployment_revisions import revision_of
from chaoskube.models.objects import Deployment, Pod, ReplicaSet, is_pod_active
from tests.models.controllers.plane import BROKEN, Plane, deployment_tree, image_patch


@pytest.fixture
def plane() -> Iterator[Plane]:
    """A control plane of three nodes."""
    with_world = Plane()
    yield with_world
    with_world.world.close()


def patch(plane: Plane, change: dict[str, object], seconds: float = 8) -> None:
    """Change the Deployment, and let things happen."""
    plane.do(lambda client: client.patch("deployments", "default", "web", change))
    plane.run(seconds)


def sets(plane: Plane) -> dict[str, ReplicaSet]:
    """The ReplicaSets by image."""
    found = [each for each in plane.now("ReplicaSet").values() if isinstance(each, ReplicaSet)]
    return {each.spec.template.spec.containers[0].image or "": each for each in found}


def rolled(plane: Plane, spec: dict[str, object], images: tuple[str, ...]) -> None:
    """A Deployment that has gone through these images."""
    tree = deployment_tree(image=images[0])
    plane.create({**tree, "spec": {**tree["spec"], **spec}})  # type: ignore[dict-item]  # a tree of plain JSON
    plane.run(4)
    for image in images[1:]:
        patch(plane, image_patch(image))


def test_only_so_many_old_replica_sets_are_kept(plane: Plane) -> None:
    """revisionHistoryLimit: the lowest revisions go, once the rollout is complete."""
    rolled(plane, {"revisionHistoryLimit": 1}, ("v1", "v2", "v3", "v4"))

    kept = sets(plane)
    assert {image: (revision_of(each), each.spec.replicas) for image, each in kept.items()} == {
        "v3": (3, 0),
        "v4": (4, 3),
    }


def test_an_old_template_takes_its_old_replica_set_back(plane: Plane) -> None:
    """And gets the highest revision; the one it had goes into its history."""
    rolled(plane, {}, ("v1", "v2", "v1"))

    back = sets(plane)["v1"]
    assert (revision_of(back), back.spec.replicas, len(sets(plane))) == (3, 3, 2)
    assert back.metadata.annotations["deployment.kubernetes.io/revision-history"] == "1"


def test_a_paused_deployment_scales_and_tidies_up_but_rolls_nothing(plane: Plane) -> None:
    """sync.go: while paused, sizes follow and the history is cut; the new template waits for the resumption."""
    rolled(plane, {}, ("v1", "v2", "v3"))
    patch(plane, {"spec": {"paused": True, "revisionHistoryLimit": 0, "replicas": 5, **_image("v4")}})

    paused = sets(plane)
    assert {image: each.spec.replicas for image, each in paused.items()} == {"v3": 5}
    patch(plane, {"spec": {"paused": False}}, 15)
    assert {image: each.spec.replicas for image, each in sets(plane).items()} == {"v4": 5}


def test_scaling_in_a_rollout_shares_by_size(plane: Plane) -> None:
    """A rollout that hangs on pods that never get ready: both ReplicaSets grow in proportion, to 20 and surge 5."""
    rolled(plane, {"replicas": 10}, ("v1", BROKEN))
    sizes = {image: each.spec.replicas for image, each in sets(plane).items()}
    patch(plane, {"spec": {"replicas": 20}})
    grown = {image: each.spec.replicas for image, each in sets(plane).items()}

    assert sizes == {"v1": 8, BROKEN: 5}
    assert grown == {"v1": 15, BROKEN: 10}  # 8 * 25/13 = 15.4, 5 * 25/13 = 9.6


def test_recreate_waits_for_the_last_old_pod(plane: Plane) -> None:
    """A pod that still terminates counts as running: no new one before it is gone."""
    rolled(plane, {"strategy": {"type": "Recreate", "rollingUpdate": None}}, ("v1",))
    before = len(plane.written)
    patch(plane, image_patch("v2"))

    pods = [
        each.obj or each.prev for each in plane.written[before:] if isinstance(each.obj or each.prev, Pod)
    ]
    images = [pod.spec.containers[0].image for pod in pods if isinstance(pod, Pod)]
    assert images.index("v2") > max(place for place, image in enumerate(images) if image == "v1")
    web = plane.now("Deployment")["web"]
    assert isinstance(web, Deployment) and web.status.updated_replicas == 3
    active = [pod for pod in plane.now("Pod").values() if isinstance(pod, Pod) and is_pod_active(pod)]
    assert len(active) == 3


def _image(image: str) -> dict[str, object]:
    spec = image_patch(image)["spec"]
    assert isinstance(spec, dict)
    return spec
