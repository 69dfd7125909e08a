"""What a DELETE does to an object, rule by rule (api-server.md 3)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from chaoskube.models.apiserver.api import DeleteOptions
from chaoskube.models.apiserver.deletion import decide, is_removed_by_update
from chaoskube.models.apiserver.errors import ApiError
from chaoskube.models.apiserver.writes import removable
from chaoskube.models.objects import ConfigMap, ObjectMeta, Pod, PodSpec, PodStatus
from chaoskube.models.objects.resources import Resources
from chaoskube.sim import SECOND

NOW = 1_000_000 * SECOND + 5


def running(**metadata: Any) -> Pod:
    return Pod(
        metadata=ObjectMeta(name="p", generation=1, **metadata),
        spec=PodSpec(node_name="node-1", termination_grace_period_seconds=30),
        status=PodStatus(phase="Running"),
    )


def graces(pod: Pod, *wanted: int | None) -> list[int | None]:
    """The grace after each delete in turn."""
    seen = []
    for seconds in wanted:
        decision = decide(pod, DeleteOptions(grace_period_seconds=seconds), NOW)
        if isinstance(decision.mark, Pod):
            pod = decision.mark
        seen.append(pod.metadata.deletion_grace_period_seconds)
    return seen


def test_the_first_delete_marks_with_grace_and_counts_a_generation() -> None:
    """Clients see what was asked for as a change of spec."""
    decision = decide(running(), DeleteOptions(), NOW)

    assert decision.mark is not None and not decision.remove
    metadata = decision.mark.metadata
    assert metadata.deletion_timestamp == (1_000_000 + 30) * SECOND
    assert (metadata.deletion_grace_period_seconds, metadata.generation) == (30, 2)


def test_a_repeated_delete_only_shortens() -> None:
    """A later, longer or silent delete is a no-op; negative means 1."""
    assert graces(running(), None, 60, None, 10, 20, -1, 5) == [30, 30, 30, 10, 10, 1, 1]


def test_the_deletion_timestamp_never_moves_before_now() -> None:
    """Shortening a grace that has mostly passed ends it now."""
    marked = decide(running(), DeleteOptions(), NOW - 25 * SECOND).mark
    assert marked is not None
    shortened = decide(marked, DeleteOptions(grace_period_seconds=2), NOW).mark

    assert shortened is not None and shortened.metadata.deletion_timestamp == 1_000_000 * SECOND


@pytest.mark.parametrize(
    "pod",
    [
        attrs.evolve(running(), spec=PodSpec(termination_grace_period_seconds=30)),
        attrs.evolve(running(), status=PodStatus(phase="Succeeded")),
        attrs.evolve(running(), status=PodStatus(phase="Failed")),
    ],
    ids=["unscheduled", "succeeded", "failed"],
)
def test_a_pod_that_runs_nowhere_gets_no_grace(pod: Pod) -> None:
    """Nobody would confirm its end."""
    decision = decide(pod, DeleteOptions(grace_period_seconds=30), NOW)

    assert decision.remove and decision.mark is not None
    assert decision.mark.metadata.deletion_grace_period_seconds == 0


def test_a_removal_that_failed_half_way_can_be_repeated() -> None:
    """Marked with grace 0 but still there: the next delete removes it without a word."""
    marked = decide(running(), DeleteOptions(grace_period_seconds=0), NOW).mark
    assert marked is not None

    assert decide(marked, DeleteOptions(), NOW).remove


def test_finalizers_keep_a_pod_even_at_grace_zero() -> None:
    """The kubelet's last delete only sets grace 0 then."""
    decision = decide(running(finalizers=("example.com/x",)), DeleteOptions(grace_period_seconds=0), NOW)

    assert decision.mark is not None and not decision.remove


def test_propagation_becomes_a_finalizer() -> None:
    """Foreground and Orphan are work for the garbage collector first."""
    plain = ConfigMap(metadata=ObjectMeta(name="c"))
    foreground = decide(plain, DeleteOptions(propagation_policy="Foreground"), NOW)
    orphan = decide(plain, DeleteOptions(), NOW, default_policy="Orphan")

    assert decide(plain, DeleteOptions(), NOW).remove
    assert foreground.mark is not None and foreground.mark.metadata.finalizers == ("foregroundDeletion",)
    assert orphan.mark is not None and orphan.mark.metadata.finalizers == ("orphan",)
    assert not foreground.remove and not orphan.remove


def test_the_update_that_removes_the_last_finalizer_removes_the_object() -> None:
    """But not while the grace of a pod runs."""
    old = ConfigMap(
        metadata=ObjectMeta(
            name="c", finalizers=("a/b",), deletion_timestamp=NOW, deletion_grace_period_seconds=0
        )
    )
    new = attrs.evolve(old, metadata=attrs.evolve(old.metadata, finalizers=()))
    in_grace = attrs.evolve(old, metadata=attrs.evolve(old.metadata, deletion_grace_period_seconds=30))

    assert is_removed_by_update(old, new)
    assert not is_removed_by_update(in_grace, new)


def test_what_was_changed_after_it_was_looked_at_is_not_removed_for_its_old_version() -> None:
    """The version that a delete insists on is compared with what is removed, each time (storage.Preconditions.Check)."""
    resource = Resources().resource_for("Pod", "v1")
    newest = Pod(metadata=ObjectMeta(name="a", namespace="default", uid="u", resource_version="7"))

    assert removable(resource, "a", "u")(newest) is newest
    assert removable(resource, "a", "u", "7")(newest) is newest
    with pytest.raises(ApiError) as refused:
        removable(resource, "a", "u", "5")(newest)
    assert refused.value.status.code == 409
