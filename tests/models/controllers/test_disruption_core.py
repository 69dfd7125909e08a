"""What a PodDisruptionBudget allows (disruption.go)."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.models.controllers.disruption_core import (
    DELETION_TIMEOUT,
    Expected,
    allowed,
    disrupted,
    expected,
    failed_status,
    healthy,
    needs_scale,
    new_status,
    selector_text,
    stale_disruption_after,
)
from chaoskube.models.objects import (
    FrozenDict,
    LabelSelector,
    ObjectMeta,
    Pod,
    PodCondition,
    PodDisruptionBudget,
    PodDisruptionBudgetSpec,
    PodDisruptionBudgetStatus,
)
from chaoskube.sim import SECOND
from tests.models.controllers.making import APP, pod

NOW = 1000 * SECOND


def budget(
    *,
    minimum: int | str | None = None,
    missing: int | str | None = None,
    evicted: dict[str, int] | None = None,
) -> PodDisruptionBudget:
    """A budget with one of the two rules."""
    return PodDisruptionBudget(
        metadata=ObjectMeta(name="web", namespace="ns", generation=1),
        spec=PodDisruptionBudgetSpec(
            min_available=minimum, max_unavailable=missing, selector=LabelSelector(match_labels=APP)
        ),
        status=PodDisruptionBudgetStatus(disrupted_pods=FrozenDict(evicted or {})),
    )


@pytest.mark.parametrize(
    ("rule", "count", "wanted"),
    [
        (budget(minimum=2), 7, 2),
        (budget(minimum="50%"), 5, 3),
        (budget(missing=1), 5, 4),
        (budget(missing="30%"), 5, 3),
        (budget(missing=9), 5, 0),
    ],
)
def test_shares_round_up_and_only_whole_numbers_count_pods(
    rule: PodDisruptionBudget, count: int, wanted: int
) -> None:
    """pdb-percentages: 30 % of 7 may be missing are 3; both ways up. Seven pods match, their owners want five."""
    assert expected(rule, 7, 5) == Expected(count=count, healthy=wanted)
    assert needs_scale(rule) == (count == 5)


def test_nothing_may_go_where_nothing_is_expected() -> None:
    """pdb-bare-pods-and-odd-cases: three healthy pods without an owner, none expected, none allowed."""
    assert allowed(3, Expected(count=0, healthy=0)) == 0
    assert allowed(3, Expected(count=3, healthy=2)) == 1
    assert allowed(1, Expected(count=3, healthy=2)) == 0


def test_an_evicted_pod_counts_as_gone_for_two_minutes() -> None:
    """Until its deletion is seen; then it counts as deleted, and the entry goes."""
    held = budget(minimum=1, evicted={"a": NOW, "b": NOW - DELETION_TIMEOUT - 1, "c": NOW, "gone": NOW})
    pods = [
        pod("a", ready=True),
        pod("b", ready=True),
        pod("c", ready=True, deleting=True),
        pod("d", ready=True),
    ]
    found = disrupted(held, pods, NOW)

    assert found.pods == {"a": NOW}
    assert [one.name for one in found.given_up] == ["b"]
    assert found.look_again_at == NOW + DELETION_TIMEOUT
    assert healthy(pods, found.pods, NOW) == 2
    assert healthy(pods, found.pods, NOW + DELETION_TIMEOUT) == 3


def test_the_condition_follows_the_number_and_keeps_its_time() -> None:
    """pdb-zero: InsufficientPods from the first count on."""
    first = new_status(budget(minimum=1), 1, Expected(count=2, healthy=1), FrozenDict(), NOW)
    told = evolve(budget(minimum=1), status=first)

    assert [(one.status, one.reason, one.observed_generation) for one in first.conditions] == [
        ("False", "InsufficientPods", 1)
    ]
    assert new_status(told, 1, Expected(count=2, healthy=1), FrozenDict(), NOW + SECOND) is told.status
    more = new_status(told, 2, Expected(count=2, healthy=1), FrozenDict(), NOW + SECOND)
    assert (more.disruptions_allowed, more.conditions[0].reason) == (1, "SufficientPods")
    assert more.conditions[0].last_transition_time == NOW + SECOND
    failed = failed_status(evolve(told, status=more), "jobs.batch does not scale", NOW)
    assert (failed.disruptions_allowed, failed.conditions[0].reason) == (0, "SyncFailed")
    assert (failed.current_healthy, failed.conditions[0].message) == (2, "jobs.batch does not scale")


def _marked(status: str = "True", reason: str = "EvictionByEvictionAPI", phase: str = "Running") -> Pod:
    made = pod("a")
    condition = PodCondition(type="DisruptionTarget", status=status, reason=reason, last_transition_time=NOW)
    return evolve(made, status=evolve(made.status, conditions=(condition,), phase=phase))


def test_a_mark_that_nobody_acted_on_is_stale_after_two_minutes() -> None:
    """Not the kubelet's own, and not on pods that go or have ended."""
    assert stale_disruption_after(_marked(), NOW + SECOND) == 119 * SECOND
    assert stale_disruption_after(_marked(), NOW + 500 * SECOND) == 0
    assert stale_disruption_after(_marked(status="False"), NOW) is None
    assert stale_disruption_after(_marked(reason="TerminationByKubelet"), NOW) is None
    assert stale_disruption_after(_marked(phase="Failed"), NOW) is None
    assert stale_disruption_after(pod("a"), NOW) is None


def test_the_selector_is_printed_as_go_prints_it() -> None:
    """pdb-bare-pods-and-odd-cases: the event about unmanaged pods."""
    assert selector_text(LabelSelector(match_labels=APP)) == (
        "&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}"
    )
