"""Volumes that outlive pods: claims, volumes, their classes and attachments.

Source: staging/src/k8s.io/api/core/v1/types.go, staging/src/k8s.io/api/storage/v1/types.go.

Not modelled: the sources of a volume (hostPath, nfs, csi, ...), data sources and populators, modifying a volume (carried in `extra`).
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import POINTER, WRITTEN, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LabelSelector
from chaoskube.models.objects.placement import NodeSelector
from chaoskube.models.objects.quantity import Quantity
from chaoskube.models.objects.service import ObjectReference


@frozen(kw_only=True)
class VolumeResourceRequirements:
    """How much a claim asks for."""

    limits: FrozenDict[str, Quantity] = EMPTY
    requests: FrozenDict[str, Quantity] = EMPTY
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PersistentVolumeClaimSpec:
    """What a pod's owner asks of a volume; a class of "" asks for none."""

    access_modes: tuple[str, ...] = ()
    selector: LabelSelector | None = None
    resources: VolumeResourceRequirements = field(default=VolumeResourceRequirements())
    volume_name: str | None = None
    storage_class_name: str | None = field(default=None, metadata=POINTER)
    volume_mode: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PersistentVolumeClaimCondition:
    """One condition of a claim."""

    type: str = field(default="", metadata=WRITTEN)
    status: str = field(default="", metadata=WRITTEN)
    last_probe_time: Time | None = field(default=None, metadata=WRITTEN)
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PersistentVolumeClaimStatus:
    """Pending, Bound or Lost, and what was got."""

    phase: str | None = None
    access_modes: tuple[str, ...] = ()
    capacity: FrozenDict[str, Quantity] = EMPTY
    conditions: tuple[PersistentVolumeClaimCondition, ...] = ()
    allocated_resources: FrozenDict[str, Quantity] = EMPTY
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PersistentVolumeClaim(KubeObject):
    """A wish for a volume."""

    api_version: str = "v1"
    kind: str = "PersistentVolumeClaim"
    spec: PersistentVolumeClaimSpec = field(default=PersistentVolumeClaimSpec())
    status: PersistentVolumeClaimStatus = field(default=PersistentVolumeClaimStatus())


@frozen(kw_only=True)
class VolumeNodeAffinity:
    """From which nodes a volume can be reached."""

    required: NodeSelector | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PersistentVolumeSpec:
    """A volume: how big, of which class, whose."""

    capacity: FrozenDict[str, Quantity] = EMPTY
    access_modes: tuple[str, ...] = ()
    claim_ref: ObjectReference | None = None
    persistent_volume_reclaim_policy: str | None = None
    storage_class_name: str | None = None
    mount_options: tuple[str, ...] = ()
    volume_mode: str | None = None
    node_affinity: VolumeNodeAffinity | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PersistentVolumeStatus:
    """Pending, Available, Bound, Released or Failed."""

    phase: str | None = None
    message: str | None = None
    reason: str | None = None
    last_phase_transition_time: Time | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class PersistentVolume(KubeObject):
    """A piece of storage."""

    api_version: str = "v1"
    kind: str = "PersistentVolume"
    spec: PersistentVolumeSpec = field(default=PersistentVolumeSpec())
    status: PersistentVolumeStatus = field(default=PersistentVolumeStatus())


@frozen(kw_only=True)
class TopologySelectorLabelRequirement:
    """A label and the values that it may have."""

    key: str = field(default="", metadata=WRITTEN)
    values: tuple[str, ...] = field(default=(), metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class TopologySelectorTerm:
    """All of its labels must match."""

    match_label_expressions: tuple[TopologySelectorLabelRequirement, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class StorageClass(KubeObject):
    """How volumes of this sort are made, bound and given back."""

    api_version: str = "storage.k8s.io/v1"
    kind: str = "StorageClass"
    provisioner: str = field(default="", metadata=WRITTEN)
    parameters: FrozenDict[str, str] = EMPTY
    reclaim_policy: str | None = None
    mount_options: tuple[str, ...] = ()
    allow_volume_expansion: bool | None = None
    volume_binding_mode: str | None = None
    allowed_topologies: tuple[TopologySelectorTerm, ...] = ()


@frozen(kw_only=True)
class VolumeAttachmentSource:
    """Which volume."""

    persistent_volume_name: str | None = field(default=None, metadata=POINTER)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class VolumeAttachmentSpec:
    """A volume is to be attached to a node."""

    attacher: str = field(default="", metadata=WRITTEN)
    source: VolumeAttachmentSource = field(default=VolumeAttachmentSource(), metadata=WRITTEN)
    node_name: str = field(default="", metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class VolumeError:
    """What went wrong, and when."""

    time: Time | None = None
    message: str | None = None
    error_code: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class VolumeAttachmentStatus:
    """Whether it is attached."""

    attached: bool = field(default=False, metadata=WRITTEN)
    attachment_metadata: FrozenDict[str, str] = EMPTY
    attach_error: VolumeError | None = None
    detach_error: VolumeError | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class VolumeAttachment(KubeObject):
    """A volume at a node."""

    api_version: str = "storage.k8s.io/v1"
    kind: str = "VolumeAttachment"
    spec: VolumeAttachmentSpec = field(default=VolumeAttachmentSpec())
    status: VolumeAttachmentStatus = field(default=VolumeAttachmentStatus())
