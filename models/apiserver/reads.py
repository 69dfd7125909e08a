"""GET and LIST as flows: from etcd or from the watch cache, as the resource version in the request says.

GET without a version asks etcd. LIST without one is as fresh, but is served from the cache once that has caught up
with etcd's revision; "0" takes the cache as it is, however stale; "N" waits for it up to 3 s. Exact lists and pages
come from the cache's past, or from etcd at that revision. Where the cache is being filled, GET and pages without
selectors ask etcd, and other lists are refused with 429. Events have no cache.
Sources: staging/src/k8s.io/apiserver/pkg/storage/cacher/{cacher,delegator,watch_cache,util}.go, storage/interfaces.go
(ValidateListOptions), storage/etcd3/{store,errors}.go.
"""

from __future__ import annotations

import math

from attrs import frozen

from chaoskube.models.apiserver.api import EXACT, NOT_OLDER_THAN, ListOptions, ObjectList, Request
from chaoskube.models.apiserver.errors import (
    ApiError,
    bad_request,
    expired,
    not_found,
    plain_error,
    too_large_resource_version,
    too_many_requests,
)
from chaoskube.models.apiserver.events import ReadServed
from chaoskube.models.apiserver.flow import Context, Flow, UntilCached
from chaoskube.models.apiserver.keys import is_cached, key_of, prefix_of
from chaoskube.models.apiserver.options import check_list_options, parse_version
from chaoskube.models.apiserver.pages import TOO_OLD, Page, decode_token, encode_token, page_expired
from chaoskube.models.apiserver.selection import predicate, single_name
from chaoskube.models.apiserver.storage import current_revision, from_kv, read
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.apiserver.watcher import Predicate
from chaoskube.models.apiserver.writes import Done
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import SECOND

Pairs = list[tuple[str, KubeObject]]
RETRY_SECONDS_MAX = 30


@frozen(kw_only=True)
class Query:
    """What a LIST wants: the keys below `prefix` from `start` on, or the one key `only`, that match."""

    prefix: str
    only: str
    matches: Predicate | None
    limit: int
    page: Page | None

    @property
    def start(self) -> str:
        """The first key of this page."""
        return self.prefix + self.page.start if self.page is not None else ""

    @property
    def filter(self) -> Predicate | None:
        """What may be left out at once: not where a page counts what doesn't match, too."""
        return None if self.limit else self.matches

    def of(self, pairs: Pairs) -> Pairs:
        """Those from `start` on that pass the filter."""
        matches = self.filter
        return [pair for pair in pairs if pair[0] >= self.start and (matches is None or matches(pair[1]))]


@frozen(kw_only=True)
class Found:
    """What there is, at which revision, and who said so."""

    pairs: Pairs
    revision: int
    source: str


