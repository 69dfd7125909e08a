"""What the API server fills in when it decodes an object, on plain JSON trees: the door, and the table of kinds.

Sources: pkg/apis/*/v1/defaults.go (see defaults_pod.py, defaults_workloads.py, defaults_kinds.py); and what Go's
encoder makes of absent structs (`resources: {}`, `status: {}`).

`default` also does what decoding into Go structs does: null and empty values that mean absent go, quantities are
written in their canonical form. Called by the API server at its door, before validation.
Not modelled: defaults of kinds without a class here; admission's and strategy's defaults (tolerations, priority,
clusterIP, phase) belong to the API server's own room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from chaoskube.models.objects import defaults_kinds as kinds
from chaoskube.models.objects import defaults_workloads as workloads
from chaoskube.models.objects.codec import decode, encode
from chaoskube.models.objects.config import Namespace
from chaoskube.models.objects.defaults_pod import (
    default_pod_spec,
    default_template,
    fill_pod,
    pull_policy,
)
from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.kinds import TYPED, class_of
from chaoskube.models.objects.lease import Lease
from chaoskube.models.objects.meta import KubeObject
from chaoskube.models.objects.node import Node
from chaoskube.models.objects.service import EndpointSlice

__all__ = ["default", "default_pod_spec", "default_template", "has_defaults", "is_filled", "pull_policy"]


def default(tree: Mapping[str, Any]) -> Tree:
    """The object with its defaults, tidied as Go would; the tree given stays as it is."""
    obj = decode(tree)
    if class_of(obj.api_version, obj.kind) is None:
        return encode(obj)
    result = encode(obj, carried=False)
    fill = _DEFAULTS.get((obj.api_version, obj.kind))
    if fill is not None:
        fill(result)
    return result


def has_defaults(obj: KubeObject) -> bool:
    """Whether the server fills anything in for this kind."""
    return (obj.api_version, obj.kind) in _DEFAULTS


def is_filled(cls: type[KubeObject]) -> bool:
    """Whether defaults matter to an object of this class that a component made itself: the others come whole."""
    return cls in _FILLED


_RBAC: Final = "rbac.authorization.k8s.io/v1"
_HOOKS: Final = "admissionregistration.k8s.io/v1"
_DEFAULTS: Final[Mapping[tuple[str, str], Callable[[Tree], None]]] = {
    ("v1", "Pod"): fill_pod,
    ("v1", "ReplicationController"): workloads.fill_replication_controller,
    ("v1", "Service"): kinds.fill_service,
    ("v1", "Endpoints"): kinds.fill_endpoints,
    ("v1", "Node"): kinds.fill_node,
    ("v1", "Namespace"): kinds.fill_namespace,
    ("v1", "Secret"): kinds.fill_secret,
    ("v1", "PersistentVolume"): kinds.fill_volume,
    ("v1", "PersistentVolumeClaim"): kinds.fill_claim,
    ("v1", "LimitRange"): kinds.fill_limit_range,
    ("v1", "ResourceQuota"): kinds.fill_spec,
    ("apps/v1", "Deployment"): workloads.fill_deployment,
    ("apps/v1", "ReplicaSet"): workloads.fill_replica_set,
    ("apps/v1", "StatefulSet"): workloads.fill_stateful_set,
    ("apps/v1", "DaemonSet"): workloads.fill_daemon_set,
    ("apps/v1", "ControllerRevision"): kinds.fill_revision,
    ("batch/v1", "Job"): workloads.fill_job,
    ("batch/v1", "CronJob"): workloads.fill_cron_job,
    ("autoscaling/v2", "HorizontalPodAutoscaler"): workloads.fill_autoscaler,
    ("policy/v1", "PodDisruptionBudget"): kinds.fill_spec,
    ("discovery.k8s.io/v1", "EndpointSlice"): kinds.fill_endpoint_slice,
    ("networking.k8s.io/v1", "Ingress"): kinds.fill_ingress,
    ("networking.k8s.io/v1", "IngressClass"): kinds.fill_ingress_class,
    ("networking.k8s.io/v1", "NetworkPolicy"): kinds.fill_network_policy,
    ("storage.k8s.io/v1", "StorageClass"): kinds.fill_storage_class,
    ("storage.k8s.io/v1", "VolumeAttachment"): kinds.fill_spec,
    ("coordination.k8s.io/v1", "Lease"): kinds.fill_spec,
    ("scheduling.k8s.io/v1", "PriorityClass"): kinds.fill_priority_class,
    (_RBAC, "Role"): kinds.fill_role,
    (_RBAC, "ClusterRole"): kinds.fill_role,
    (_RBAC, "RoleBinding"): kinds.fill_binding,
    (_RBAC, "ClusterRoleBinding"): kinds.fill_binding,
    (_HOOKS, "ValidatingWebhookConfiguration"): kinds.fill_webhooks,
    (_HOOKS, "MutatingWebhookConfiguration"): kinds.fill_webhooks,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): kinds.fill_definition,
}
_WHOLE: Final = (
    EndpointSlice,
    Lease,
    Namespace,
    Node,
)  # what components write themselves, often, and complete
_FILLED: Final[frozenset[type[KubeObject]]] = frozenset(
    cls for identity, cls in TYPED.items() if identity in _DEFAULTS and cls not in _WHOLE
)
