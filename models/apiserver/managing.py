"""Who a write's manager is, which fields it cannot take, and the note of it on the object. Pure.

The manager is the request's field manager, or the first word of the client's user agent. A write through one door of an
object cannot take what that door resets: the status here, the spec there.
Sources: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch}.go (managerOrUserAgent),
GetResetFields of each strategy under pkg/registry, apimachinery pkg/util/managedfields/scalehandler.go.

Called by writes.py, apply.py, finalize.py and subresources.py.
Not modelled: an apply of a scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from attrs import evolve, frozen

from chaoskube.models.apiserver.api import APPLY, Request
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.managed.field_set import NOTHING, FieldSet, name_element, of_paths
from chaoskube.models.objects.managed.managers import UPDATE, Entries, Note, in_order
from chaoskube.models.objects.managed.shapes import DEDUCED, root_of
from chaoskube.models.objects.managed.structural import type_of_custom
from chaoskube.models.objects.managed.tracking import note_create, note_update
from chaoskube.models.objects.managed.updating import Who
from chaoskube.models.objects.resources import Resource
from chaoskube.models.objects.schema import Property

T = TypeVar("T", bound=KubeObject)

SECOND_NS: Final = 1_000_000_000
_SPEC: Final = ("f:spec",)
_STATUS: Final = of_paths(("f:status",))
_RESET_BY_STATUS: Final[Mapping[str, FieldSet]] = {
    "pods": of_paths(_SPEC, ("f:metadata", "f:deletionTimestamp"), ("f:metadata", "f:ownerReferences")),
    "deployments": of_paths(_SPEC, ("f:metadata", "f:labels")),
}
_RESET_BY_CUSTOM_STATUS: Final = of_paths(_SPEC, ("f:metadata",))
_NOT_STATUS: Final = of_paths(_SPEC)


def who_writes(request: Request, resource: Resource, now_ns: int) -> Who:
    """The manager of a request, and when it wrote."""
    return Who(
        manager=request.field_manager or _program_of(request),
        api_version=resource.api_version,
        subresource=request.subresource,
        time=now_ns - now_ns % SECOND_NS,
    )


def _program_of(request: Request) -> str:
    """The first word of the user agent; of a client that sends none, the program whose credentials it has."""
    if request.client:
        return request.client.partition("/")[0]
    system, _, rest = request.user.partition(":")
    if system != "system":
        return ""
    kind, _, _ = rest.partition(":")
    return {"serviceaccount": "kube-controller-manager", "node": "kubelet"}.get(kind, rest)


def reset_fields(resource: Resource, subresource: str) -> FieldSet:
    """What a write through this door leaves as it is, whatever it says."""
    if subresource == "status":
        if resource.custom is not None:
            return _RESET_BY_CUSTOM_STATUS
        return _RESET_BY_STATUS.get(resource.plural, _NOT_STATUS)
    return _STATUS if resource.has_status else NOTHING


def type_of(resource: Resource) -> Property:
    """The type of a resource's objects, for merging and comparing."""
    if resource.custom is not None:
        return DEDUCED if resource.custom.preserve_unknown_fields else type_of_custom(resource.custom.schema)
    return root_of(resource.api_version, resource.kind) or DEDUCED


def created(request: Request, resource: Resource, obj: T, now_ns: int) -> T:
    """A new object, with the note of who made it."""
    if request.patch_type == APPLY:
        return obj
    found = None if resource.custom is None else type_of(resource)
    return note_create(obj, who_writes(request, resource, now_ns), reset_fields(resource, ""), found)


def updated(request: Request, resource: Resource, old: KubeObject, new: T, now_ns: int) -> T:
    """What a client wants to store in place of `old`, with the note of who wants it."""
    if request.patch_type == APPLY:
        return new
    found = None if resource.custom is None else type_of(resource)
    ignored = reset_fields(resource, request.subresource)
    return note_update(old, new, who_writes(request, resource, now_ns), ignored, found)


@frozen(kw_only=True)
class _Scaled:
    """The note of a scale: whoever managed the replicas doesn't any more."""

    who: Who
    replicas: FieldSet

    def repeats(self, earlier: Note) -> Note | None:
        """Each scale counts."""
        return None

    def __call__(self, entries: Entries) -> Entries:
        left = [evolve(entry, fields=entry.fields.difference(self.replicas)) for entry in entries]
        mine = evolve(self.who.entry(UPDATE, self.replicas), time=None)  # the real one forgets the time, too
        return in_order([*[entry for entry in left if entry.fields], mine])


def scaled(request: Request, resource: Resource, old: KubeObject, new: T, now_ns: int) -> T:
    """`new`, whose replicas a scale may have changed."""
    managers = old.metadata.managed_fields
    if managers is None or new == old:
        return new
    path = ".spec.replicas" if resource.custom is None else resource.custom.spec_replicas_path
    replicas = of_paths(tuple([name_element(name) for name in path.removeprefix(".").split(".")]))
    noted = managers.later(_Scaled(who=who_writes(request, resource, now_ns), replicas=replicas))
    return evolve(new, metadata=evolve(new.metadata, managed_fields=noted))
