"""From a request to the flow that handles it: verb and subresource, and deletecollection as a loop of deletes.

Not modelled: reviews of tokens and of access (405).
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from chaoskube.models.apiserver.api import (
    CREATE,
    DELETE,
    DELETE_COLLECTION,
    GET,
    LIST,
    PATCH,
    UPDATE,
    ObjectList,
    Request,
)
from chaoskube.models.apiserver.custom.requests import (
    DEFINITIONS,
    check_path,
    custom_request,
    delete_definition,
)
from chaoskube.models.apiserver.errors import (
    ApiError,
    bad_request,
    method_not_allowed,
    no_such_resource,
    paths_not_installed,
)
from chaoskube.models.apiserver.event_versions import API_VERSION as EVENTS
from chaoskube.models.apiserver.event_versions import renamed
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.apiserver.reads import get_object, list_objects
from chaoskube.models.apiserver.subresources import Handler, bind_named_in_body, handler_of
from chaoskube.models.apiserver.writes import (
    Done,
    create_object,
    delete_object,
    patch_object,
    update_object,
)
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import UsageError

STATUS_VERBS = (GET, UPDATE, PATCH)


def handle(ctx: Context, request: Request) -> Flow[Done]:
    """The flow of a request (all but watches); what is wrong with its shape is an ApiError at once."""
    resource = find_resource(ctx, request)
    if resource.custom is not None:
        check_path(request, resource)
    flow = handle_known(ctx, request, resource)
    if resource.api_version == EVENTS:
        return renamed(flow)
    return flow if resource.custom is None else custom_request(flow, ctx, request, resource)


def handle_known(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """The flow of a request about this resource, whatever its definition says."""
    if request.subresource == "status":
        if not resource.has_status or request.verb not in STATUS_VERBS:
            raise method_not_allowed()
    elif request.subresource:
        return handler_of(request, resource)(ctx, request, resource)
    elif resource.custom is None and (request.verb not in resource.verbs or is_never_stored(resource)):
        if request.verb == CREATE and resource.plural == "bindings":
            return bind_named_in_body(ctx, request)
        raise method_not_allowed()
    handler = delete_definition if _ends_definition(request, resource) else _HANDLERS.get(request.verb)
    if handler is None:
        raise method_not_allowed()
    if resource.namespaced and not request.namespace and request.verb != LIST:
        raise bad_request(f"a request to {resource.plural} by name needs a namespace")
    return handler(ctx, request, resource)


def is_never_stored(resource: Resource) -> bool:
    """Bindings and reviews are questions and orders, not objects."""
    return resource.custom is None and "list" not in resource.verbs


def _ends_definition(request: Request, resource: Resource) -> bool:
    return request.verb == DELETE and resource.plural == DEFINITIONS and resource.custom is None


def find_resource(ctx: Context, request: Request) -> Resource:
    """The resource that a request names, if this server knows it."""
    try:
        return ctx.resources.resource_of(request.resource)
    except UsageError as error:
        if not ctx.cache(DEFINITIONS).was_ready:
            raise paths_not_installed() from error
        raise no_such_resource() from error


def delete_collection(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """DELETE of a collection: a list, then one delete after the other; not atomic."""
    listed = yield from list_objects(ctx, evolve(request, verb=LIST), resource)
    assert isinstance(listed.body, ObjectList)
    for obj in listed.body.items:
        one = evolve(request, verb=DELETE, name=obj.name, namespace=obj.namespace)
        try:
            yield from delete_object(ctx, one, resource)
        except ApiError as error:
            if error.status.code != 404:
                raise
    return listed


_HANDLERS: Mapping[str, Handler] = {
    GET: get_object,
    LIST: list_objects,
    CREATE: create_object,
    UPDATE: update_object,
    PATCH: patch_object,
    DELETE: delete_object,
    DELETE_COLLECTION: delete_collection,
}
