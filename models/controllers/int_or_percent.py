"""A number, or a share of a total.

Source: staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go (GetScaledValueFromIntOrPercent).
"""

from __future__ import annotations

from chaoskube.models.objects.fields import IntOrString


def scaled_value(value: IntOrString | None, total: int, *, round_up: bool) -> int:
    """The number itself, or that share of `total`; 0 when there is none."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    percent = int(value.removesuffix("%"))
    return -(-percent * total // 100) if round_up else percent * total // 100
