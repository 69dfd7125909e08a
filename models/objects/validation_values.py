"""What validation asks of values of many kinds: choices, percentages, what never changes, quantities and their names.

Sources: pkg/apis/apps/validation/validation.go (ValidatePositiveIntOrPercent, IsNotMoreThan100Percent),
pkg/apis/core/validation/validation.go (ValidateResourceQuantityValue, validateResourceName), pkg/apis/core/helper/helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from chaoskube.models.objects.causes import Cause, invalid, not_negative, required, unsupported
from chaoskube.models.objects.fields import IntOrString
from chaoskube.models.objects.names import percent, qualified_name
from chaoskube.models.objects.quantity import Quantity

IMMUTABLE: Final = "field is immutable"
_NOT_NEGATIVE: Final = "must be greater than or equal to 0"


def one_of(path: str, value: str | None, allowed: Sequence[str], *, detail: str = "") -> Iterator[Cause]:
    """A value that must be there and be one of a few."""
    if not value:
        yield required(path, detail)
    elif value not in allowed:
        yield unsupported(path, value, allowed)


def maybe_one_of(path: str, value: str | None, allowed: Sequence[str]) -> Iterator[Cause]:
    """A value that may be absent, and is else one of a few."""
    if value is not None and value not in allowed:
        yield unsupported(path, value, allowed)


def unchanged(path: str, old: object, new: object) -> Iterator[Cause]:
    """A value that stays as it was."""
    if old != new:
        yield invalid(path, new, IMMUTABLE)


def int_or_percent(value: IntOrString | None, path: str) -> Iterator[Cause]:
    """A number from 0, or a percentage."""
    if isinstance(value, str):
        for message in percent(value):
            yield invalid(path, value, message)
    else:
        yield from not_negative(path, value)


def at_most_all(value: IntOrString | None, path: str) -> Iterator[Cause]:
    """A percentage of not more than 100."""
    if isinstance(value, str) and not percent(value) and int(value[:-1]) > 100:
        yield invalid(path, value, "must not be greater than 100%")


def amount(value: IntOrString | None) -> int | None:
    """The number, or the number of percent; None when it is neither."""
    if isinstance(value, str):
        return None if percent(value) else int(value[:-1])
    return 0 if value is None else value


def quantity_value(name: str, quantity: Quantity, path: str) -> Iterator[Cause]:
    """An amount of a resource: not negative, and whole where the resource cannot be divided."""
    if quantity.is_negative:
        yield invalid(path, quantity.canonical(), _NOT_NEGATIVE)
    if (name in _WHOLE or is_extended_resource(name)) and quantity.milli % 1000:
        yield invalid(path, quantity.canonical(), "must be an integer")


def positive_quantity(quantity: Quantity, path: str) -> Iterator[Cause]:
    """More than nothing."""
    if quantity.is_negative or quantity.is_zero:
        yield invalid(path, quantity.canonical(), "must be greater than zero")


def resource_name(name: str, path: str) -> Iterator[Cause]:
    """The name of a resource: one of Kubernetes' own, or one with a domain."""
    wrong = False
    for message in qualified_name(name):
        wrong = True
        yield invalid(path, name, message)
    if not wrong and "/" not in name and not is_standard_resource(name):
        yield invalid(path, name, "must be a standard resource type or fully qualified")


def is_standard_resource(name: str) -> bool:
    """helper.IsStandardResourceName."""
    return name in _STANDARD or name.startswith(("hugepages-", "requests.hugepages-"))


def is_extended_resource(name: str) -> bool:
    """helper.IsExtendedResourceName: a resource with a domain that isn't Kubernetes' own."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
COUNTED: Final = (
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
)
_REQUESTS: Final = ("requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage")
_LIMITS: Final = ("limits.cpu", "limits.memory", "limits.ephemeral-storage")
STANDARD_QUOTA: Final = frozenset({*_COMPUTE, *_REQUESTS, *_LIMITS, *COUNTED})
_STANDARD: Final = frozenset({*STANDARD_QUOTA, "storage"})
_WHOLE: Final = frozenset(COUNTED)
