"""Namespaces, and what pods are given: ConfigMaps, Secrets, ServiceAccounts.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LocalObjectReference
from chaoskube.models.objects.service import ObjectReference


@frozen(kw_only=True)
class ConfigMap(KubeObject):
    """Settings that pods read."""

    api_version: str = "v1"
    kind: str = "ConfigMap"
    immutable: bool | None = None
    data: FrozenDict[str, str] = EMPTY
    binary_data: FrozenDict[str, str] = EMPTY


@frozen(kw_only=True)
class Secret(KubeObject):
    """Settings that not everybody may read; the values of `data` are base64."""

    api_version: str = "v1"
    kind: str = "Secret"
    immutable: bool | None = None
    data: FrozenDict[str, str] = EMPTY
    string_data: FrozenDict[str, str] = EMPTY
    type: str | None = None


@frozen(kw_only=True)
class ServiceAccount(KubeObject):
    """An identity for pods."""

    api_version: str = "v1"
    kind: str = "ServiceAccount"
    secrets: tuple[ObjectReference, ...] = ()
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    automount_service_account_token: bool | None = None


@frozen(kw_only=True)
class NamespaceSpec:
    """What must be done before a namespace may go."""

    finalizers: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NamespaceCondition:
    """One condition of a namespace that goes: what still keeps it."""

    type: str = field(default="", metadata=WRITTEN)
    status: str = field(default="", metadata=WRITTEN)
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NamespaceStatus:
    """Active or Terminating."""

    phase: str | None = None
    conditions: tuple[NamespaceCondition, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Namespace(KubeObject):
    """Where names are unique."""

    api_version: str = "v1"
    kind: str = "Namespace"
    spec: NamespaceSpec = field(default=NamespaceSpec())
    status: NamespaceStatus = field(default=NamespaceStatus())
