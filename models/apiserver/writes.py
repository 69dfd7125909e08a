"""CREATE, UPDATE, PATCH and DELETE as flows: decode, admit, prepare, validate, store, and say what was written.

Sources: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go, pkg/endpoints/handlers/*.go,
pkg/registry/core/namespace/storage/storage.go (Delete).

Not modelled: the copies that keep one plug-in's object from the next (objects never change).
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve, frozen

from chaoskube.models.apiserver import addresses, deletion, strategy
from chaoskube.models.apiserver.admission import CREATE, DELETE, UPDATE, Attributes
from chaoskube.models.apiserver.api import (
    APPLY,
    BACKGROUND,
    ORPHAN,
    Cause,
    DeleteOptions,
    Preconditions,
    Request,
    Status,
)
from chaoskube.models.apiserver.apply import applied, check_identity
from chaoskube.models.apiserver.audit import write_recorded
from chaoskube.models.apiserver.authentication import identify
from chaoskube.models.apiserver.bodies import causes_error, object_of
from chaoskube.models.apiserver.custom.validation import causes_of_create, causes_of_update
from chaoskube.models.apiserver.errors import (
    ApiError,
    already_exists,
    bad_request,
    conflict,
    invalid,
    not_found,
    plain_error,
)
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.incoming import check_storable
from chaoskube.models.apiserver.keys import key_of
from chaoskube.models.apiserver.managing import created, updated
from chaoskube.models.apiserver.names import generated_name, new_uid
from chaoskube.models.apiserver.patching import patched
from chaoskube.models.apiserver.storage import Change, Saved, create, delete, guaranteed_update, read
from chaoskube.models.apiserver.write_options import check_write_options
from chaoskube.models.objects import KubeObject, Namespace, NamespaceStatus, Service
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import reached

NAME_ATTEMPTS = 8
CREATE_VERB = "create"


@frozen(kw_only=True)
class Done:
    """What a request ends with."""

    code: int
    body: object
    warnings: tuple[str, ...] = ()


class FinalizersGone(ApiError):
    """An update took the last finalizer from a deleted object: it is to be removed."""

    def __init__(self, old: KubeObject, new: KubeObject) -> None:
        super().__init__(Status(code=200))
        self.old = old
        self.new = new


# ---- create


def create_object(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """POST to a collection."""
    check_write_options(request)
    obj, warnings = object_of(request, resource)
    _same_namespace(obj, request, resource)
    name = obj.name or request.name
    if not name and not obj.metadata.generate_name:
        cause = Cause(
            reason="FieldValueRequired",
            message="Required value: name or generateName is required",
            field="metadata.name",
        )
        raise invalid(resource.kind, resource.group, "", [cause])
    obj = created(request, resource, obj, ctx.wall_ns())
    attributes = attributes_of(CREATE, request, resource, obj)
    attributes = yield from ctx.admission.admit(ctx, attributes)
    saved = yield from _store_new(ctx, request, resource, attributes, name)
    return Done(code=201, body=saved.obj, warnings=(*warnings, *attributes.warnings))


def attributes_of(
    operation: str,
    request: Request,
    resource: Resource,
    obj: KubeObject | None = None,
    old: KubeObject | None = None,
    *,
    warnings: list[str] | None = None,
) -> Attributes:
    """What the admission chain is told of a request."""
    return Attributes(
        operation=operation,
        resource=resource,
        subresource=request.subresource,
        namespace=request.namespace if resource.namespaced else "",
        name=request.name or (obj.name if obj is not None else ""),
        obj=obj,
        old=old,
        identity=identify(request.user, request.groups),
        dry_run=request.dry_run,
        warnings=[] if warnings is None else warnings,
    )


def _store_new(
    ctx: Context, request: Request, resource: Resource, attributes: Attributes, name: str
) -> Flow[Saved]:
    obj = attributes.obj
    assert obj is not None, "what is created is an object"
    namespace = request.namespace if resource.namespaced else ""
    prefix = obj.metadata.generate_name or ""
    for _ in range(1 if name else NAME_ATTEMPTS):
        chosen = name or generated_name(prefix, ctx.rng)
        new = strategy.prepare_create(
            obj,
            uid=new_uid(ctx.rng),
            name=chosen,
            namespace=namespace,
            now_ns=ctx.wall_ns(),
            has_status=resource.has_status or resource.custom is None,
        )
        refusal = causes_error(resource, chosen, causes_of_create(new, resource))
        if refusal is not None:
            raise refusal
        if obj.metadata.resource_version:
            raise plain_error("resourceVersion should not be set on objects to be created")
        yield from ctx.admission.validate(ctx, attributes.with_object(new))
        key = key_of(resource, namespace, chosen)
        if request.dry_run:
            if (yield from read(key)) is not None:
                raise already_exists(resource.plural, resource.group, chosen)
            if isinstance(new, Service):
                new = yield from addresses.pretend(new)
            return Saved(obj=new, prev=None, revision=0, wrote=False)
        check_storable(new, request)
        if isinstance(new, Service):
            new = yield from addresses.allocate(ctx, new)
        saved = yield from create(key, new)
        if saved is not None:
            write_recorded(ctx, request, resource, saved)
            return saved
        if isinstance(new, Service):
            yield from addresses.release(new)
    existing = yield from read(key)
    is_dying = existing is not None and existing.metadata.deletion_timestamp is not None
    raise already_exists(resource.plural, resource.group, chosen, being_deleted=is_dying)


def _same_namespace(obj: KubeObject, request: Request, resource: Resource) -> None:
    wanted = request.namespace if resource.namespaced else ""
    if obj.namespace and obj.namespace != wanted:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


# ---- update and patch


def update_object(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """PUT of the object or its status."""
    check_write_options(request)
    key = key_of(resource, request.namespace, request.name)
    obj, warnings = object_of(request, resource, ctx.cache(resource.name).get(key))
    check_identity(obj, request)
    wanted = obj.metadata.resource_version
    if wanted and not wanted.isdecimal():
        raise plain_error(f'strconv.ParseUint: parsing "{wanted}": invalid syntax')

    said: list[str] = []

    def change(current: KubeObject | None) -> Flow[KubeObject]:
        if current is None:
            raise not_found(resource.plural, resource.group, request.name)
        _check_uid(key, obj.uid, current, resource)
        _check_version(wanted, current, resource)
        new = updated(request, resource, current, obj, ctx.wall_ns())
        return (yield from _next(ctx, request, resource, new, current, said))

    try:
        saved = yield from _update(ctx, request, resource, key, change)
    except ApiError as error:
        if not _creates(error, request, resource, wanted):
            raise
        ctx.gate.authorize(request, resource, CREATE_VERB)
        creation = evolve(request, body=obj)
        return (yield from create_object(ctx, creation, resource))
    return Done(code=200, body=saved.obj, warnings=(*warnings, *said))


def patch_object(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """PATCH of the object or its status; applied to the newest version, so it conflicts only if it says which."""
    key = key_of(resource, request.namespace, request.name)
    check_write_options(request)
    said: list[str] = []

    def change(current: KubeObject | None) -> Flow[KubeObject]:
        if current is None:
            raise not_found(resource.plural, resource.group, request.name)
        if request.patch_type == APPLY:
            new = applied(current, request, resource, ctx.wall_ns())
        else:
            new = patched(current, request, resource)
            check_identity(new, request)
            new = updated(request, resource, current, new, ctx.wall_ns())
        _check_version(new.metadata.resource_version, current, resource)
        return (yield from _next(ctx, request, resource, new, current, said))

    while True:
        try:
            saved = yield from _update(ctx, request, resource, key, change)
            return Done(code=200, body=saved.obj, warnings=tuple(said))
        except ApiError as error:
            if error.status.code != 404 or request.patch_type != APPLY or request.subresource:
                raise
        ctx.gate.authorize(request, resource, CREATE_VERB)
        try:  # what isn't there yet is created
            body = applied(None, request, resource, ctx.wall_ns())
            return (yield from create_object(ctx, evolve(request, body=body), resource))
        except ApiError as error:
            if error.status.reason != "AlreadyExists":
                raise
            reached("apiserver: an apply found nothing, and lost the race to create it")


def _update(ctx: Context, request: Request, resource: Resource, key: str, change: Change) -> Flow[Saved]:
    cache = ctx.cache(resource.name)
    cached = cache.get(key) if cache.is_ready else None
    if request.dry_run:
        current = yield from read(key)
        new = yield from change(current)
        assert current is not None
        metadata = evolve(new.metadata, resource_version=current.resource_version)
        return Saved(obj=evolve(new, metadata=metadata), prev=current, revision=0, wrote=False)
    try:
        if resource.plural == "services" and not request.subresource:
            saved = yield from _update_service(ctx, key, change)
        else:
            saved = yield from guaranteed_update(key, cached, change)
    except FinalizersGone as gone:
        removed = yield from delete(key, _removable(resource, request.name, gone.old.uid), gone.old)
        write_recorded(ctx, request, resource, removed)
        if isinstance(removed.prev, Service):
            yield from addresses.release(removed.prev)
        metadata = evolve(gone.new.metadata, resource_version=gone.old.resource_version)
        return evolve(removed, obj=evolve(gone.new, metadata=metadata))
    if saved.wrote:
        write_recorded(ctx, request, resource, saved)
    return saved


class Moved(ApiError):
    """A service changed while addresses were taken for its update."""

    def __init__(self) -> None:
        super().__init__(Status(code=409))


def _update_service(ctx: Context, key: str, change: Change) -> Flow[Saved]:
    """Addresses are taken before the write and freed after it, so two services never share one."""
    while True:
        current = yield from read(key)
        new = yield from change(current)
        assert isinstance(current, Service) and isinstance(new, Service), f"{key} holds {current!r}"
        given = yield from addresses.allocate(ctx, new, current)
        version, settled = current.resource_version, given

        def unmoved(
            newest: KubeObject | None, version: str = version, settled: Service = settled
        ) -> Flow[KubeObject]:
            if newest is None or newest.resource_version != version:
                raise Moved
            yield from ()
            return settled

        try:
            saved = yield from guaranteed_update(key, current, unmoved)
        except Moved:
            reached("apiserver: a service moved while its update took addresses")
            yield from addresses.release(given, kept=current)
            continue
        yield from addresses.release(current, kept=given)
        return saved


def _next(
    ctx: Context,
    request: Request,
    resource: Resource,
    new: KubeObject,
    current: KubeObject,
    warnings: list[str],
) -> Flow[KubeObject]:
    """What is stored when `new` is to replace `current`: admitted, prepared, validated, admitted again."""
    chain = ctx.admission
    warnings.clear()  # of an attempt that came too late
    attributes = attributes_of(UPDATE, request, resource, new, current, warnings=warnings)
    target = attributes.target
    if chain.admitting(target):
        attributes = yield from chain.admit(ctx, attributes)
        assert attributes.obj is not None, "what is updated is an object"
        new = attributes.obj
    if request.subresource == "status":
        new = strategy.prepare_status_update(new, current)
    else:
        new = strategy.prepare_update(new, current, has_status=resource.has_status or resource.custom is None)
    causes = causes_of_update(current, new, resource, subresource=request.subresource)
    refusal = causes_error(resource, request.name, causes)
    if refusal is not None:
        raise refusal
    if chain.validating(target):
        yield from chain.validate(ctx, attributes.with_object(new))
    if not request.dry_run:
        check_storable(new, request)
    if current.metadata.finalizers and deletion.is_removed_by_update(current, new):
        raise FinalizersGone(current, new)
    return new


def _check_uid(key: str, wanted: str, current: KubeObject, resource: Resource) -> None:
    if wanted and wanted != current.uid:
        why = (
            f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
            f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {current.uid}"
        )
        raise conflict(resource.plural, resource.group, current.name, why)


def _check_version(wanted: str, current: KubeObject, resource: Resource) -> None:
    if not wanted or wanted == "0":
        if resource.plural in strategy.VERSION_REQUIRED or resource.custom is not None:
            cause = Cause(
                reason="FieldValueInvalid",
                message="Invalid value: 0: must be specified for an update",
                field="metadata.resourceVersion",
            )
            raise invalid(resource.plural, resource.group, current.name, [cause])
    elif wanted != current.resource_version:
        raise conflict(resource.plural, resource.group, current.name)


def _creates(error: ApiError, request: Request, resource: Resource, wanted: str) -> bool:
    return (
        error.status.code == 404
        and request.verb == "update"
        and not request.subresource
        and not wanted
        and resource.plural in strategy.CREATED_BY_UPDATE
    )


# ---- delete


def delete_object(
    ctx: Context, request: Request, resource: Resource, *, is_admitted: bool = False
) -> Flow[Done]:
    """DELETE of one object: mark it, remove it, or both; what is gone already is 404."""
    key = key_of(resource, request.namespace, request.name)
    current = yield from read(key)
    if current is None:
        raise not_found(resource.plural, resource.group, request.name)
    if not is_admitted:
        attributes = attributes_of(DELETE, request, resource, old=current)
        yield from ctx.admission.admit(ctx, attributes)
        yield from ctx.admission.validate(ctx, attributes)
    decided: deletion.Deletion = deletion.Deletion()

    def change(newest: KubeObject | None) -> Flow[KubeObject]:
        nonlocal decided
        yield from ()
        if newest is None:
            raise not_found(resource.plural, resource.group, request.name)
        check_preconditions(request.delete_options.preconditions, newest)
        decided = _decide(ctx, newest, request.delete_options, resource)
        return decided.mark or newest

    yield from change(current)
    if request.dry_run:
        # what a real one answers: the marked object, or what is answered when it is gone
        return _deleted(current, resource) if decided.remove else Done(code=200, body=decided.mark or current)
    marked = current
    if decided.mark is not None:
        saved = yield from guaranteed_update(key, current, change)
        if saved.wrote:
            write_recorded(ctx, request, resource, saved)
        assert saved.obj is not None
        marked = saved.obj
    if not decided.remove:
        # 202 for the old clients that asked to wait for nothing (endpoints/handlers/delete.go)
        return Done(code=202 if request.delete_options.orphan_dependents is False else 200, body=marked)
    return (yield from _remove(ctx, request, resource, key, marked))


def _remove(ctx: Context, request: Request, resource: Resource, key: str, marked: KubeObject) -> Flow[Done]:
    wanted = request.delete_options.preconditions
    version = marked.resource_version if wanted is not None and wanted.resource_version is not None else ""
    try:
        saved = yield from delete(key, _removable(resource, request.name, marked.uid, version), marked)
    except ApiError as error:
        # somebody else removed it after we had marked it: what we wanted (store.go, ignoreNotFound)
        if error.status.code != 404 or marked.metadata.deletion_timestamp is None:
            raise
        return _deleted(marked, resource)
    write_recorded(ctx, request, resource, saved)
    assert saved.prev is not None
    if isinstance(saved.prev, Service):
        yield from addresses.release(saved.prev)
    return _deleted(saved.prev, resource)


def _decide(ctx: Context, obj: KubeObject, options: DeleteOptions, resource: Resource) -> deletion.Deletion:
    if isinstance(obj, Namespace):
        return _decide_namespace(obj, ctx.wall_ns())
    policy = ORPHAN if resource.plural == "jobs" else BACKGROUND
    return deletion.decide(obj, options, ctx.wall_ns(), default_policy=policy)


def _decide_namespace(obj: Namespace, now_ns: int) -> deletion.Deletion:
    """A namespace first becomes Terminating; it goes when both kinds of finalizer are gone."""
    if obj.metadata.deletion_timestamp is None:
        metadata = evolve(obj.metadata, deletion_timestamp=now_ns - now_ns % strategy.SECOND_NS)
        status: NamespaceStatus = evolve(obj.status, phase="Terminating")
        return deletion.Deletion(mark=evolve(obj, metadata=metadata, status=status))
    if obj.spec.finalizers or obj.metadata.finalizers:
        return deletion.Deletion()
    return deletion.Deletion(remove=True)


def check_preconditions(wanted: Preconditions | None, obj: KubeObject) -> None:
    """rest.BeforeDelete: the object must be the one that the client means."""
    if wanted is None:
        return
    if wanted.uid is not None and wanted.uid != obj.uid:
        why = (
            f"the UID in the precondition ({wanted.uid}) does not match the UID in record ({obj.uid}). "
            "The object might have been deleted and then recreated"
        )
    elif wanted.resource_version is not None and wanted.resource_version != obj.resource_version:
        why = (
            f"the ResourceVersion in the precondition ({wanted.resource_version}) does not match the "
            f"ResourceVersion in record ({obj.resource_version}). The object might have been modified"
        )
    else:
        return
    raise conflict(obj.kind, obj.api_version.rpartition("/")[0], obj.name, why)


def _removable(
    resource: Resource, name: str, uid: str, version: str = ""
) -> Callable[[KubeObject | None], KubeObject]:
    """Asked again each time somebody was faster; `version`, where one was asked for, is that of our own mark by then."""

    def check(newest: KubeObject | None) -> KubeObject:
        if newest is None or newest.uid != uid:
            raise not_found(resource.plural, resource.group, name)
        if version:
            check_preconditions(Preconditions(resource_version=version), newest)
        return newest

    return check


def _deleted(obj: KubeObject, resource: Resource) -> Done:
    if resource.plural in strategy.RETURNED_WHEN_DELETED:
        return Done(code=200, body=obj)
    status = Status(code=200, name=obj.name, group=resource.group, kind=resource.plural, uid=obj.uid)
    return Done(code=200, body=status)


removable = _removable