def get_object(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """GET by name."""
    key = key_of(resource, request.namespace, request.name)
    version = request.resource_version
    cache = ctx.cache(resource.name)
    if version and cache.is_ready and is_cached(resource):
        try:
            wanted = parse_version(version)
        except ValueError as error:
            raise plain_error(str(error)) from error
        yield from _wait_for(ctx, resource, wanted)
        found = cache.get(key)
    else:
        found = yield from read(key)
    if found is None:
        raise not_found(resource.plural, resource.group, request.name)
    return Done(code=200, body=found)


def list_objects(ctx: Context, request: Request, resource: Resource) -> Flow[Done]:
    """LIST."""
    options = request.options
    check_list_options(options)
    query = _query(request, resource)
    version = _version_of(options)
    if is_cached(resource):
        found = yield from _from_cache(ctx, resource, query, options, version)
    else:
        found = yield from _from_etcd(query, _exact_revision(query, options, version), version)
    ctx.record(
        ReadServed(
            server=ctx.name,
            user=request.user,
            verb=request.verb,
            resource=resource.name,
            prefix=query.only or query.prefix,
            asked=options.resource_version,
            served=found.revision,
            source=found.source,
        )
    )
    return Done(code=200, body=_as_list(resource, query, found))


def ready_cache(ctx: Context, resource: Resource) -> Flow[WatchCache]:
    """The cache; 429 while it is being filled again, and a wait when this request is why it is filled at all."""
    cache = ctx.cache(resource.name)
    if not cache.was_ready:
        yield UntilCached(resource.name, 0)
    if not cache.is_ready:
        down_ns = ctx.now - cache.down_since
        raise too_many_requests("storage is (re)initializing", retry_after_seconds(down_ns))
    return cache


def retry_after_seconds(down_ns: int) -> int:
    """When to come back to a cache that is down for so long (util.go, calculateRetryAfterForUnreadyCache)."""
    return int(min(RETRY_SECONDS_MAX, max(1.0, math.exp(min(0.06 * (down_ns / SECOND), 10.0)))))


def _query(request: Request, resource: Resource) -> Query:
    options = request.options
    matches = predicate(resource, options.label_selector, options.field_selector)
    name = single_name(options.field_selector) if options.field_selector else ""
    is_one = bool(name) and (bool(request.namespace) or not resource.namespaced)
    limit = 0 if is_one or (options.resource_version == "0" and is_cached(resource)) else options.limit
    return Query(
        prefix=prefix_of(resource, request.namespace),
        only=key_of(resource, request.namespace, name) if is_one else "",
        matches=matches,
        limit=max(limit, 0),
        page=decode_token(options.continue_token) if options.continue_token and not is_one else None,
    )


def _version_of(options: ListOptions) -> int:
    if options.continue_token and options.resource_version not in ("", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")
    try:
        return parse_version(options.resource_version)
    except ValueError as error:
        raise bad_request(f"invalid resource version: {error}") from error


def _exact_revision(query: Query, options: ListOptions, version: int) -> int:
    """The revision that the answer must have; 0 when any that is new enough will do (delegator/interface.go)."""
    if options.resource_version_match == EXACT:
        return version
    if options.resource_version_match == NOT_OLDER_THAN:
        return 0
    if query.page is not None:
        return max(query.page.revision, 0)
    return version if query.limit else 0


def _from_cache(
    ctx: Context, resource: Resource, query: Query, options: ListOptions, version: int
) -> Flow[Found]:
    exact = _exact_revision(query, options, version)
    if exact:
        return (yield from _list_exact(ctx, resource, query, exact))
    cache = ctx.cache(resource.name)
    if query.limit and query.matches is None and cache.was_ready and not cache.is_ready:
        return (yield from _from_etcd(query, 0, version))
    cache = yield from ready_cache(ctx, resource)
    is_consistent = options.resource_version == "" or query.page is not None
    if is_consistent:
        revision = yield from current_revision()
        if cache.revision < revision and not (yield UntilCached(resource.name, revision)):
            return (yield from _from_etcd(query, 0, 0))
    else:
        yield from _wait_for(ctx, resource, version)
    cache = yield from ready_cache(ctx, resource)
    return Found(pairs=_select(cache, query), revision=cache.revision, source="cache")


def _select(cache: WatchCache, query: Query) -> Pairs:
    if not query.only:
        return cache.select(query.prefix, query.filter, query.start)
    obj = cache.get(query.only)
    return query.of([(query.only, obj)]) if obj is not None else []


def _wait_for(ctx: Context, resource: Resource, revision: int) -> Flow[None]:
    cache = ctx.cache(resource.name)
    if cache.revision < revision and not (yield UntilCached(resource.name, revision)):
        raise too_large_resource_version(revision, cache.revision)


def _list_exact(ctx: Context, resource: Resource, query: Query, revision: int) -> Flow[Found]:
    """At that revision: from the cache's past, after a wait if it is the future, else from etcd's."""
    cache = ctx.cache(resource.name)
    if cache.is_ready and not query.only:
        yield from _wait_for(ctx, resource, revision)
        found = cache.select_at(revision, query.prefix, query.filter, query.start)
        if found is not None and cache.is_ready:
            return Found(pairs=found, revision=revision, source="cache")
    return (yield from _from_etcd(query, revision, 0))


def _from_etcd(query: Query, revision: int, at_least: int) -> Flow[Found]:
    key = query.only or query.prefix
    range_end = "" if query.only else etcd.prefix_end(query.prefix)
    outcome = yield etcd.Range(key=key, range_end=range_end, revision=revision)
    if outcome == etcd.COMPACTED:
        raise page_expired(query.page) if query.page is not None else expired(TOO_OLD)
    if outcome == etcd.FUTURE_REVISION:
        raise too_large_resource_version(revision, (yield from _current_or_none()), 0)
    if not isinstance(outcome, etcd.RangeResponse):
        raise plain_error(str(outcome))
    if outcome.revision < at_least:
        raise too_large_resource_version(at_least, outcome.revision, 0)
    pairs = query.of([(kv.key, from_kv(kv)) for kv in outcome.kvs])
    return Found(pairs=pairs, revision=revision or outcome.revision, source="etcd")


def _current_or_none() -> Flow[int]:
    try:
        return (yield from current_revision())
    except ApiError:
        return 0


def _as_list(resource: Resource, query: Query, found: Found) -> ObjectList:
    items, last = _first_page(query, found.pairs)
    token, left = "", None
    if last is not None:
        start = found.pairs[last][0].removeprefix(query.prefix) + "\0"
        token = encode_token(Page(revision=found.revision, start=start))
        left = len(found.pairs) - query.limit if query.matches is None else None
    return ObjectList(
        kind=resource.list_kind,
        api_version=resource.api_version,
        resource_version=str(found.revision),
        items=tuple(items),
        continue_token=token,
        remaining_item_count=left,
    )


def _first_page(query: Query, pairs: Pairs) -> tuple[list[KubeObject], int | None]:
    """The objects of this page, and the place of its last if there may be more (cacher.go, GetList)."""
    if not query.limit:
        return [obj for _, obj in pairs], None
    items: list[KubeObject] = []
    for place, (_, obj) in enumerate(pairs):
        if query.matches is None or query.matches(obj):
            items.append(obj)
            if len(items) == query.limit:
                return items, place if place < len(pairs) - 1 else None
    return items, None
