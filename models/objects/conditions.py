"""Conditions, and what follows from them: is a pod ready, available, active?

Source: pkg/api/v1/pod/util.go, pkg/controller/controller_utils.go (IsPodActive), pkg/controller/deployment/util.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import attrs

from chaoskube.models.objects.pod import Pod
from chaoskube.models.objects.pod_status import PodCondition
from chaoskube.sim import SECOND


class Condition(Protocol):
    """What all kinds of condition have."""

    @property
    def type(self) -> str: ...
    @property
    def status(self) -> str: ...


C = TypeVar("C", bound=Condition)


def get_condition(conditions: Iterable[C], type: str) -> C | None:
    """The condition of that type, if there is one."""
    for condition in conditions:
        if condition.type == type:
            return condition
    return None


def set_condition(conditions: tuple[C, ...], condition: C) -> tuple[C, ...]:
    """The conditions with this one put in the place of its type, or at the end.

    The transition time stays when the status does.
    """
    old = get_condition(conditions, condition.type)
    if old is None:
        return (*conditions, condition)
    if old.status == condition.status and hasattr(old, "last_transition_time"):
        changed: Any = condition  # every condition class is an attrs class with this field
        condition = attrs.evolve(changed, last_transition_time=old.last_transition_time)
    return tuple([condition if item.type == condition.type else item for item in conditions])


def remove_condition(conditions: tuple[C, ...], type: str) -> tuple[C, ...]:
    """The conditions without that type."""
    return tuple([item for item in conditions if item.type != type])


def is_true(conditions: Iterable[Condition], type: str) -> bool:
    """Whether there is a condition of that type with status True."""
    return any(item.type == type and item.status == "True" for item in conditions)


def ready_condition(pod: Pod) -> PodCondition | None:
    """The pod's Ready condition."""
    return get_condition(pod.status.conditions, "Ready")


def is_pod_ready(pod: Pod) -> bool:
    """Whether the pod's Ready condition is True."""
    ready = ready_condition(pod)
    return ready is not None and ready.status == "True"


def is_pod_available(pod: Pod, min_ready_seconds: int, now_ns: int) -> bool:
    """Whether the pod has been ready for that long, by the caller's wall clock."""
    ready = ready_condition(pod)
    if ready is None or ready.status != "True":
        return False
    if min_ready_seconds == 0:
        return True
    since = ready.last_transition_time
    return since is not None and since + min_ready_seconds * SECOND <= now_ns


def is_pod_terminal(pod: Pod) -> bool:
    """Whether the pod has run to its end: Succeeded or Failed."""
    return pod.status.phase in ("Succeeded", "Failed")


def is_pod_terminating(pod: Pod) -> bool:
    """Whether the pod has been told to go."""
    return pod.metadata.deletion_timestamp is not None


def is_pod_active(pod: Pod) -> bool:
    """Whether the pod counts as a replica: neither ended nor told to go."""
    return not is_pod_terminal(pod) and pod.metadata.deletion_timestamp is None
