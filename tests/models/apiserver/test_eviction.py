"""Evictions ask their budget first (pkg/registry/core/pod/storage/eviction.go)."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from chaoskube.models.apiserver.errors import ApiError
from chaoskube.models.apiserver.eviction import costs_no_budget, permit
from chaoskube.models.objects import (
    LabelSelector,
    ObjectMeta,
    Pod,
    PodCondition,
    PodDisruptionBudget,
    PodDisruptionBudgetSpec,
    PodDisruptionBudgetStatus,
    PodSpec,
    PodStatus,
    freeze,
)
from chaoskube.models.objects.budgets import with_condition
from chaoskube.models.objects.pod import Container
from chaoskube.sim import SECOND

APP = freeze({"app": "web"})


def budget(
    *, allowed: int = 1, healthy: int = 2, wanted: int = 1, observed: int = 1, name: str = "b"
) -> PodDisruptionBudget:
    """A budget with this status."""
    return PodDisruptionBudget(
        metadata=ObjectMeta(name=name, namespace="default", generation=1),
        spec=PodDisruptionBudgetSpec(min_available=wanted, selector=LabelSelector(match_labels=APP)),
        status=PodDisruptionBudgetStatus(
            disruptions_allowed=allowed,
            current_healthy=healthy,
            desired_healthy=wanted,
            expected_pods=healthy,
            observed_generation=observed,
        ),
    )


def pod(name: str = "p", *, ready: bool = True, phase: str = "Running") -> Pod:
    """A pod on a node."""
    condition = PodCondition(type="Ready", status="True" if ready else "False")
    return Pod(
        metadata=ObjectMeta(name=name, namespace="default", labels=APP),
        spec=PodSpec(containers=(Container(name="a", image="i"),), node_name="node-1"),
        status=PodStatus(phase=phase, conditions=(condition,)),
    )


def test_one_disruption_is_taken_and_the_pod_is_named() -> None:
    """In one write; with the last one the condition changes, too."""
    taken = permit(budget(), pod(), 7 * SECOND)

    assert taken.status is not None and not taken.only_this_version
    assert (taken.status.disruptions_allowed, taken.status.disrupted_pods) == (0, {"p": 7 * SECOND})
    assert [(one.status, one.reason) for one in taken.status.conditions] == [("False", "InsufficientPods")]
    more = permit(budget(allowed=2), pod(), 7 * SECOND)
    assert more.status is not None and more.status.conditions == ()


@pytest.mark.parametrize(
    ("held", "said", "after"),
    [
        (budget(allowed=0, healthy=1), "The disruption budget b needs 1 healthy pods and has 1 currently", 0),
        (budget(allowed=0), "The disruption budget b does not allow evicting pods currently", 0),
        (budget(observed=0), "The disruption budget b is still being processed by the server.", 10),
    ],
)
def test_a_budget_says_why_not(held: PodDisruptionBudget, said: str, after: int) -> None:
    """pdb-zero and pdb-bare-pods-and-odd-cases; a spec that was not counted yet allows nothing."""
    with pytest.raises(ApiError) as caught:
        permit(held, pod(), 0)

    status = caught.value.status
    assert (status.code, status.reason, status.retry_after_seconds) == (429, "TooManyRequests", after)
    assert [(one.reason, one.message) for one in status.causes] == [("DisruptionBudget", said)]


def test_a_budget_that_could_not_be_counted_says_so() -> None:
    """The controller's words are passed on."""
    held = budget(allowed=0)
    failed = evolve(held, status=with_condition(held.status, "False", "SyncFailed", "no scale", 0))
    with pytest.raises(ApiError) as caught:
        permit(failed, pod(), 0)

    assert caught.value.status.causes[0].message.endswith("currently because it failed sync: no scale")


def test_a_pod_that_is_not_ready_goes_while_the_others_suffice() -> None:
    """Only as the version that was looked at; AlwaysAllow doesn't ask the others."""
    broken = pod(ready=False)

    assert permit(budget(allowed=0, healthy=1), broken, 0).only_this_version
    with pytest.raises(ApiError):
        permit(budget(allowed=0, healthy=0), broken, 0)
    held = budget(allowed=0, healthy=0)
    always = evolve(held, spec=evolve(held.spec, unhealthy_pod_eviction_policy="AlwaysAllow"))
    assert permit(always, broken, 0).only_this_version
    with pytest.raises(ApiError):
        permit(evolve(always, status=evolve(always.status, disruptions_allowed=0)), pod(), 0)


def test_what_disturbs_nobody_costs_nothing() -> None:
    """Ended, not started, or going already."""
    assert [costs_no_budget(pod(phase=one)) for one in ("Succeeded", "Failed", "Pending", "Running")] == [
        True,
        True,
        True,
        False,
    ]
    going = pod()
    assert costs_no_budget(evolve(going, metadata=evolve(going.metadata, deletion_timestamp=1)))


def _evict(api: Any, name: str, server: int = 0, **options: object) -> Any:
    body = freeze({"kind": "Eviction", "metadata": {"name": name}, "deleteOptions": options})
    return api.request("create", "pods", name, subresource="eviction", body=body)


def _stored(api: Any, *names: str, allowed: int = 1) -> None:
    api.do("create", "poddisruptionbudgets", body=budget())
    status = freeze({"status": {"disruptionsAllowed": allowed, "currentHealthy": 2, "observedGeneration": 1}})
    api.do("patch", "poddisruptionbudgets", "b", subresource="status", patch_type="merge", body=status)
    for name in names:
        api.create(evolve(pod(name), status=PodStatus()))
        running = freeze(
            {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
        )
        api.do("patch", "pods", name, subresource="status", patch_type="merge", body=running)


def test_two_servers_do_not_give_the_last_disruption_twice(api: Any) -> None:
    """Both read the same budget; one write wins, the other is asked again and refused."""
    _stored(api, "p", "q")
    numbers = [api.send(_evict(api, name), server) for server, name in enumerate(("p", "q"))]
    api.world.advance(5 * SECOND)

    assert sorted(api.answer(number).code for number in numbers) == [201, 429]
    going = [api.do("get", "pods", name).metadata.deletion_timestamp is not None for name in ("p", "q")]
    assert sorted(going) == [False, True]


def test_a_dry_run_and_a_wrong_uid_delete_nothing(api: Any) -> None:
    """As recorded: the dry run takes nothing, the wrong uid is found out after the budget was told."""
    _stored(api, "p")
    dry = api.ask(_evict(api, "p", dryRun=["All"]))
    kept = api.do("get", "poddisruptionbudgets", "b").status.disruptions_allowed
    wrong = api.ask(_evict(api, "p", preconditions={"uid": "another"}))

    assert (dry.code, kept, wrong.code) == (201, 1, 409)
    assert api.do("get", "poddisruptionbudgets", "b").status.disruptions_allowed == 0
    assert api.do("get", "pods", "p").metadata.deletion_timestamp is None


def test_two_budgets_on_one_pod_are_not_understood(api: Any) -> None:
    """500, as ever."""
    _stored(api, "p")
    api.do("create", "poddisruptionbudgets", body=budget(name="c"))
    answer = api.ask(_evict(api, "p"))

    assert answer.code == 500 and answer.body.message.startswith("This pod has more than one")
