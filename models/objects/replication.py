"""ReplicationControllers, which ReplicaSets came after.

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject
from chaoskube.models.objects.pod import PodTemplateSpec


@frozen(kw_only=True)
class ReplicationControllerCondition:
    """One condition of a ReplicationController."""

    type: str = ""
    status: str = ""
    last_transition_time: Time | None = field(default=None, metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ReplicationControllerSpec:
    """How many pods of which template; the selector is a plain map of labels."""

    replicas: int | None = None
    min_ready_seconds: int = 0
    selector: FrozenDict[str, str] = EMPTY
    template: PodTemplateSpec | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ReplicationControllerStatus:
    """How many pods there are, as the controller last saw them."""

    replicas: int = field(default=0, metadata=WRITTEN)
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    observed_generation: int = 0
    conditions: tuple[ReplicationControllerCondition, ...] = ()
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class ReplicationController(KubeObject):
    """Keeps a number of copies of a pod."""

    api_version: str = "v1"
    kind: str = "ReplicationController"
    spec: ReplicationControllerSpec = field(default=ReplicationControllerSpec())
    status: ReplicationControllerStatus = field(default=ReplicationControllerStatus())
