"""Which objects a LIST or WATCH means: label and field selectors, as one predicate.

Sources: staging/src/k8s.io/apimachinery/pkg/fields, pkg/registry/core/{pod,node,event}/strategy.go (the fields that can
be selected).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chaoskube.models.apiserver.errors import bad_request
from chaoskube.models.apiserver.event_versions import API_VERSION as EVENTS
from chaoskube.models.apiserver.watcher import Predicate
from chaoskube.models.objects.resources import Resource
from chaoskube.models.objects.selectors import FieldRequirement, parse_field_selector, parse_label_selector
from chaoskube.sim import UsageError

Getter = Callable[[Any], object]
_EVERYWHERE: Mapping[str, Getter] = {
    "metadata.name": lambda obj: obj.metadata.name,
    "metadata.namespace": lambda obj: obj.metadata.namespace,
}
_OF_KIND: Mapping[str, Mapping[str, Getter]] = {
    "pods": {
        "spec.nodeName": lambda pod: pod.spec.node_name,
        "spec.restartPolicy": lambda pod: pod.spec.restart_policy,
        "spec.schedulerName": lambda pod: pod.spec.scheduler_name,
        "spec.serviceAccountName": lambda pod: pod.spec.service_account_name,
        "spec.hostNetwork": lambda pod: pod.spec.host_network,
        "status.phase": lambda pod: pod.status.phase,
        "status.podIP": lambda pod: pod.status.pod_ip,
        "status.nominatedNodeName": lambda pod: pod.status.nominated_node_name,
    },
    "nodes": {"spec.unschedulable": lambda node: node.spec.unschedulable},
    "events": {
        "involvedObject.kind": lambda event: event.involved_object.kind,
        "involvedObject.namespace": lambda event: event.involved_object.namespace,
        "involvedObject.name": lambda event: event.involved_object.name,
        "involvedObject.uid": lambda event: event.involved_object.uid,
        "reason": lambda event: event.reason,
        "type": lambda event: event.type,
    },
    "replicasets": {"status.replicas": lambda replica_set: replica_set.status.replicas},
    "namespaces": {"status.phase": lambda namespace: namespace.status.phase},
}


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
    fields = {**_EVERYWHERE, **_of_custom(resource)} if resource.custom else _of_built_in(resource)
    for requirement in requirements:
        getter = fields.get(requirement.path)
        if getter is None:
            raise bad_request(f"field label not supported: {requirement.path}")
        tests.append((getter, requirement.equal, requirement.value))
    if len(tests) == 1 and tests[0][1]:
        only, _, wanted = tests[0]
        return lambda obj: _text(only(obj)) == wanted
    return lambda obj: all((_text(getter(obj)) == value) is equal for getter, equal, value in tests)


def _of_built_in(resource: Resource) -> Mapping[str, Getter]:
    return {
        **_EVERYWHERE,
        **(_NEWER_EVENTS if resource.api_version == EVENTS else _OF_KIND.get(resource.plural, {})),
    }


def _of_custom(resource: Resource) -> Mapping[str, Getter]:
    """The fields that the definition makes selectable (spec.versions[*].selectableFields)."""
    assert resource.custom is not None
    return {path.removeprefix("."): partial(_at, path) for path in resource.custom.selectable_fields}


def _at(path: str, obj: Any) -> object:
    node: Any = obj.content
    for step in path.removeprefix(".").split("."):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


_NEWER_EVENTS: Mapping[str, Getter] = {
    path: partial(_at, f".{path}")
    for path in (
        "regarding.kind",
        "regarding.namespace",
        "regarding.name",
        "regarding.uid",
        "reason",
        "reportingController",
        "type",
    )
}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
