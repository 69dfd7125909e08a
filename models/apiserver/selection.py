"""Which objects a LIST or WATCH means: label and field selectors, as one predicate.

Sources: staging/src/k8s.io/apimachinery/pkg/fields, pkg/runtime/conversion.go (DefaultMetaV1FieldSelectorConversion),
pkg/apis/{core,batch,certificates,events}/v1/conversion.go (the labels that a kind takes), pkg/registry/*/strategy.go (the
fields behind them), staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/conversion/converter.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chaoskube.models.apiserver.errors import bad_request
from chaoskube.models.apiserver.watcher import Predicate
from chaoskube.models.objects.resources import Resource
from chaoskube.models.objects.selectors import FieldRequirement, parse_field_selector, parse_label_selector
from chaoskube.sim import UsageError

Getter = Callable[[Any], object]
_NAME: Mapping[str, Getter] = {"metadata.name": lambda obj: obj.metadata.name}
_EVERYWHERE: Mapping[str, Getter] = {**_NAME, "metadata.namespace": lambda obj: obj.metadata.namespace}


def _at(path: str, obj: Any) -> object:
    node: Any = obj.content
    for step in path.removeprefix(".").split("."):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


_OF_KIND: Mapping[str, Mapping[str, Getter]] = {
    "pods": {
        **_EVERYWHERE,
        "spec.nodeName": lambda pod: pod.spec.node_name,
        "spec.host": lambda pod: pod.spec.node_name,
        "spec.restartPolicy": lambda pod: pod.spec.restart_policy,
        "spec.schedulerName": lambda pod: pod.spec.scheduler_name,
        "spec.serviceAccountName": lambda pod: pod.spec.service_account_name,
        "spec.hostNetwork": lambda pod: bool(pod.spec.host_network),
        "status.phase": lambda pod: pod.status.phase,
        "status.podIP": lambda pod: pod.status.pod_ip,
        "status.podIPs": lambda pod: None,  # a label that is taken, of a field that is never filled in
        "status.nominatedNodeName": lambda pod: pod.status.nominated_node_name,
    },
    "nodes": {**_NAME, "spec.unschedulable": lambda node: bool(node.spec.unschedulable)},
    "namespaces": {**_NAME, "status.phase": lambda namespace: namespace.status.phase},
    "secrets": {**_EVERYWHERE, "type": lambda secret: secret.type},
    "services": {
        **_EVERYWHERE,
        "spec.clusterIP": lambda service: service.spec.cluster_ip,
        "spec.type": lambda service: service.spec.type,
    },
    "replicationcontrollers": {
        **_EVERYWHERE,
        "status.replicas": lambda controller: controller.status.replicas or 0,
    },
    "jobs.batch": {**_EVERYWHERE, "status.successful": lambda job: job.status.succeeded or 0},
    "certificatesigningrequests.certificates.k8s.io": {
        **_NAME,
        "spec.signerName": partial(_at, "spec.signerName"),
    },
    "events": {
        **_EVERYWHERE,
        "involvedObject.kind": lambda event: event.involved_object.kind,
        "involvedObject.namespace": lambda event: event.involved_object.namespace,
        "involvedObject.name": lambda event: event.involved_object.name,
        "involvedObject.uid": lambda event: event.involved_object.uid,
        "involvedObject.apiVersion": lambda event: event.involved_object.api_version,
        "involvedObject.resourceVersion": lambda event: event.involved_object.resource_version,
        "involvedObject.fieldPath": lambda event: event.involved_object.field_path,
        "reason": lambda event: event.reason,
        "reportingComponent": lambda event: event.reporting_component,
        "source": lambda event: event.source.component or event.reporting_component,
        "type": lambda event: event.type,
    },
    "events.events.k8s.io": {
        **_EVERYWHERE,
        **{
            path: partial(_at, path)
            for path in (
                "regarding.kind",
                "regarding.namespace",
                "regarding.name",
                "regarding.uid",
                "regarding.apiVersion",
                "regarding.resourceVersion",
                "regarding.fieldPath",
                "reason",
                "reportingController",
                "type",
            )
        },
    },
}
"""The labels that each kind takes (AddFieldLabelConversionFunc), and what they read (ToSelectableFields)."""


def predicate(resource: Resource, label_selector: str, field_selector: str) -> Predicate | None:
    """What both selectors say of an object; None when they say nothing."""
    by_labels = _by_labels(label_selector) if label_selector else None
    by_fields = _by_fields(resource, field_selector) if field_selector else None
    if by_labels is None or by_fields is None:
        return by_labels or by_fields
    return lambda obj: by_labels(obj) and by_fields(obj)


def single_name(field_selector: str) -> str:
    """The name, if the selector is `metadata.name=NAME` among others."""
    for requirement in _field_requirements(field_selector):
        if requirement.path == "metadata.name" and requirement.equal:
            return requirement.value
    return ""


def _field_requirements(text: str) -> tuple[FieldRequirement, ...]:
    try:
        return parse_field_selector(text)
    except UsageError as error:
        raise bad_request(str(error)) from error


def _by_labels(text: str) -> Predicate:
    try:
        selector = parse_label_selector(text)
    except UsageError as error:
        raise bad_request(str(error)) from error
    return lambda obj: selector.matches(obj.metadata.labels)


def _by_fields(resource: Resource, text: str) -> Predicate:
    requirements = _field_requirements(text)
    tests: list[tuple[Getter, bool, str]] = []
    fields = _fields_of(resource)
    for requirement in requirements:
        getter = fields.get(requirement.path)
        if getter is None:
            raise bad_request(_refusal(resource, requirement.path))
        tests.append((getter, requirement.equal, requirement.value))
    if len(tests) == 1 and tests[0][1]:
        only, _, wanted = tests[0]
        return lambda obj: _text(only(obj)) == wanted
    return lambda obj: all((_text(getter(obj)) == value) is equal for getter, equal, value in tests)


def _fields_of(resource: Resource) -> Mapping[str, Getter]:
    """The fields that can be selected; of a custom resource those of its definition (selectableFields)."""
    if resource.custom is None:
        return _OF_KIND.get(_label_key(resource), _EVERYWHERE)
    paths = [path.removeprefix(".") for path in resource.custom.selectable_fields]
    plain = _EVERYWHERE if resource.namespaced else _NAME
    return {**plain, **{path: partial(_at, path) for path in paths}}


def _label_key(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _refusal(resource: Resource, label: str) -> str:
    """What is said of a label that the kind doesn't take; kinds without a function of their own share one."""
    key = _label_key(resource)
    if key == "jobs.batch":
        return f'field label "{label}" not supported for Job'
    if resource.custom is not None or key in _OF_KIND:
        return f"field label not supported: {label}"
    return f'"{label}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
