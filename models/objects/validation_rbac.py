"""What must hold of roles and bindings.

Source: pkg/apis/rbac/validation/validation.go. Called by validation.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chaoskube.models.objects.causes import Cause, invalid, required, unsupported
from chaoskube.models.objects.inside import inside
from chaoskube.models.objects.names import dns_subdomain, path_segment
from chaoskube.models.objects.rbac import (
    ClusterRole,
    ClusterRoleBinding,
    PolicyRule,
    Role,
    RoleBinding,
    Subject,
)
from chaoskube.models.objects.validation_meta import check_selector

_GROUP: Final = "rbac.authorization.k8s.io"


def check_role(obj: Role) -> Iterator[Cause]:
    """A Role."""
    for position, rule in enumerate(obj.rules):
        yield from _rule(rule, f"rules[{position}]", namespaced=True)


def check_cluster_role(obj: ClusterRole) -> Iterator[Cause]:
    """A ClusterRole."""
    for position, rule in enumerate(obj.rules):
        yield from _rule(rule, f"rules[{position}]", namespaced=False)
    if obj.aggregation_rule is not None:
        path = "aggregationRule.clusterRoleSelectors"
        if not obj.aggregation_rule.cluster_role_selectors:
            yield required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")
        for position, selector in enumerate(obj.aggregation_rule.cluster_role_selectors):
            yield from check_selector(selector, f"{path}[{position}]")


def _rule(rule: PolicyRule, path: str, *, namespaced: bool) -> Iterator[Cause]:
    if not rule.verbs:
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    if rule.non_resource_urls:
        where = f"{path}.nonResourceURLs"
        if namespaced:
            text = "namespaced rules cannot apply to non-resource URLs"
            yield invalid(where, rule.non_resource_urls, text)
        if rule.api_groups or rule.resources or rule.resource_names:
            text = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(where, rule.non_resource_urls, text)
        return
    if not rule.api_groups:
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.resources:
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def check_role_binding(obj: RoleBinding) -> Iterator[Cause]:
    """A RoleBinding."""
    return _binding(obj, ("Role", "ClusterRole"), namespaced=True)


def check_cluster_role_binding(obj: ClusterRoleBinding) -> Iterator[Cause]:
    """A ClusterRoleBinding."""
    return _binding(obj, ("ClusterRole",), namespaced=False)


def _binding(
    obj: RoleBinding | ClusterRoleBinding, kinds: tuple[str, ...], *, namespaced: bool
) -> Iterator[Cause]:
    reference = obj.role_ref
    if reference.api_group != _GROUP:
        yield unsupported("roleRef.apiGroup", reference.api_group, (_GROUP,))
    if reference.kind not in kinds:
        yield unsupported("roleRef.kind", reference.kind, kinds)
    if not reference.name:
        yield required("roleRef.name")
    for message in path_segment(reference.name) if reference.name else ():
        yield invalid("roleRef.name", reference.name, message)
    for position, subject in enumerate(obj.subjects):
        yield from _subject(subject, f"subjects[{position}]", namespaced=namespaced)


def _subject(subject: Subject, path: str, *, namespaced: bool) -> Iterator[Cause]:
    if not subject.name:
        yield required(f"{path}.name")
    group = subject.api_group or ""
    if subject.kind == "ServiceAccount":
        for message in dns_subdomain(subject.name) if subject.name else ():
            yield invalid(f"{path}.name", subject.name, message)
        if group:
            yield unsupported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.namespace:
            yield required(f"{path}.namespace")
    elif subject.kind in ("User", "Group"):
        if group != _GROUP:
            yield unsupported(f"{path}.apiGroup", group, (_GROUP,))
    else:
        yield unsupported(f"{path}.kind", subject.kind, ("ServiceAccount", "User", "Group"))


def check_binding_update(
    old: RoleBinding | ClusterRoleBinding, new: RoleBinding | ClusterRoleBinding
) -> Iterator[Cause]:
    """The role that is given stays."""
    if old.role_ref != new.role_ref:
        yield invalid("roleRef", inside(new.role_ref), "cannot change roleRef")
