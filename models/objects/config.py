"""Namespaces and ConfigMaps.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject


@frozen(kw_only=True)
class ConfigMap(KubeObject):
    """Settings that pods read."""

    api_version: str = "v1"
    kind: str = "ConfigMap"
    immutable: bool | None = None
    data: FrozenDict[str, str] = EMPTY
    binary_data: FrozenDict[str, str] = EMPTY


@frozen(kw_only=True)
class NamespaceSpec:
    """What must be done before a namespace may go."""

    finalizers: tuple[str, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class NamespaceStatus:
    """Active or Terminating."""

    phase: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Namespace(KubeObject):
    """Where names are unique."""

    api_version: str = "v1"
    kind: str = "Namespace"
    spec: NamespaceSpec = field(default=NamespaceSpec())
    status: NamespaceStatus = field(default=NamespaceStatus())
