"""Whether the API server takes an object: the door, and the tables of rules by kind, with the real wording.

Sources: pkg/apis/*/validation/validation.go, one validation_*.py for each family.

Objects come here defaulted. Kinds without a row are checked for their metadata alone. Called by the API server's
strategies.
Not modelled: rules of fields that are only carried; CustomResourceDefinitions and custom objects (the API server's room).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from chaoskube.models.objects import validation_batch as batch
from chaoskube.models.objects import validation_config as config
from chaoskube.models.objects import validation_networking as networking
from chaoskube.models.objects import validation_policy as policy
from chaoskube.models.objects import validation_rbac as rbac
from chaoskube.models.objects import validation_service as service
from chaoskube.models.objects import validation_sets as sets
from chaoskube.models.objects import validation_storage as storage
from chaoskube.models.objects import validation_workloads as workloads
from chaoskube.models.objects.autoscaling import HorizontalPodAutoscaler
from chaoskube.models.objects.batch import CronJob, Job
from chaoskube.models.objects.causes import Cause
from chaoskube.models.objects.config import ConfigMap, Namespace, Secret, ServiceAccount
from chaoskube.models.objects.crd import CustomResourceDefinition
from chaoskube.models.objects.daemonset import DaemonSet
from chaoskube.models.objects.endpoints import Endpoints
from chaoskube.models.objects.lease import Lease
from chaoskube.models.objects.meta import GenericObject, KubeObject
from chaoskube.models.objects.names import dns_label, dns_subdomain, path_segment
from chaoskube.models.objects.networking import Ingress, IngressClass, NetworkPolicy
from chaoskube.models.objects.node import Node
from chaoskube.models.objects.pod import Pod
from chaoskube.models.objects.policy import LimitRange, PodDisruptionBudget, PriorityClass, ResourceQuota
from chaoskube.models.objects.rbac import ClusterRole, ClusterRoleBinding, Role, RoleBinding
from chaoskube.models.objects.replication import ReplicationController
from chaoskube.models.objects.resources import resource_for
from chaoskube.models.objects.service import EndpointSlice, Service
from chaoskube.models.objects.stateful import ControllerRevision, StatefulSet
from chaoskube.models.objects.storage import (
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from chaoskube.models.objects.validation_autoscaling import check_autoscaler, check_autoscaler_status
from chaoskube.models.objects.validation_meta import (
    check_common_meta,
    check_meta,
    check_meta_update,
    check_standard_finalizers,
)
from chaoskube.models.objects.validation_pod import check_pod, check_pod_update
from chaoskube.models.objects.validation_priority import check_priority_class, check_priority_class_update
from chaoskube.models.objects.validation_webhooks import check_webhooks
from chaoskube.models.objects.webhooks import MutatingWebhookConfiguration, ValidatingWebhookConfiguration
from chaoskube.models.objects.workloads import Deployment, ReplicaSet
from chaoskube.sim import UsageError


def validate_create(obj: KubeObject) -> tuple[Cause, ...]:
    """Why this object may not be created; nothing: it may."""
    rule = _CREATED.get(type(obj)) or _RULES.get(type(obj))
    return (*_meta(obj), *(rule(obj) if rule is not None else ()))


def validate_update(old: KubeObject, new: KubeObject, *, subresource: str = "") -> tuple[Cause, ...]:
    """Why `old` may not become `new`; for the status subresource only metadata and the status are looked at."""
    changed = tuple(check_meta_update(old.metadata, new.metadata))
    if subresource == "status":
        status = _STATUS.get(type(new))
        common = () if _has_meta_of(new, old) else tuple(_meta(new, any_name=True))
        said = _as_often_as_said(new, changed, ()) if changed or common else ()
        return (*said, *(status(old, new) if status is not None else ()))
    rule, update = _RULES.get(type(new)), _UPDATED.get(type(new))
    content = tuple(rule(new)) if rule is not None else ()
    if content and isinstance(new, _SPEC_TWICE):
        content *= 2
    common = tuple(_meta(new))
    said = _as_often_as_said(new, changed, common) if changed or common else ()
    return (*said, *content, *(update(old, new) if update is not None else ()))


def _as_often_as_said(
    new: KubeObject, changed: tuple[Cause, ...], whole: tuple[Cause, ...]
) -> tuple[Cause, ...]:
    """Wrong metadata is a cause each time it is looked at: twice for every kind, then by the kind's own rules, which
    for some look at all of it once more. (registry/rest/update.go, validateCommonFields; pkg/registry/*/strategy.go)"""
    metadata = new.metadata
    again = (*changed, *check_common_meta(metadata))
    own = () if isinstance(new, _GENERIC_META) else tuple(check_standard_finalizers(metadata))
    more = whole if isinstance(new, _LOOKED_AT_AGAIN) else ()
    return (*_meta(new, any_name=True, standard=False), *again, *again, *own, *more)


def _has_meta_of(new: KubeObject, old: KubeObject) -> bool:
    """Whether nothing changed in metadata that has rules."""
    mine, theirs = new.metadata, old.metadata
    return (
        mine.labels is theirs.labels
        and mine.annotations is theirs.annotations
        and mine.finalizers is theirs.finalizers
        and mine.owner_references is theirs.owner_references
    )


def _meta(obj: KubeObject, *, any_name: bool = False, standard: bool = True) -> Iterator[Cause]:
    """Rules of metadata; with `any_name` those of every update (registry/rest/update.go, validateCommonFields)."""
    try:
        namespaced = resource_for(obj.kind, obj.api_version).namespaced
    except UsageError:
        namespaced = bool(obj.metadata.namespace)
    rule: Callable[[str], list[str]] = dns_label if obj.kind in _LABELLED else dns_subdomain
    if any_name or obj.api_version.startswith("rbac.") or obj.kind == "Event":
        rule = path_segment
    yield from check_meta(obj.metadata, namespaced=namespaced, name_rule=rule)
    if standard and obj.metadata.finalizers and not isinstance(obj, _GENERIC_META):
        yield from check_standard_finalizers(obj.metadata)


_LABELLED: Final = ("Namespace", "Service", "StatefulSet")
_GENERIC_META: Final = (
    GenericObject,
    CustomResourceDefinition,
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
)
"""Kinds of which the machinery's rules of metadata hold alone (apimachinery/pkg/api/validation)."""
_LOOKED_AT_AGAIN: Final = (
    ConfigMap,
    DaemonSet,
    EndpointSlice,
    Endpoints,
    LimitRange,
    Namespace,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    ReplicaSet,
    ReplicationController,
    Secret,
    Service,
    ServiceAccount,
)
"""Kinds that are validated whole when they change, metadata included."""
_SPEC_TWICE: Final = (DaemonSet, ReplicaSet, ReplicationController)
"""Of these, what is wrong with the spec is said by both validations of an update, the whole and the changed one."""
_Rule = Callable[[Any], Iterator[Cause]]  # each takes the kind of its row
_Change = Callable[[Any, Any], Iterator[Cause]]

_RULES: Final[Mapping[type[KubeObject], _Rule]] = {
    ClusterRole: rbac.check_cluster_role,
    ClusterRoleBinding: rbac.check_cluster_role_binding,
    ConfigMap: config.check_config_map,
    ControllerRevision: sets.check_revision,
    CronJob: batch.check_cron_spec,
    DaemonSet: sets.check_daemon_set,
    Deployment: workloads.check_deployment,
    EndpointSlice: service.check_endpoint_slice,
    Endpoints: service.check_endpoints,
    HorizontalPodAutoscaler: check_autoscaler,
    Ingress: networking.check_ingress,
    IngressClass: networking.check_ingress_class,
    Job: batch.check_job_spec,
    Lease: config.check_lease,
    LimitRange: policy.check_limit_range,
    MutatingWebhookConfiguration: check_webhooks,
    NetworkPolicy: networking.check_network_policy,
    Node: config.check_node,
    PersistentVolume: storage.check_volume,
    PersistentVolumeClaim: storage.check_claim,
    Pod: check_pod,
    PodDisruptionBudget: policy.check_budget,
    PriorityClass: check_priority_class,
    ReplicaSet: workloads.check_replica_set,
    ReplicationController: workloads.check_replication_controller,
    ResourceQuota: policy.check_quota,
    Role: rbac.check_role,
    RoleBinding: rbac.check_role_binding,
    Secret: config.check_secret,
    Service: service.check_service,
    StatefulSet: sets.check_stateful_spec,
    StorageClass: storage.check_storage_class,
    ValidatingWebhookConfiguration: check_webhooks,
    VolumeAttachment: storage.check_attachment,
}
"""What must hold of an object as it stands."""

_CREATED: Final[Mapping[type[KubeObject], _Rule]] = {
    CronJob: batch.check_cron_job,
    Ingress: networking.check_ingress_create,
    Job: batch.check_job,
    StatefulSet: sets.check_stateful_set,
}
"""What must hold of a new one, where that is more."""

_UPDATED: Final[Mapping[type[KubeObject], _Change]] = {
    ClusterRoleBinding: rbac.check_binding_update,
    ConfigMap: config.check_config_map_update,
    ControllerRevision: sets.check_revision_update,
    DaemonSet: sets.check_daemon_set_update,
    Deployment: workloads.check_selector_update,
    EndpointSlice: service.check_endpoint_slice_update,
    IngressClass: networking.check_ingress_class_update,
    Job: batch.check_job_update,
    PersistentVolume: storage.check_volume_update,
    PersistentVolumeClaim: storage.check_claim_update,
    Pod: check_pod_update,
    PriorityClass: check_priority_class_update,
    ReplicaSet: workloads.check_selector_update,
    ResourceQuota: policy.check_quota_update,
    RoleBinding: rbac.check_binding_update,
    Secret: config.check_secret_update,
    Service: service.check_service_update,
    StatefulSet: sets.check_stateful_set_update,
    StorageClass: storage.check_storage_class_update,
    VolumeAttachment: storage.check_attachment_update,
}
"""What may not change."""

_STATUS: Final[Mapping[type[KubeObject], _Change]] = {
    DaemonSet: sets.check_daemon_set_status,
    Deployment: workloads.check_replicated_status,
    HorizontalPodAutoscaler: check_autoscaler_status,
    Job: batch.check_job_status,
    PodDisruptionBudget: policy.check_budget_status,
    ReplicaSet: workloads.check_replicated_status,
    ReplicationController: workloads.check_replicated_status,
    ResourceQuota: policy.check_quota_status,
    StatefulSet: sets.check_stateful_set_status,
}
"""What must hold of a status that is written."""
