"""One version of a custom object stands in etcd, others are served: the codec between a flow and the store. Pure.

Conversion is by name only (strategy None): the apiVersion changes, nothing else. What comes out of etcd is pruned and
defaulted by the schema of the version it was stored as, as it is *now*: a default that was added to a definition shows in
objects that are older than it.

`served` wraps the flow of a request: what it asks of etcd goes out in the stored version, what etcd answers comes in as the
version that the request is about, so that the flow itself knows one version only.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go (crdConversionRESTOptionsGetter),
conversion/nop_converter.go.

Called by `handlers.py` (requests) and `cache_feed.py` (what caches read).
Not modelled: conversion webhooks; a write that changes nothing doesn't move an object to a newer stored version.
"""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve

from chaoskube.models.apiserver.flow import Effect, Flow, Outcome
from chaoskube.models.apiserver.storage import from_kv
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import GenericObject, KubeObject, freeze, thaw
from chaoskube.models.objects.resources import Resource, Resources
from chaoskube.models.objects.structural import pruned, with_defaults, without_nulls
from chaoskube.sim import UsageError

T = TypeVar("T")


def as_served(obj: KubeObject, resource: Resource, resources: Resources) -> KubeObject:
    """An object that was read from etcd, as clients of this resource see it."""
    if resource.custom is None or not isinstance(obj, GenericObject):
        return obj
    try:
        stored_as = resources.resource_for(obj.kind, obj.api_version)
    except UsageError:
        stored_as = resource  # that version is not served any more: its schema is not kept
    content = _coerced(obj, stored_as)
    if content is obj and obj.api_version == resource.api_version:
        return obj
    return evolve(content, api_version=resource.api_version)


def _coerced(obj: GenericObject, stored_as: Resource) -> GenericObject:
    version = stored_as.custom
    assert version is not None, f"{stored_as.name} is no custom resource"
    tree = thaw(obj.content)
    if not version.preserve_unknown_fields:
        tree = without_nulls(pruned(tree, version.schema)[0], version.schema)
    content = freeze(with_defaults(tree, version.schema))
    return obj if content == obj.content else evolve(obj, content=content)


def read_custom(kv: etcd.KeyValue, resource: Resource, resources: Resources) -> KubeObject:
    """What a cache of custom objects takes from a key."""
    return from_kv(_key_value(kv, resource, resources))


def as_stored(obj: KubeObject, resource: Resource) -> KubeObject:
    """An object as it goes to etcd."""
    if resource.custom is None or obj.api_version == resource.custom.stored_as:
        return obj
    return evolve(obj, api_version=resource.custom.stored_as)


def served(flow: Flow[T], resource: Resource, resources: Resources) -> Flow[T]:
    """The same flow, with the codec of a custom resource between it and etcd."""
    outcome: Outcome = None
    while True:
        try:
            effect = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        outcome = _answer(effect, (yield _question(effect, resource)), resource, resources)


def _question(effect: Effect, resource: Resource) -> Effect:
    if not isinstance(effect, etcd.Txn):
        return effect
    return evolve(effect, success=tuple([_put(one, resource) for one in effect.success]))


def _put(request: etcd.RequestOp, resource: Resource) -> etcd.RequestOp:
    if isinstance(request, etcd.Put) and isinstance(request.value, KubeObject):
        return evolve(request, value=as_stored(request.value, resource))
    return request


def _answer(effect: Effect, outcome: Outcome, resource: Resource, resources: Resources) -> Outcome:
    if isinstance(outcome, etcd.TxnResponse):
        inner = [_range(one, resource, resources) for one in outcome.responses]
        return evolve(outcome, responses=tuple(inner))
    if isinstance(outcome, etcd.RangeResponse):
        return _range(outcome, resource, resources)
    return outcome


def _range(response: etcd.ResponseOp, resource: Resource, resources: Resources) -> etcd.ResponseOp:
    if not isinstance(response, etcd.RangeResponse):
        return response
    return evolve(response, kvs=tuple([_key_value(kv, resource, resources) for kv in response.kvs]))


def _key_value(kv: etcd.KeyValue, resource: Resource, resources: Resources) -> etcd.KeyValue:
    if not isinstance(kv.value, KubeObject):
        return kv
    return evolve(kv, value=as_served(kv.value, resource, resources))
