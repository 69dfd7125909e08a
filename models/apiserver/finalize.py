"""The finalize subresource of namespaces: a write to spec.finalizers alone, and the namespace's end when none is left.

Source: pkg/registry/core/namespace/storage/storage.go (FinalizeREST, ShouldDeleteNamespaceDuringUpdate),
pkg/registry/core/namespace/strategy.go (namespaceFinalizeStrategy).
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.apiserver.api import Request
from chaoskube.models.apiserver.audit import write_recorded
from chaoskube.models.apiserver.bodies import object_of
from chaoskube.models.apiserver.errors import bad_request, conflict, not_found
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.keys import key_of
from chaoskube.models.apiserver.managing import updated
from chaoskube.models.apiserver.storage import delete, guaranteed_update
from chaoskube.models.apiserver.writes import Done, FinalizersGone, removable
from chaoskube.models.objects import KubeObject, Namespace
from chaoskube.models.objects.resources import Resource


def finalize(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """PUT of a namespace's spec.finalizers."""
    wanted, warnings = object_of(request, resource)
    if not isinstance(wanted, Namespace):
        raise bad_request(f"a Namespace was expected, not a {wanted.kind}")
    key = key_of(resource, "", request.name)

    def change(current: KubeObject | None) -> Flow[KubeObject]:
        yield from ()
        if not isinstance(current, Namespace) or (wanted.uid and wanted.uid != current.uid):
            raise not_found(resource.plural, resource.group, request.name)
        if wanted.resource_version not in ("", "0", current.resource_version):
            raise conflict(resource.plural, resource.group, request.name)
        new = evolve(current, spec=evolve(current.spec, finalizers=wanted.spec.finalizers))
        new = updated(request, resource, current, new, ctx.wall_ns())
        if is_removable(new):
            raise FinalizersGone(current, new)
        return new

    try:
        saved = yield from guaranteed_update(key, None, change)
    except FinalizersGone as gone:
        removed = yield from delete(key, removable(resource, request.name, gone.old.uid), gone.old)
        write_recorded(ctx, request, resource, removed)
        metadata = evolve(gone.new.metadata, resource_version=gone.old.resource_version)
        return Done(code=200, body=evolve(gone.new, metadata=metadata), warnings=warnings)
    if saved.wrote:
        write_recorded(ctx, request, resource, saved)
    return Done(code=200, body=saved.obj, warnings=warnings)


def is_removable(namespace: Namespace) -> bool:
    """Whether nothing keeps a namespace that was told to go: neither kind of finalizer."""
    return (
        namespace.metadata.deletion_timestamp is not None
        and not namespace.metadata.finalizers
        and not namespace.spec.finalizers
    )
