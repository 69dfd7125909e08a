"""What must hold of a PriorityClass: pods take their priority from it, so it is bounded and never changes.

Source: pkg/apis/scheduling/validation/validation.go. Called by validation.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chaoskube.models.objects.causes import Cause, forbidden, invalid, required, unsupported
from chaoskube.models.objects.policy import PriorityClass

HIGHEST_USER_PRIORITY: Final = 1_000_000_000
_SYSTEM_PREFIX: Final = "system-"
_POLICIES: Final = ("Never", "PreemptLowerPriority")


def check_priority_class(obj: PriorityClass) -> Iterator[Cause]:
    """A class that a user makes; the system's own are not made through here."""
    if obj.name.startswith(_SYSTEM_PREFIX):
        text = (
            f"priority class names with '{_SYSTEM_PREFIX}' prefix are reserved for system use only. "
            f"error: {obj.name} is not a known system priority class"
        )
        yield forbidden("metadata.name", text)
    elif obj.value > HIGHEST_USER_PRIORITY:
        text = f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}"
        yield forbidden("value", text)
    policy = obj.preemption_policy
    if policy == "":
        yield required("preemptionPolicy")
    elif policy is not None and policy not in _POLICIES:
        yield unsupported("preemptionPolicy", policy, _POLICIES)


def check_priority_class_update(old: PriorityClass, new: PriorityClass) -> Iterator[Cause]:
    """Its value and policy stay: pods carry copies."""
    if old.value != new.value:
        yield forbidden("value", "may not be changed in an update.")
    policy = new.preemption_policy
    if old.preemption_policy != policy:
        yield invalid("preemptionPolicy", policy, "field is immutable")
