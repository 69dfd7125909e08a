"""Who may do what: roles and their bindings.

Source: staging/src/k8s.io/api/rbac/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LabelSelector


@frozen(kw_only=True)
class PolicyRule:
    """Verbs on resources, or on paths that are no resources."""

    verbs: tuple[str, ...] = field(default=(), metadata=WRITTEN)
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Role(KubeObject):
    """What may be done in a namespace."""

    api_version: str = "rbac.authorization.k8s.io/v1"
    kind: str = "Role"
    rules: tuple[PolicyRule, ...] = ()


@frozen(kw_only=True)
class AggregationRule:
    """The roles whose rules a ClusterRole collects."""

    cluster_role_selectors: tuple[LabelSelector, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ClusterRole(KubeObject):
    """What may be done anywhere."""

    api_version: str = "rbac.authorization.k8s.io/v1"
    kind: str = "ClusterRole"
    rules: tuple[PolicyRule, ...] = ()
    aggregation_rule: AggregationRule | None = None


@frozen(kw_only=True)
class Subject:
    """A User, a Group or a ServiceAccount."""

    kind: str = field(default="", metadata=WRITTEN)
    api_group: str | None = None
    name: str = field(default="", metadata=WRITTEN)
    namespace: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class RoleRef:
    """The role that a binding gives."""

    api_group: str = ""
    kind: str = field(default="", metadata=WRITTEN)
    name: str = field(default="", metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class RoleBinding(KubeObject):
    """Gives a role to somebody in a namespace."""

    api_version: str = "rbac.authorization.k8s.io/v1"
    kind: str = "RoleBinding"
    subjects: tuple[Subject, ...] = ()
    role_ref: RoleRef = field(default=RoleRef(), metadata=WRITTEN)


@frozen(kw_only=True)
class ClusterRoleBinding(KubeObject):
    """Gives a role to somebody everywhere."""

    api_version: str = "rbac.authorization.k8s.io/v1"
    kind: str = "ClusterRoleBinding"
    subjects: tuple[Subject, ...] = ()
    role_ref: RoleRef = field(default=RoleRef(), metadata=WRITTEN)
