"""Which ReplicaSet is the new one, and what it remembers (deployment_util.go)."""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.controllers.deployment_revisions import (
    annotated,
    beyond_history,
    find_new,
    make_new,
    next_revision,
    revision_of,
    sized,
)
from chaoskube.models.objects import FrozenDict, ReplicaSet
from tests.models.controllers.making import deployment, replicaset

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"


def test_a_new_replicaset_is_found_again_by_its_template() -> None:
    """The hash label that it carries must not make it another one."""
    wanted = deployment(3)
    made = make_new(wanted, 1)

    assert find_new(wanted, [made]) is made
    assert find_new(deployment(3, image="v2"), [made]) is None
    assert made.name.startswith("web-")
    code = made.name.removeprefix("web-")
    assert made.labels["pod-template-hash"] == code
    assert made.spec.selector is not None
    assert made.spec.selector.match_labels["pod-template-hash"] == code


def test_the_oldest_of_equal_templates_is_the_new_one() -> None:
    """FindNewReplicaSet sorts by creation."""
    younger, older = replicaset("a", created=2), replicaset("b", created=1)

    assert find_new(deployment(), [younger, older]) is older


def test_a_collision_gives_another_name() -> None:
    """status.collisionCount goes into the hash."""
    wanted = deployment()
    collided = evolve(wanted, status=evolve(wanted.status, collision_count=1))

    assert make_new(wanted, 1).name != make_new(collided, 1).name


def test_going_back_raises_the_old_sets_revision_and_keeps_its_history() -> None:
    """A rollback is the old ReplicaSet with the highest revision."""
    old = replicaset("old", 0, annotations={REVISION: "1"})
    current = replicaset("current", 3, image="v2", annotations={REVISION: "2"})

    revision = next_revision([current])
    raised = annotated(deployment(), old, revision, exists=True)
    again = annotated(deployment(), raised, 5, exists=True)

    assert (revision, revision_of(raised)) == (3, 3)
    assert raised.metadata.annotations[HISTORY] == "1"
    assert again.metadata.annotations[HISTORY] == "1,3"
    assert annotated(deployment(), raised, 2, exists=True) == raised


def test_the_deployments_annotations_are_copied_but_not_its_bookkeeping() -> None:
    """kubectl's last-applied and the controller's own annotations stay where they are."""
    wanted = deployment()
    noted = FrozenDict({"note": "x", REVISION: "7", "kubectl.kubernetes.io/last-applied-configuration": "{}"})
    wanted = evolve(wanted, metadata=evolve(wanted.metadata, annotations=noted))

    made = make_new(wanted, 1)

    assert made.metadata.annotations["note"] == "x"
    assert made.metadata.annotations[REVISION] == "1"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in made.metadata.annotations


def test_a_size_is_written_with_what_it_is_a_share_of() -> None:
    """desired-replicas and max-replicas are what proportional scaling goes by."""
    changed = sized(deployment(3, 1, 0), replicaset("a", 1), 2)

    assert changed.spec.replicas == 2
    assert changed.metadata.annotations["deployment.kubernetes.io/desired-replicas"] == "3"
    assert changed.metadata.annotations["deployment.kubernetes.io/max-replicas"] == "4"


def test_only_empty_old_sets_beyond_the_limit_go_lowest_revision_first() -> None:
    """revisionHistoryLimit 10; a set that still has pods is kept."""

    def old(number: int, size: int = 0) -> ReplicaSet:
        return replicaset(f"rs-{number}", size, annotations={REVISION: str(number)})

    sets = [old(number) for number in range(12, 0, -1)]
    sets[-1] = old(1, size=1)

    assert [each.name for each in beyond_history(deployment(), sets)] == ["rs-2"]
