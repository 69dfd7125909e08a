"""The scale subresource as flows: a view on spec.replicas under the parent's resource version.

The four workloads that scale and custom resources that say how they do have it. A write changes the parent's replicas
and nothing else; a version in it is the parent's. Admission is asked about the view.
Sources: pkg/registry/apps/{deployment,replicaset,statefulset}/storage/storage.go,
pkg/registry/core/replicationcontroller/storage/storage.go, staging/src/k8s.io/api/autoscaling/v1/types.go.

Called through `subresources.py`. Not modelled: server-side apply of a Scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from chaoskube.models.apiserver.admission import UPDATE as UPDATE_OPERATION
from chaoskube.models.apiserver.admission import Attributes
from chaoskube.models.apiserver.api import GET, JSON, PATCH, UPDATE, Cause, Request
from chaoskube.models.apiserver.audit import write_recorded
from chaoskube.models.apiserver.bodies import causes_error
from chaoskube.models.apiserver.custom.scale import (
    check_has_replicas,
    custom_replicas,
    with_custom_replicas,
)
from chaoskube.models.apiserver.custom.validation import causes_of_update
from chaoskube.models.apiserver.errors import ApiError, bad_request, conflict, invalid, not_found
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.keys import key_of
from chaoskube.models.apiserver.managing import scaled
from chaoskube.models.apiserver.patching import json_patched
from chaoskube.models.apiserver.storage import guaranteed_update, read
from chaoskube.models.apiserver.strategy import prepare_update
from chaoskube.models.apiserver.unmarshal import json_type
from chaoskube.models.apiserver.writes import Done, attributes_of
from chaoskube.models.objects import (
    Deployment,
    FrozenDict,
    GenericObject,
    KubeObject,
    ObjectMeta,
    ReplicaSet,
    ReplicationController,
    StatefulSet,
    encode,
    freeze,
    thaw,
)
from chaoskube.models.objects.patch import merge_patch
from chaoskube.models.objects.resources import Resource
from chaoskube.models.objects.selectors import as_selector

SCALE_VERSION = "autoscaling/v1"
SCALED = (Deployment, ReplicaSet, StatefulSet, ReplicationController)
INT32 = (-(2**31), 2**31 - 1)


def scale(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """GET, PUT or PATCH of the scale subresource."""
    key = key_of(resource, request.namespace, request.name)
    if request.verb == GET:
        found = yield from read(key)
        if found is None:
            raise not_found(resource.plural, resource.group, request.name)
        return Done(code=200, body=scale_of(found, resource))

    def change(current: KubeObject | None) -> Flow[KubeObject]:
        if current is None:
            raise not_found(resource.plural, resource.group, request.name)
        wanted, version = _wanted_scale(request, current, resource)
        attributes = _asked(request, resource, _with_replicas(current, wanted, resource), current)
        attributes = yield from ctx.admission.admit(ctx, attributes)
        wanted, _ = _wanted_scale(evolve(request, verb=UPDATE, body=attributes.obj), current, resource)
        if wanted < 0:
            cause = Cause(
                reason="FieldValueInvalid",
                message=f"Invalid value: {wanted}: must be greater than or equal to 0",
                field="spec.replicas",
            )
            raise invalid("Scale", "autoscaling", request.name, [cause])
        if version and version != current.resource_version:
            raise conflict(resource.plural, resource.group, request.name)
        changed = _with_replicas(current, wanted, resource)
        new = prepare_update(scaled(request, resource, current, changed, ctx.wall_ns()), current)
        refusal = causes_error(resource, request.name, causes_of_update(current, new, resource))
        if refusal is not None:
            raise refusal
        yield from ctx.admission.validate(ctx, _asked(request, resource, new, current))
        return new

    if request.dry_run:
        current = yield from read(key)
        changed = yield from change(current)
        assert current is not None
        metadata = evolve(changed.metadata, resource_version=current.resource_version)
        return Done(code=200, body=scale_of(evolve(changed, metadata=metadata), resource))
    cache = ctx.cache(resource.name)
    saved = yield from guaranteed_update(key, cache.get(key) if cache.is_ready else None, change)
    if saved.wrote:
        write_recorded(ctx, request, resource, saved)
    assert saved.obj is not None
    return Done(code=200, body=scale_of(saved.obj, resource))


def _asked(request: Request, resource: Resource, new: KubeObject, old: KubeObject) -> Attributes:
    """What admission is asked about: the view, before and after."""
    return attributes_of(
        UPDATE_OPERATION, request, resource, scale_of(new, resource), scale_of(old, resource)
    )


def scale_of(obj: KubeObject, resource: Resource) -> GenericObject:
    """The Scale view of a workload."""
    replicas, current, selector = _replicas_of(obj, resource)
    status: dict[str, object] = {"replicas": current}
    if selector:
        status["selector"] = selector
    spec = {"replicas": replicas} if replicas else {}
    old = obj.metadata
    metadata = ObjectMeta(
        name=old.name,
        namespace=old.namespace,
        uid=old.uid,
        resource_version=old.resource_version,
        creation_timestamp=old.creation_timestamp,
    )
    content: FrozenDict[str, Any] = freeze({"spec": spec, "status": status})
    return GenericObject(api_version=SCALE_VERSION, kind="Scale", metadata=metadata, content=content)


def _replicas_of(obj: KubeObject, resource: Resource) -> tuple[int, int, str]:
    if not isinstance(obj, SCALED):
        return custom_replicas(obj, resource)
    if isinstance(obj, ReplicationController):
        selector = ",".join([f"{key}={value}" for key, value in sorted(obj.spec.selector.items())])
    else:
        selector = str(as_selector(obj.spec.selector)) if obj.spec.selector else ""
    replicas = obj.spec.replicas
    return 1 if replicas is None else replicas, obj.status.replicas, selector


def _wanted_scale(request: Request, current: KubeObject, resource: Resource) -> tuple[int, str]:
    """The replicas and the resource version that the request asks for."""
    body = request.body
    asked: Any = encode(body) if isinstance(body, KubeObject) else thaw(body)
    if request.verb == PATCH:
        asked = _patched_scale(request, asked, current, resource)
    if not isinstance(asked, Mapping):
        raise bad_request("the object provided is unrecognized (must be of type Scale)")
    if request.verb == UPDATE:
        _check_name(_part(asked, "metadata", "v1.ObjectMeta").get("name") or "", request)
    replicas = _part(asked, "spec", "v1.ScaleSpec").get("replicas")
    if replicas is None:
        replicas = 0
    if isinstance(replicas, bool) or not isinstance(replicas, int) or not INT32[0] <= replicas <= INT32[1]:
        said = f"number {replicas}" if isinstance(replicas, int) else json_type(replicas)
        raise _not_a_scale(said, "ScaleSpec.spec.replicas", "int32")
    version = _part(asked, "metadata", "v1.ObjectMeta").get("resourceVersion") or ""
    if not isinstance(version, str):
        raise _not_a_scale(json_type(version), "ObjectMeta.metadata.resourceVersion", "string")
    return replicas, version


def _check_name(name: str, request: Request) -> None:
    """A PUT says which object it means, twice. (handlers/rest.go, checkName)"""
    if not name:
        why = f"({request.name} based on URL) was undeterminable: name must be provided"
        raise bad_request(f"the name of the object {why}")
    if name != request.name:
        raise bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({request.name})"
        )


def _patched_scale(request: Request, patch: object, current: KubeObject, resource: Resource) -> object:
    """The Scale after the patch; without a version, unless the patch names one."""
    before = encode(scale_of(current, resource))
    before.setdefault("metadata", {}).pop("resourceVersion", None)
    if request.patch_type == JSON:
        return json_patched(before, patch, request.patch_type)
    if not isinstance(patch, Mapping):
        raise bad_request("the object provided is unrecognized (must be of type Scale)")
    if resource.custom is not None:
        check_has_replicas(current, patch, resource)
    return merge_patch(before, dict(patch))


def _part(tree: Mapping[str, Any], name: str, go_type: str) -> Mapping[str, Any]:
    part = tree.get(name)
    if part is None:
        return {}
    if not isinstance(part, Mapping):
        raise _not_a_scale(json_type(part), f"Scale.{name}", go_type)
    return part


def _not_a_scale(said: str, field: str, go_type: str) -> ApiError:
    return bad_request(
        'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal '
        f"{said} into Go struct field {field} of type {go_type}"
    )


def _with_replicas(obj: KubeObject, replicas: int, resource: Resource) -> KubeObject:
    if isinstance(obj, SCALED):
        wanted: Any = evolve(obj.spec, replicas=replicas)  # each of these kinds has a spec of its own
        return evolve(obj, spec=wanted)
    return with_custom_replicas(obj, replicas, resource)
