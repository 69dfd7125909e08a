"""What must hold of PodDisruptionBudgets, ResourceQuotas and LimitRanges.

Sources: pkg/apis/policy/validation/validation.go, pkg/apis/core/validation/validation.go, pkg/apis/core/helper/helpers.go.
Called by validation.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from chaoskube.models.objects.causes import Cause, duplicate, forbidden, invalid, not_negative, required
from chaoskube.models.objects.codec import encode
from chaoskube.models.objects.inside import inside
from chaoskube.models.objects.names import qualified_name
from chaoskube.models.objects.policy import (
    LimitRange,
    LimitRangeItem,
    PodDisruptionBudget,
    ResourceQuota,
    ResourceQuotaSpec,
    ScopedSelectorRequirement,
)
from chaoskube.models.objects.quantity import Quantity
from chaoskube.models.objects.validation_meta import check_selector
from chaoskube.models.objects.validation_values import (
    STANDARD_QUOTA,
    at_most_all,
    int_or_percent,
    maybe_one_of,
    quantity_value,
    resource_name,
)

_POLICIES: Final = ("AlwaysAllow", "IfHealthyBudget")


def check_budget(obj: PodDisruptionBudget) -> Iterator[Cause]:
    """A PodDisruptionBudget."""
    spec = obj.spec
    if spec.min_available is not None and spec.max_unavailable is not None:
        yield invalid("spec", inside(spec), "minAvailable and maxUnavailable cannot be both set")
    for field, value in (("minAvailable", spec.min_available), ("maxUnavailable", spec.max_unavailable)):
        if value is not None:
            yield from int_or_percent(value, f"spec.{field}")
            yield from at_most_all(value, f"spec.{field}")
    if spec.selector is not None:
        yield from check_selector(spec.selector, "spec.selector")
    yield from maybe_one_of("spec.unhealthyPodEvictionPolicy", spec.unhealthy_pod_eviction_policy, _POLICIES)


def check_budget_status(old: PodDisruptionBudget, new: PodDisruptionBudget) -> Iterator[Cause]:
    """Counts of the status."""
    status = new.status
    yield from not_negative("status.disruptionsAllowed", status.disruptions_allowed)
    yield from not_negative("status.currentHealthy", status.current_healthy)
    yield from not_negative("status.desiredHealthy", status.desired_healthy)
    yield from not_negative("status.expectedPods", status.expected_pods)


# ---- quotas

_POD_SCOPES: Final = (
    "BestEffort",
    "NotBestEffort",
    "Terminating",
    "NotTerminating",
    "CrossNamespacePodAffinity",
)
_SCOPES: Final = (*_POD_SCOPES, "PriorityClass", "VolumeAttributesClass")
_POD_RESOURCES: Final = frozenset(
    {"pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}
)
_OPPOSITES: Final = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))


def check_quota(obj: ResourceQuota) -> Iterator[Cause]:
    """A ResourceQuota."""
    yield from _quota_amounts(obj.spec.hard, "spec.hard")
    yield from _scopes(obj.spec)
    selector = obj.spec.scope_selector
    for requirement in selector.match_expressions if selector is not None else ():
        yield from _scope_requirement(requirement, obj.spec)


def check_quota_update(old: ResourceQuota, new: ResourceQuota) -> Iterator[Cause]:
    """The scopes stay."""
    if sorted(set(old.spec.scopes)) != sorted(set(new.spec.scopes)):
        yield invalid("spec.scopes", new.spec.scopes, "field is immutable")


def check_quota_status(old: ResourceQuota, new: ResourceQuota) -> Iterator[Cause]:
    """What was counted."""
    yield from _quota_amounts(new.status.hard, "status.hard")
    yield from _quota_amounts(new.status.used, "status.used")


def _quota_amounts(amounts: Mapping[str, Quantity], path: str) -> Iterator[Cause]:
    for name, amount in amounts.items():
        where = f"{path}[{name}]"
        yield from resource_name(name, where)
        if "/" not in name and not _is_quota_resource(name):
            yield invalid(where, name, "must be a standard resource for quota")
        yield from quantity_value(name, amount, where)


def _is_quota_resource(name: str) -> bool:
    return name in STANDARD_QUOTA or name.startswith(("hugepages-", "requests.hugepages-"))


def _scopes(spec: ResourceQuotaSpec) -> Iterator[Cause]:
    for scope in spec.scopes:
        if scope not in _SCOPES:
            yield invalid("spec.scopes", spec.scopes, "unsupported scope")
        for name in sorted(spec.hard):
            if _is_quota_resource(name) and not _scope_fits(scope, name):
                yield invalid("spec.scopes", spec.scopes, "unsupported scope applied to resource")
    for pair in _OPPOSITES:
        if all(scope in spec.scopes for scope in pair):
            yield invalid("spec.scopes", spec.scopes, "conflicting scopes")


def _scope_fits(scope: str, name: str) -> bool:
    """helper.IsResourceQuotaScopeValidForResource."""
    if scope == "BestEffort":
        return name == "pods"
    if scope in _POD_SCOPES or scope == "PriorityClass":
        return name in _POD_RESOURCES
    if scope == "VolumeAttributesClass":
        return name in ("persistentvolumeclaims", "requests.storage")
    return True


def _scope_requirement(requirement: ScopedSelectorRequirement, spec: ResourceQuotaSpec) -> Iterator[Cause]:
    path = "spec.scopeSelector.matchExpressions"
    scope, operator = requirement.scope_name, requirement.operator
    if scope not in _SCOPES:
        yield invalid(f"{path}.scopeName", scope, "unsupported scope")
    for name in sorted(spec.hard):
        if _is_quota_resource(name) and not _scope_fits(scope, name):
            yield invalid(path, encode(spec.scope_selector), "unsupported scope applied to resource")
    if scope in _POD_SCOPES and operator != "Exists":
        text = (
            "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
            "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
            "ResourceQuotaScopeCrossNamespacePodAffinity"
        )
        yield invalid(f"{path}.operator", operator, text)
    if operator in ("In", "NotIn"):
        if not requirement.values:
            text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            yield required(f"{path}.values", text)
    elif operator in ("Exists", "DoesNotExist"):
        if requirement.values:
            text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            yield invalid(f"{path}.values", requirement.values, text)
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")


# ---- limits

_LIMIT_TYPES: Final = ("Pod", "Container", "PersistentVolumeClaim")


def check_limit_range(obj: LimitRange) -> Iterator[Cause]:
    """A LimitRange."""
    seen: list[str] = []
    for position, item in enumerate(obj.spec.limits):
        path = f"spec.limits[{position}]"
        wrong = qualified_name(item.type)
        for message in wrong:
            yield invalid(f"{path}.type", item.type, message)
        if not wrong and "/" not in item.type and item.type not in _LIMIT_TYPES:
            yield invalid(f"{path}.type", item.type, "must be a standard limit type or fully qualified")
        if item.type in seen:
            yield duplicate(f"{path}.type", item.type)
        seen.append(item.type)
        yield from _limit_item(item, path)


def _limit_item(item: LimitRangeItem, path: str) -> Iterator[Cause]:
    groups: dict[str, Mapping[str, Quantity]] = {"max": item.max, "min": item.min}
    if item.type == "Pod":
        for field, given in (("default", item.default), ("defaultRequest", item.default_request)):
            if given:
                yield forbidden(f"{path}.{field}", "may not be specified when `type` is 'Pod'")
    else:
        groups.update({"default": item.default, "defaultRequest": item.default_request})
    if item.type == "PersistentVolumeClaim" and "storage" not in item.min and "storage" not in item.max:
        text = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{path}.limits", text)
    groups["maxLimitRequestRatio"] = item.max_limit_request_ratio
    names: list[str] = []
    for field, amounts in groups.items():
        for name in sorted(amounts):
            yield from resource_name(name, f"{path}.{field}[{name}]")
            if name not in names:
                names.append(name)
    for name in names:
        yield from _limit_amounts({field: amounts.get(name) for field, amounts in groups.items()}, name, path)


def _limit_amounts(amounts: Mapping[str, Quantity | None], name: str, path: str) -> Iterator[Cause]:
    """Each bound against each other: min <= default request <= default <= max."""
    least, most = amounts["min"], amounts["max"]
    default, request = amounts.get("default"), amounts.get("defaultRequest")

    def above(low: Quantity | None, high: Quantity | None) -> bool:
        return low is not None and high is not None and low.milli > high.milli

    def said(field: str, shown: Quantity | None, text: str) -> Cause:
        return invalid(f"{path}.{field}[{name}]", _text(shown), text)

    if above(least, most):
        yield said("min", least, f"min value {_text(least)} is greater than max value {_text(most)}")
    if above(least, request):
        text = f"min value {_text(least)} is greater than default request value {_text(request)}"
        yield said("defaultRequest", request, text)
    if above(request, most):
        text = f"default request value {_text(request)} is greater than max value {_text(most)}"
        yield said("defaultRequest", request, text)
    if above(request, default):
        text = f"default request value {_text(request)} is greater than default limit value {_text(default)}"
        yield said("defaultRequest", request, text)
    if above(least, default):
        yield said(
            "default", least, f"min value {_text(least)} is greater than default value {_text(default)}"
        )
    if above(default, most):
        yield said("default", most, f"default value {_text(default)} is greater than max value {_text(most)}")
    yield from _limit_ratio(
        amounts["maxLimitRequestRatio"], least, most, f"{path}.maxLimitRequestRatio[{name}]"
    )


def _limit_ratio(
    ratio: Quantity | None, least: Quantity | None, most: Quantity | None, path: str
) -> Iterator[Cause]:
    if ratio is None:
        return
    if ratio.milli < 1000:
        yield invalid(path, _text(ratio), f"ratio {_text(ratio)} is less than 1")
    if least is not None and most is not None and least.milli > 0:
        bound = most.milli / least.milli
        if ratio.milli / 1000 > bound:
            yield invalid(path, _text(ratio), f"ratio {_text(ratio)} is greater than max/min = {bound:f}")


def _text(quantity: Quantity | None) -> str:
    return "" if quantity is None else quantity.canonical()
