"""GET and LIST as flows: from etcd or from the watch cache, as the resource version in the request says.

GET without a version asks etcd. LIST without one is as fresh, but is served from the cache once that has caught up
with etcd's revision; "0" takes the cache as it is, however stale; "N" waits for it up to 3 s.
Sources: staging/src/k8s.io/apiserver/pkg/storage/cacher/{cacher,delegator}.go, storage/interfaces.go
(ValidateListOptions), storage/continue.go.

Not modelled: the slow fill of a cache that isn't ready being hidden from GET (it asks etcd), Events without cache.
"""

from __future__ import annotations

import base64
import json

from attrs import frozen

from chaoskube.models.apiserver.api import EXACT, ListOptions, ObjectList, Request
from chaoskube.models.apiserver.errors import (
    ApiError,
    bad_request,
    expired,
    not_found,
    plain_error,
    too_large_resource_version,
    too_many_requests,
)
from chaoskube.models.apiserver.flow import Context, Flow, UntilCached
from chaoskube.models.apiserver.keys import key_of, prefix_of
from chaoskube.models.apiserver.selection import predicate
from chaoskube.models.apiserver.storage import current_revision, from_kv, read
from chaoskube.models.apiserver.watch_cache import Predicate, WatchCache
from chaoskube.models.apiserver.writes import Done
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.resources import Resource

TOO_OLD = "The resourceVersion for the provided list is too old."
INCONSISTENT = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
    "modified, or deleted between the time the first chunk was returned and now may show up in the list."
)


@frozen(kw_only=True)
class Page:
    """Where a list goes on: at which revision, after which key below the prefix."""

    revision: int
    start: str


def get_object(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """GET by name."""
    key = key_of(resource, request.namespace, request.name)
    version = request.resource_version
    cache = ctx.cache(resource.name)
    if version and cache.is_ready:
        yield from _wait_for(ctx, resource, parse_version(version))
        found = cache.get(key)
    else:
        found = yield from read(key)
    if found is None:
        raise not_found(resource.plural, resource.group, request.name)
    return Done(code=200, body=found)


def list_objects(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """LIST."""
    options = request.options
    _check_options(options)
    prefix = prefix_of(resource, request.namespace)
    matches = predicate(resource, options.label_selector, options.field_selector)
    if options.continue_token:
        page = _decode_token(options.continue_token)
        items, revision = yield from _list_exact(ctx, resource, prefix, matches, page.revision, is_page=True)
        items = [item for item in items if item[0] >= prefix + page.start]
    elif _is_exact(options):
        wanted = parse_version(options.resource_version)
        items, revision = yield from _list_exact(ctx, resource, prefix, matches, wanted, is_page=False)
    else:
        items, revision = yield from _list_cached(ctx, resource, prefix, matches, options)
    limit = 0 if options.resource_version == "0" else options.limit
    return Done(code=200, body=_as_list(resource, items, revision, limit, prefix, matches is None))


def ready_cache(ctx: Context, resource: Resource) -> Flow[WatchCache]:
    """The cache; 429 while it is being filled again, and a wait when this request is why it is filled at all."""
    cache = ctx.cache(resource.name)
    if not cache.was_ready:
        yield UntilCached(resource.name, 0)
    if not cache.is_ready:
        raise too_many_requests("storage is (re)initializing", 1)
    return cache


def _list_cached(
    ctx: Context, resource: Resource, prefix: str, matches: Predicate | None, options: ListOptions
) -> Flow[tuple[list[tuple[str, KubeObject]], int]]:
    cache = yield from ready_cache(ctx, resource)
    if options.resource_version == "":
        revision = yield from current_revision()
        if cache.revision < revision and not (yield UntilCached(resource.name, revision)):
            return (yield from _list_etcd(prefix, matches, 0))
    elif options.resource_version != "0":
        yield from _wait_for(ctx, resource, parse_version(options.resource_version))
    cache = yield from ready_cache(ctx, resource)
    return cache.select(prefix, matches), cache.revision


def _wait_for(ctx: Context, resource: Resource, revision: int) -> Flow[None]:
    cache = ctx.cache(resource.name)
    if cache.revision < revision and not (yield UntilCached(resource.name, revision)):
        raise too_large_resource_version(revision, cache.revision)


def _list_exact(
    ctx: Context,
    resource: Resource,
    prefix: str,
    matches: Predicate | None,
    revision: int,
    *,
    is_page: bool,
) -> Flow[tuple[list[tuple[str, KubeObject]], int]]:
    cache = ctx.cache(resource.name)
    found = cache.select_at(revision, prefix, matches) if cache.is_ready else None
    if found is not None:
        return found, revision
    try:
        items, _ = yield from _list_etcd(prefix, matches, revision)
    except ApiError as error:
        if error.status.code != 410:
            raise
        raise expired(INCONSISTENT if is_page else TOO_OLD) from error
    return items, revision


def _list_etcd(
    prefix: str, matches: Predicate | None, revision: int
) -> Flow[tuple[list[tuple[str, KubeObject]], int]]:
    outcome = yield etcd.Range(key=prefix, range_end=etcd.prefix_end(prefix), revision=revision)
    if outcome == etcd.COMPACTED:
        raise expired(TOO_OLD)
    if outcome == etcd.FUTURE_REVISION:
        raise too_large_resource_version(revision, 0)
    if not isinstance(outcome, etcd.RangeResponse):
        raise plain_error(str(outcome))
    objects = [(kv.key, from_kv(kv)) for kv in outcome.kvs]
    return [pair for pair in objects if matches is None or matches(pair[1])], outcome.revision


def _as_list(
    resource: Resource,
    items: list[tuple[str, KubeObject]],
    revision: int,
    limit: int,
    prefix: str,
    counts: bool,
) -> ObjectList:
    token, left = "", None
    if 0 < limit < len(items):
        last = items[limit - 1][0]
        token = encode_token(Page(revision=revision, start=last.removeprefix(prefix) + "\0"))
        left = len(items) - limit if counts else None
        items = items[:limit]
    return ObjectList(
        kind=f"{resource.kind}List",
        api_version=resource.api_version,
        resource_version=str(revision),
        items=tuple([obj for _, obj in items]),
        continue_token=token,
        remaining_item_count=left,
    )


def parse_version(text: str) -> int:
    """A resource version as a number."""
    if not text.isdecimal():
        raise bad_request(
            f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        )
    return int(text)


def _is_exact(options: ListOptions) -> bool:
    if options.resource_version_match == EXACT:
        return True
    is_legacy = not options.resource_version_match and options.limit > 0
    return is_legacy and options.resource_version not in ("", "0")


def _check_options(options: ListOptions) -> None:
    match, version = options.resource_version_match, options.resource_version
    if match and not version:
        raise bad_request(
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        )
    if match and options.continue_token:
        raise bad_request(
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided"
        )
    if match == EXACT and version == "0":
        raise bad_request(
            'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        )
    if options.continue_token and version not in ("", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")


def encode_token(page: Page) -> str:
    """The continue token, as the real server writes it."""
    tree = {"v": "meta.k8s.io/v1", "rv": page.revision, "start": "/" + page.start}
    text = json.dumps(tree, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode_token(token: str) -> Page:
    try:
        padded = token + "=" * (-len(token) % 4)
        tree = json.loads(base64.urlsafe_b64decode(padded.encode()))
        return Page(revision=int(tree["rv"]), start=str(tree["start"]).removeprefix("/"))
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request(f"continue key is not valid: {error}") from error
