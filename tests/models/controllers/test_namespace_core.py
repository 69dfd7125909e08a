"""How a namespace empties, and what it says meanwhile (namespaced_resources_deleter.go)."""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.controllers.discovery import preferred
from chaoskube.models.controllers.namespace_core import (
    Remaining,
    in_order,
    pods_estimate_seconds,
    remaining_of,
    retry_after_ns,
    with_conditions,
    without_finalizer,
)
from chaoskube.models.objects import ConfigMap, Namespace, NamespaceSpec, ObjectMeta
from chaoskube.models.objects.resources import resource_of, resources
from chaoskube.sim import SECOND
from tests.models.controllers.making import pod

MAPS = resource_of("configmaps")


def _with_grace(name: str, seconds: int, phase: str = "Running") -> object:
    made = pod(name, phase=phase)
    return evolve(made, spec=evolve(made.spec, termination_grace_period_seconds=seconds))


def test_pods_go_first_and_each_resource_once() -> None:
    """Of several versions of one resource the preferred; what has no namespace is not asked for."""
    ordered = in_order(preferred(resources(), ("delete", "list")))
    names = [(one.plural, one.group) for one in ordered]

    assert names[0] == ("pods", "")
    assert len(names) == len(set(names))
    assert ("nodes", "") not in names
    assert [one.api_version for one in ordered if one.plural == "horizontalpodautoscalers"] == [
        "autoscaling/v2"
    ]


def test_the_longest_grace_of_a_pod_that_runs_is_the_estimate_until_it_is_over() -> None:
    """Pods that have ended don't count, and after that time something is wrong."""
    pods = [_with_grace("a", 30), _with_grace("b", 60), _with_grace("c", 600, "Succeeded")]

    assert pods_estimate_seconds(pods, 0, 59 * SECOND) == 60  # type: ignore[arg-type]
    assert pods_estimate_seconds(pods, 0, 60 * SECOND) == 0  # type: ignore[arg-type]
    assert [retry_after_ns(seconds) // SECOND for seconds in (15, 30)] == [8, 16]


def test_what_is_held_has_15_s_and_what_nothing_holds_is_stuck() -> None:
    """An error makes the round fail; a finalizer is only waited for."""
    held = ConfigMap(metadata=ObjectMeta(name="held", finalizers=("example.com/hold",)))
    free = ConfigMap(metadata=ObjectMeta(name="free"))

    assert remaining_of(MAPS, (held, free), 0) == Remaining(
        resource="configmaps", group="", count=2, finalizers=(("example.com/hold", 1),), estimate_seconds=15
    )
    assert remaining_of(MAPS, (free,), 0).is_stuck
    assert not remaining_of(MAPS, (free,), 30).is_stuck
    assert not remaining_of(MAPS, (), 0).is_stuck


def test_conditions_say_what_the_recording_says() -> None:
    """namespace-deletion: five conditions at the first round; their time moves when the status does."""
    left = Remaining(
        resource="configmaps", group="", count=1, finalizers=(("example.com/hold", 1),), estimate_seconds=15
    )
    first = with_conditions(Namespace(), (), (), SECOND)
    second = with_conditions(first, (left,), (), 2 * SECOND)

    assert [one.reason for one in first.status.conditions] == [
        "ResourcesDiscovered",
        "ParsedGroupVersions",
        "ContentDeleted",
        "ContentRemoved",
        "ContentHasNoFinalizers",
    ]
    assert [(one.status, one.reason, one.message) for one in second.status.conditions[3:]] == [
        ("True", "SomeResourcesRemain", "Some resources are remaining: configmaps. has 1 resource instances"),
        (
            "True",
            "SomeFinalizersRemain",
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
        ),
    ]
    assert [one.last_transition_time for one in second.status.conditions] == [SECOND] * 3 + [2 * SECOND] * 2
    assert with_conditions(second, (left,), (), 3 * SECOND) is second


def test_a_failure_is_told_and_only_our_finalizer_goes() -> None:
    """Others may have put finalizers into the spec, too."""
    failed = with_conditions(Namespace(), (), ("no answer",), SECOND).status.conditions[2]
    held = Namespace(spec=NamespaceSpec(finalizers=("kubernetes", "example.com/x")))

    assert (failed.status, failed.reason) == ("True", "ContentDeletionFailed")
    assert failed.message == "Failed to delete all resource types, 1 remaining: no answer"
    assert without_finalizer(held).spec.finalizers == ("example.com/x",)
