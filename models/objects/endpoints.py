"""Endpoints, which EndpointSlices came after.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import POINTER, WRITTEN
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject
from chaoskube.models.objects.service import ObjectReference


@frozen(kw_only=True)
class EndpointAddress:
    """One address behind a Service."""

    ip: str = field(default="", metadata=WRITTEN)
    hostname: str | None = None
    node_name: str | None = field(default=None, metadata=POINTER)
    target_ref: ObjectReference | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class EndpointSubsetPort:
    """A port of all addresses of a subset."""

    name: str | None = None
    port: int = field(default=0, metadata=WRITTEN)
    protocol: str | None = None
    app_protocol: str | None = field(default=None, metadata=POINTER)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class EndpointSubset:
    """Addresses with the same ports."""

    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointSubsetPort, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Endpoints(KubeObject):
    """All endpoints of a Service."""

    api_version: str = "v1"
    kind: str = "Endpoints"
    subsets: tuple[EndpointSubset, ...] = ()
