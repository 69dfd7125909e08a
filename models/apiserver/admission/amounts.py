"""Amounts of resources by name (`cpu: 500m`), and the arithmetic that quotas and limits need. Pure.

Sums keep how the first of them was written: 256Mi and 256Mi are 512Mi. Counted in thousandths.
Source: staging/src/k8s.io/apiserver/pkg/quota/v1/resources.go, staging/src/k8s.io/component-helpers/resource/helpers.go,
staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go (Add, Sub, CanonicalizeBytes), plugin/pkg/admission/limitranger/admission.go (podRequests, podLimits).

Not modelled: what is finer than a thousandth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from chaoskube.models.objects import Container, Pod, Quantity

Amounts = Mapping[str, Quantity]
_KIBI_MILLI = 1024 * 1000


def quantity_of(milli: int, *, binary: bool = False) -> Quantity:
    """So many thousandths as the API server writes them: 100Mi, 1k, 1500m; with binary suffixes if these fit."""
    if binary and milli % _KIBI_MILLI == 0:
        return Quantity(Quantity(f"{milli // _KIBI_MILLI}Ki").canonical())
    if binary and milli % 1000 == 0:
        return Quantity(str(milli // 1000))
    return Quantity(Quantity(f"{milli}m").canonical())


def _combined(first: Quantity | None, second: Quantity | None, milli: int) -> Quantity:
    form = first if first is not None and not first.is_zero else second
    return quantity_of(milli, binary=form is not None and form.text.endswith("i"))


def add(first: Amounts, second: Amounts) -> dict[str, Quantity]:
    """The sum, of every name that stands in either."""
    result = dict(first)
    for name, more in second.items():
        old = result.get(name)
        result[name] = more if old is None else _combined(old, more, old.milli + more.milli)
    return result


def subtract(first: Amounts, second: Amounts) -> dict[str, Quantity]:
    """What remains of the first, never less than nothing; names of the second alone are at zero."""
    result = {}
    for name in (*first, *[name for name in second if name not in first]):
        old, less = first.get(name), second.get(name)
        left = (old.milli if old is not None else 0) - (less.milli if less is not None else 0)
        result[name] = _combined(old, less, max(0, left))
    return result


def mask(amounts: Amounts, names: Iterable[str]) -> dict[str, Quantity]:
    """Those of `names`."""
    wanted = frozenset(names)
    return {name: amount for name, amount in amounts.items() if name in wanted}


def without_zeros(amounts: Amounts) -> dict[str, Quantity]:
    """Those that are not zero."""
    return {name: amount for name, amount in amounts.items() if not amount.is_zero}


def exceeding(used: Amounts, hard: Amounts) -> tuple[str, ...]:
    """The names of which more is used than is allowed, sorted."""
    return tuple(
        sorted(name for name, amount in used.items() if name in hard and amount.milli > hard[name].milli)
    )


def text_of(amounts: Amounts) -> str:
    """`cpu=1,memory=1Gi`, by name."""
    return ",".join([f"{name}={amounts[name].canonical()}" for name in sorted(amounts)])


def same_amounts(first: Amounts, second: Amounts) -> bool:
    """Whether both hold the same names and amounts, however written."""
    return first.keys() == second.keys() and all(first[name].milli == second[name].milli for name in first)


# ---- pods


def pod_requests(pod: Pod) -> dict[str, Quantity]:
    """What a pod asks for in all: its containers together, or its hungriest init container if that is more."""
    total = _pod_total(pod, lambda container: container.resources.requests)
    return {**total, **_of_pod_itself(pod.spec.resources.requests if pod.spec.resources else {})}


def pod_limits(pod: Pod) -> dict[str, Quantity]:
    """What a pod may use in all, of what its containers have a limit for."""
    total = _pod_total(pod, lambda container: container.resources.limits)
    return {**total, **_of_pod_itself(pod.spec.resources.limits if pod.spec.resources else {})}


def _pod_total(pod: Pod, of: Callable[[Container], Amounts]) -> dict[str, Quantity]:
    total: dict[str, Quantity] = {}
    for container in pod.spec.containers:
        total = add(total, of(container))
    sidecars: dict[str, Quantity] = {}
    most: dict[str, Quantity] = {}
    for container in pod.spec.init_containers:
        if container.restart_policy == "Always":
            total = add(total, of(container))
            sidecars = add(sidecars, of(container))
            at_once = sidecars
        else:
            at_once = add(of(container), sidecars)
        most = _larger(most, at_once)
    return _larger(total, most)


def _larger(first: Amounts, second: Amounts) -> dict[str, Quantity]:
    result = dict(first)
    for name, amount in second.items():
        if name not in result or amount.milli > result[name].milli:
            result[name] = amount
    return result


def _of_pod_itself(amounts: Amounts) -> Amounts:
    """What a pod says for all its containers at once counts in their place, of these resources."""
    return {
        name: amount
        for name, amount in amounts.items()
        if name in ("cpu", "memory") or name.startswith("hugepages-")
    }
