"""StatefulSets, and the revisions in which they (and DaemonSets) keep their templates.

Source: staging/src/k8s.io/api/apps/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN, IntOrString, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LabelSelector, ObjectMeta
from chaoskube.models.objects.pod import PodTemplateSpec
from chaoskube.models.objects.storage import PersistentVolumeClaimSpec, PersistentVolumeClaimStatus


@frozen(kw_only=True)
class StatefulSetOrdinals:
    """The number of the first replica."""

    start: int = 0
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class RollingUpdateStatefulSetStrategy:
    """Only pods with an ordinal of at least `partition` are updated."""

    partition: int | None = None
    max_unavailable: IntOrString | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class StatefulSetUpdateStrategy:
    """RollingUpdate or OnDelete."""

    type: str | None = None
    rolling_update: RollingUpdateStatefulSetStrategy | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ClaimRetentionPolicy:
    """What becomes of the claims when the set goes, or shrinks: Retain or Delete."""

    when_deleted: str | None = None
    when_scaled: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class StatefulSetCondition:
    """One condition of a StatefulSet."""

    type: str = ""
    status: str = ""
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ClaimTemplate:
    """The claim that each pod gets one of; the server writes its kind into it."""

    api_version: str | None = None
    kind: str | None = None
    metadata: ObjectMeta = field(default=ObjectMeta())
    spec: PersistentVolumeClaimSpec = field(default=PersistentVolumeClaimSpec())
    status: PersistentVolumeClaimStatus = field(default=PersistentVolumeClaimStatus())
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class StatefulSetSpec:
    """How many pods of which template, each with its own name and volumes."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = field(default=PodTemplateSpec())
    volume_claim_templates: tuple[ClaimTemplate, ...] = ()
    service_name: str = ""
    pod_management_policy: str | None = None
    update_strategy: StatefulSetUpdateStrategy = field(default=StatefulSetUpdateStrategy())
    revision_history_limit: int | None = None
    min_ready_seconds: int = 0
    persistent_volume_claim_retention_policy: ClaimRetentionPolicy | None = None
    ordinals: StatefulSetOrdinals | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class StatefulSetStatus:
    """How many pods there are, and of which revision."""

    observed_generation: int = 0
    replicas: int = field(default=0, metadata=WRITTEN)
    ready_replicas: int = 0
    current_replicas: int = 0
    updated_replicas: int = 0
    current_revision: str | None = None
    update_revision: str | None = None
    collision_count: int | None = None
    conditions: tuple[StatefulSetCondition, ...] = ()
    available_replicas: int = field(default=0, metadata=WRITTEN)
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class StatefulSet(KubeObject):
    """Pods with an identity: a number, a name, volumes that stay."""

    api_version: str = "apps/v1"
    kind: str = "StatefulSet"
    spec: StatefulSetSpec = field(default=StatefulSetSpec())
    status: StatefulSetStatus = field(default=StatefulSetStatus())


@frozen(kw_only=True)
class ControllerRevision(KubeObject):
    """A template as it was, kept to go back to."""

    api_version: str = "apps/v1"
    kind: str = "ControllerRevision"
    data: Any = None
    revision: int = field(default=0, metadata=WRITTEN)
