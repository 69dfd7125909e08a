"""WATCH: which events a client gets first, and who serves it from then on.

A watch begins with what the cache has now (no version, or "0"), with what happened after a version, or, as
watch-list, with everything that is at least as new as asked for, and a bookmark that says where that ends. What is
refused after the version was understood comes as an ERROR event on the stream, not as an answer; 429 while the
cache is being filled is an answer.
Sources: staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go (Watch), pkg/endpoints/handlers/get.go (time-outs).

Called by `server.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chaoskube.models.apiserver import reads
from chaoskube.models.apiserver.api import ERROR, Request, WatchEvent
from chaoskube.models.apiserver.cache_feed import CacheFeed
from chaoskube.models.apiserver.errors import ApiError, plain_error, too_large_resource_version
from chaoskube.models.apiserver.events import ReadServed
from chaoskube.models.apiserver.flow import Context, Flow, UntilCached
from chaoskube.models.apiserver.keys import is_cached, key_of, prefix_of
from chaoskube.models.apiserver.options import check_watch_options, parse_version
from chaoskube.models.apiserver.selection import predicate, single_name
from chaoskube.models.apiserver.storage import ask, current_revision
from chaoskube.models.apiserver.uncached import UncachedWatch
from chaoskube.models.apiserver.watcher import Watcher, buffer_of, next_bookmark_at
from chaoskube.models.etcd import messages as etcd
from chaoskube.models.etcd.client import EtcdClient
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import SECOND, Connection, Process

WATCH_TIMEOUT_SECONDS: Final = (1800, 3600)


class Watches:
    """Begins the watches of one server."""

    def __init__(
        self, ctx: Context, process: Process, client: EtcdClient, feed_of: Callable[[str], CacheFeed]
    ) -> None:
        self._ctx = ctx
        self._process = process
        self._client = client
        self._feed_of = feed_of

    def begin(self, request: Request, resource: Resource, connection: Connection) -> Flow[None]:
        """Begin a watch; ends without an answer, because the stream is the answer."""
        options = request.options
        check_watch_options(options)
        try:
            version = parse_version(options.resource_version)
        except ValueError as error:
            raise plain_error(str(error)) from error
        watcher = self._watcher(request, resource, version)
        try:
            if is_cached(resource):
                yield from self._from_cache(request, resource, watcher, connection)
            else:
                yield from self._from_etcd(request, resource, watcher, connection)
        except ApiError as error:
            if error.status.code == 429:
                raise
            if connection.is_open:
                connection.send(WatchEvent(ERROR, error.status))
                connection.close()

    def _watcher(self, request: Request, resource: Resource, version: int) -> Watcher:
        options = request.options
        now = self._process.now
        name = request.name or single_name(options.field_selector)
        is_exact = bool(name) and (bool(request.namespace) or not resource.namespaced)
        ends_at = now + self._timeout_ns(options.timeout_ns)
        prefix = prefix_of(resource, request.namespace)
        return Watcher(
            id=0,
            prefix=key_of(resource, request.namespace, name) if is_exact else prefix,
            exact=is_exact,
            matches=predicate(resource, options.label_selector, options.field_selector),
            after=version,
            bookmarks=options.allow_watch_bookmarks,
            bookmark_at=next_bookmark_at(now, ends_at),
            ends_at=ends_at,
        )

    def _from_cache(
        self, request: Request, resource: Resource, watcher: Watcher, connection: Connection
    ) -> Flow[None]:
        options = request.options
        cache = yield from reads.ready_cache(self._ctx, resource)
        if options.send_initial_events:
            version = watcher.after
            if options.resource_version == "":
                version = yield from current_revision()
            if cache.revision < version and not (yield UntilCached(resource.name, version)):
                raise too_large_resource_version(version, cache.revision)
            cache = yield from reads.ready_cache(self._ctx, resource)
        if not connection.is_open:
            return
        lines = self._feed_of(resource.name).lines
        watcher.id = lines.next_id()
        watcher.buffer = buffer_of(resource.name, cache.capacity)
        if watcher.after == 0 and options.begin_now:
            watcher.after = cache.revision
        initial = watcher.after == 0 or options.send_initial_events
        first = cache.add_watcher(watcher, initial_state=initial)
        if first and first[0].type == ERROR:
            connection.send(first[0])
            connection.close()
            return
        if options.send_initial_events and options.allow_watch_bookmarks:
            first.append(cache.bookmark(initial_events_end=True))
        lines.serve(watcher, connection, first)
        self._record(request, resource, watcher, cache.revision if initial else watcher.after, "cache")

    def _from_etcd(
        self, request: Request, resource: Resource, watcher: Watcher, connection: Connection
    ) -> Flow[None]:
        initial: tuple[etcd.KeyValue, ...] = ()
        revision = watcher.after
        options = request.options
        if not revision and options.begin_now:
            revision = yield from current_revision()
        elif not revision or options.send_initial_events:
            range_end = "" if watcher.exact else etcd.prefix_end(watcher.prefix)
            found = yield from ask(etcd.Range(key=watcher.prefix, range_end=range_end))
            assert isinstance(found, etcd.RangeResponse)
            initial, revision = found.kvs, found.revision
        if not connection.is_open:
            return
        watch = UncachedWatch(self._process, self._client, resource, watcher, connection)
        end_mark = options.send_initial_events and options.allow_watch_bookmarks
        watch.begin(initial, revision, end_mark=end_mark)
        self._record(request, resource, watcher, revision, "etcd")

    def _record(
        self, request: Request, resource: Resource, watcher: Watcher, served: int, source: str
    ) -> None:
        self._ctx.record(
            ReadServed(
                server=self._ctx.name,
                user=request.user,
                verb=request.verb,
                resource=resource.name,
                prefix=watcher.prefix,
                asked=request.options.resource_version,
                served=served,
                source=source,
            )
        )

    def _timeout_ns(self, wanted_ns: int | None) -> int:
        if wanted_ns:
            return wanted_ns
        first, last = WATCH_TIMEOUT_SECONDS
        return self._ctx.rng.randrange(first, last) * SECOND
