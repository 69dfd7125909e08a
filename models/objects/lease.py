"""Leases: a name that somebody holds, and renews.

Source: staging/src/k8s.io/api/coordination/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import POINTER, MicroTime
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject


@frozen(kw_only=True)
class LeaseSpec:
    """Who holds it, since when, for how long; a holder of "" has let go."""

    holder_identity: str | None = field(default=None, metadata=POINTER)
    lease_duration_seconds: int | None = None
    acquire_time: MicroTime | None = None
    renew_time: MicroTime | None = None
    lease_transitions: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Lease(KubeObject):
    """A node's heart beat, or who leads."""

    api_version: str = "coordination.k8s.io/v1"
    kind: str = "Lease"
    spec: LeaseSpec = field(default=LeaseSpec())
