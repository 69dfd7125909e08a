"""Volumes of a pod, and where its containers see them.

Source: staging/src/k8s.io/api/core/v1/types.go.

Not modelled: all sources of a volume but claims, ConfigMaps and Secrets (carried in `extra`).
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN
from chaoskube.models.objects.frozen import EMPTY, FrozenDict


@frozen(kw_only=True)
class PersistentVolumeClaimVolumeSource:
    """A claim of the pod's namespace."""

    claim_name: str = field(default="", metadata=WRITTEN)
    read_only: bool = False
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ConfigMapVolumeSource:
    """The keys of a ConfigMap as files; unless it is optional, the pod waits for it."""

    name: str | None = None
    optional: bool | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class SecretVolumeSource:
    """The keys of a Secret as files; unless it is optional, the pod waits for it."""

    secret_name: str | None = None
    optional: bool | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Volume:
    """A volume by its name, and where it comes from."""

    name: str = field(default="", metadata=WRITTEN)
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    config_map: ConfigMapVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class VolumeMount:
    """Where a container sees a volume."""

    name: str = field(default="", metadata=WRITTEN)
    read_only: bool = False
    mount_path: str = field(default="", metadata=WRITTEN)
    sub_path: str | None = None
    extra: FrozenDict[str, Any] = EMPTY
