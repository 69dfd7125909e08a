"""ReplicaSets and Deployments.

Source: staging/src/k8s.io/api/apps/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN, IntOrString, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject, LabelSelector
from chaoskube.models.objects.pod import PodTemplateSpec


@frozen(kw_only=True)
class ReplicaSetCondition:
    """One condition of a ReplicaSet (ReplicaFailure)."""

    type: str = ""
    status: str = ""
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ReplicaSetSpec:
    """How many pods of which template."""

    replicas: int | None = None
    min_ready_seconds: int = 0
    selector: LabelSelector | None = None
    template: PodTemplateSpec = field(default=PodTemplateSpec())
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ReplicaSetStatus:
    """How many pods there are, as the controller last saw them."""

    replicas: int = field(default=0, metadata=WRITTEN)
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    terminating_replicas: int | None = None
    observed_generation: int = 0
    conditions: tuple[ReplicaSetCondition, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ReplicaSet(KubeObject):
    """Keeps a number of copies of a pod."""

    api_version: str = "apps/v1"
    kind: str = "ReplicaSet"
    spec: ReplicaSetSpec = field(default=ReplicaSetSpec())
    status: ReplicaSetStatus = field(default=ReplicaSetStatus())


@frozen(kw_only=True)
class RollingUpdateDeployment:
    """How far a rolling update may go above and below the wanted number."""

    max_unavailable: IntOrString | None = None
    max_surge: IntOrString | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class DeploymentStrategy:
    """RollingUpdate or Recreate."""

    type: str | None = None
    rolling_update: RollingUpdateDeployment | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class DeploymentCondition:
    """One condition of a Deployment (Available, Progressing, ReplicaFailure)."""

    type: str = ""
    status: str = ""
    last_update_time: Time | None = field(default=None, metadata=WRITTEN)
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class DeploymentSpec:
    """How many pods of which template, and how to get from one template to the next."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = field(default=PodTemplateSpec())
    strategy: DeploymentStrategy = field(default=DeploymentStrategy())
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None
    paused: bool = False
    progress_deadline_seconds: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class DeploymentStatus:
    """How far a Deployment has come, summed over its ReplicaSets."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int | None = None
    conditions: tuple[DeploymentCondition, ...] = ()
    collision_count: int | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Deployment(KubeObject):
    """ReplicaSets, one for each template, and the way between them."""

    api_version: str = "apps/v1"
    kind: str = "Deployment"
    spec: DeploymentSpec = field(default=DeploymentSpec())
    status: DeploymentStatus = field(default=DeploymentStatus())
