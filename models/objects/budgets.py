"""The condition of a PodDisruptionBudget: what its number of allowed disruptions means. Pure.

Shared by the disruption controller, which counts, and the API server's evictions, which take one away.
Source: staging/src/k8s.io/component-helpers/apps/poddisruptionbudget/helpers.go.
"""

from __future__ import annotations

from typing import Final

import attrs

from chaoskube.models.objects.conditions import get_condition
from chaoskube.models.objects.meta import StandardCondition
from chaoskube.models.objects.policy import PodDisruptionBudgetStatus

DISRUPTION_ALLOWED: Final = "DisruptionAllowed"
SUFFICIENT_PODS: Final = "SufficientPods"
INSUFFICIENT_PODS: Final = "InsufficientPods"
SYNC_FAILED: Final = "SyncFailed"


def with_allowed_condition(status: PodDisruptionBudgetStatus, now_ns: int) -> PodDisruptionBudgetStatus:
    """The status with the condition that its number means, as of this second."""
    if status.disruptions_allowed > 0:
        return with_condition(status, "True", SUFFICIENT_PODS, "", now_ns)
    return with_condition(status, "False", INSUFFICIENT_PODS, "", now_ns)


def with_condition(
    status: PodDisruptionBudgetStatus, word: str, reason: str, message: str, now_ns: int
) -> PodDisruptionBudgetStatus:
    """The status with DisruptionAllowed set; its time stays while the word does."""
    old = get_condition(status.conditions, DISRUPTION_ALLOWED)
    condition = StandardCondition(
        type=DISRUPTION_ALLOWED,
        status=word,
        observed_generation=status.observed_generation,
        last_transition_time=old.last_transition_time if old is not None and old.status == word else now_ns,
        reason=reason,
        message=message,
    )
    if old is None:
        return attrs.evolve(status, conditions=(*status.conditions, condition))
    return attrs.evolve(
        status, conditions=tuple([condition if one is old else one for one in status.conditions])
    )
