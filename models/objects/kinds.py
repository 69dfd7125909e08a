"""The kinds that have classes of their own; all others are GenericObjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chaoskube.models.objects.autoscaling import HorizontalPodAutoscaler
from chaoskube.models.objects.batch import CronJob, Job
from chaoskube.models.objects.config import ConfigMap, Namespace, Secret, ServiceAccount
from chaoskube.models.objects.crd import CustomResourceDefinition
from chaoskube.models.objects.daemonset import DaemonSet
from chaoskube.models.objects.endpoints import Endpoints
from chaoskube.models.objects.event import Event
from chaoskube.models.objects.lease import Lease
from chaoskube.models.objects.meta import KubeObject
from chaoskube.models.objects.networking import Ingress, IngressClass, NetworkPolicy
from chaoskube.models.objects.node import Node
from chaoskube.models.objects.pod import Pod
from chaoskube.models.objects.policy import LimitRange, PodDisruptionBudget, PriorityClass, ResourceQuota
from chaoskube.models.objects.rbac import ClusterRole, ClusterRoleBinding, Role, RoleBinding
from chaoskube.models.objects.replication import ReplicationController
from chaoskube.models.objects.service import EndpointSlice, Service
from chaoskube.models.objects.stateful import ControllerRevision, StatefulSet
from chaoskube.models.objects.storage import (
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from chaoskube.models.objects.webhooks import MutatingWebhookConfiguration, ValidatingWebhookConfiguration
from chaoskube.models.objects.workloads import Deployment, ReplicaSet

_TYPED: Final[tuple[type[KubeObject], ...]] = (
    Pod,
    ReplicaSet,
    Deployment,
    Service,
    EndpointSlice,
    Node,
    Lease,
    Event,
    ConfigMap,
    Namespace,
    ReplicationController,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    ControllerRevision,
    Endpoints,
    Ingress,
    IngressClass,
    NetworkPolicy,
    Secret,
    ServiceAccount,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
    ResourceQuota,
    LimitRange,
    PodDisruptionBudget,
    PriorityClass,
    HorizontalPodAutoscaler,
    Role,
    ClusterRole,
    RoleBinding,
    ClusterRoleBinding,
    CustomResourceDefinition,
    ValidatingWebhookConfiguration,
    MutatingWebhookConfiguration,
)


def _identity(cls: type[KubeObject]) -> tuple[str, str]:
    example = cls()  # type: ignore[call-arg]  # every typed kind has defaults for all its fields
    return example.api_version, example.kind


TYPED: Final[Mapping[tuple[str, str], type[KubeObject]]] = {_identity(cls): cls for cls in _TYPED}
"""(apiVersion, kind) -> class."""


def class_of(api_version: str, kind: str) -> type[KubeObject] | None:
    """The class of a kind, None when the simulation doesn't act on it."""
    return TYPED.get((api_version, kind))
