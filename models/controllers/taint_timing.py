"""How long a pod may stay on a node with NoExecute taints. Pure.

Source: pkg/controller/tainteviction/taint_eviction.go, staging/src/k8s.io/component-helpers/scheduling/corev1.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaoskube.models.objects import Taint, Toleration
from chaoskube.sim import SECOND

NO_EXECUTE = "NoExecute"
FOREVER = None


def no_execute(taints: Sequence[Taint]) -> tuple[Taint, ...]:
    """The taints that drive pods away."""
    return tuple([taint for taint in taints if taint.effect == NO_EXECUTE])


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether a pod with this toleration bears `taint`."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return bool(toleration.key) and (toleration.value or "") == (taint.value or "")


def tolerated_ns(taints: Sequence[Taint], tolerations: Sequence[Toleration]) -> int | None:
    """How long a pod stays: 0 is not at all, None for ever.

    Every taint must be tolerated; the shortest time of the tolerations that were used counts, and one that
    names no time is no limit.
    """
    used: list[Toleration] = []
    for taint in taints:
        matching = next((each for each in tolerations if tolerates(each, taint)), None)
        if matching is None:
            return 0
        used.append(matching)
    limits = [max(0, each.toleration_seconds) for each in used if each.toleration_seconds is not None]
    return min(limits) * SECOND if limits else FOREVER
