"""Whether an object fits into the quotas of its namespace, and what they come to if it does. Pure.

Source: staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go (CheckRequest).

Not modelled: resources that are limited by default (admission configuration).
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.apiserver.admission.amounts import (
    add,
    exceeding,
    mask,
    subtract,
    text_of,
    without_zeros,
)
from chaoskube.models.apiserver.admission.attributes import UPDATE, Attributes
from chaoskube.models.apiserver.admission.quota_usage import is_of_scopes, missing_in, tracked, usage_of
from chaoskube.models.objects import Pod, Quantity, ResourceQuota, freeze


def charged(
    quotas: tuple[ResourceQuota, ...], attributes: Attributes, now_ns: int
) -> tuple[ResourceQuota, ...]:
    """The quotas with the object counted in them; those that don't concern it as they are. ApiError if it is too much."""
    obj = attributes.obj
    assert obj is not None, "what is counted is an object"
    matching = [quota for quota in quotas if _concerns(quota, attributes)]
    usage = usage_of(attributes.resource, obj, now_ns)
    negative = sorted(name for name, amount in usage.items() if amount.is_negative)
    if matching and negative:
        raise attributes.forbidden(f"quota usage is negative for resource(s): {','.join(negative)}")
    return tuple(
        [
            _charged(quota, attributes, _delta(quota, attributes, usage, now_ns))
            if quota in matching
            else quota
            for quota in quotas
        ]
    )


def _concerns(quota: ResourceQuota, attributes: Attributes) -> bool:
    obj = attributes.obj
    names = tracked(attributes.resource, quota.status.hard)
    if not names or obj is None or not is_of_scopes(quota, obj):
        return False
    missing = missing_in(obj, names) if isinstance(obj, Pod) else ""
    if missing:
        raise attributes.forbidden(f"failed quota: {quota.name}: {missing}")
    if any(name not in quota.status.used for name in names):
        raise attributes.forbidden(f"status unknown for quota: {quota.name}, resources: {','.join(names)}")
    return True


def _delta(
    quota: ResourceQuota, attributes: Attributes, usage: dict[str, Quantity], now_ns: int
) -> dict[str, Quantity]:
    """What is new: of an update only what it adds, if the object counted before."""
    old = attributes.old
    if attributes.operation == UPDATE and old is not None and is_of_scopes(quota, old):
        return without_zeros(subtract(usage, usage_of(attributes.resource, old, now_ns)))
    return without_zeros(usage)


def _charged(quota: ResourceQuota, attributes: Attributes, delta: dict[str, Quantity]) -> ResourceQuota:
    hard, used = quota.status.hard, quota.status.used
    requested = mask(delta, hard)
    if not requested:
        return quota
    total = add(used, requested)
    exceeded = exceeding(mask(total, requested), hard)
    if exceeded:
        raise attributes.forbidden(
            f"exceeded quota: {quota.name}, requested: {text_of(mask(requested, exceeded))}, "
            f"used: {text_of(mask(used, exceeded))}, limited: {text_of(mask(hard, exceeded))}"
        )
    return evolve(quota, status=evolve(quota.status, used=freeze(total)))
