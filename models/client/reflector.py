"""The reflector: keeps a store like the server's, by a list and then a watch from there.

Initial state by a streaming list (a watch that sends everything first and ends it with a bookmark), by a LIST
with RV "0" where the server refuses that. Then every event in order. When the watch ends:

- cleanly or by a reset: again at once from the last version seen; a watch that lived less than 1 s and said
  nothing counts as a failure;
- refused or 429: after a back-off, from the last version seen, without a list;
- anything else, 410 above all: after a back-off a new list, as of the last version seen or newer, and when
  even that is too old, without asking for a version.

Back-off 0.8 s doubling to 30 s with jitter. A stream that is only late is trusted: nothing but a relist
repairs what it failed to say. Handlers only; the informer is told through `Sink`.

Source: staging/src/k8s.io/client-go/tools/cache/reflector.go (1.36: WatchListClient on).

Not modelled: pages (every list comes whole), resync from the server (there is none), MaxInternalErrorRetry.
"""

from __future__ import annotations

from typing import Protocol

from chaoskube.models.apiserver.api import (
    BOOKMARK,
    DELETED,
    LIST,
    NOT_OLDER_THAN,
    Bookmark,
    ListOptions,
    ObjectList,
    Request,
    Response,
    Status,
    WatchEvent,
)
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.backoff import Backoff
from chaoskube.models.client.events import WatchResumed
from chaoskube.models.client.watching import WatchHandle
from chaoskube.models.objects import KubeObject
from chaoskube.sim import SECOND, ModelBug, Unsure, reached

WATCH_TIMEOUT_MIN = 300 * SECOND
SHORT_WATCH = 1 * SECOND


class Sink(Protocol):
    """Who is told what the server holds."""

    def replace(self, items: tuple[KubeObject, ...], resource_version: str, server: str) -> None:
        """The whole state as of `resource_version`."""

    def apply(self, event: WatchEvent) -> None:
        """One change."""

    def advance(self, resource_version: str) -> None:
        """Nothing changed up to `resource_version`."""


class Reflector:
    """Lists and watches one resource into a sink, for the rest of the process's life."""

    def __init__(
        self,
        client: ApiClient,
        sink: Sink,
        resource: str,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
    ) -> None:
        self._client = client
        self._process = client.process
        self._sink = sink
        self._resource = resource
        self._namespace = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._backoff = Backoff()
        self._watch: WatchHandle | None = None
        self._streaming_list = True
        self._initial: dict[str, KubeObject] | None = None
        self._last_version = ""
        self._version_unavailable = False
        self._opened_at = 0
        self._events_seen = False

    def start(self) -> None:
        """Begin."""
        self._fetch()

    # -- the whole state

    def _fetch(self) -> None:
        if self._streaming_list:
            self._initial = {}
            self._open(
                ListOptions(
                    resource_version="" if self._version_unavailable else self._last_version,
                    resource_version_match=NOT_OLDER_THAN,
                    send_initial_events=True,
                    allow_watch_bookmarks=True,
                    label_selector=self._label_selector,
                    field_selector=self._field_selector,
                    timeout_ns=self._watch_timeout(),
                )
            )
        else:
            self._list()

    def _list(self) -> None:
        version = "" if self._version_unavailable else self._last_version or "0"
        options = ListOptions(
            resource_version=version,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )
        request = Request(verb=LIST, resource=self._resource, namespace=self._namespace, options=options)
        self._client.request(request, self._listed)

    def _listed(self, answer: Response | Unsure) -> None:
        if isinstance(answer, Response) and isinstance(answer.body, ObjectList):
            self._version_unavailable = False
            self._replace(answer.body.items, answer.body.resource_version)
            self._rewatch()
        elif isinstance(answer, Response) and isinstance(answer.body, Status) and _is_expired(answer.body):
            self._fetch_without_version()
        else:
            self._after_backoff(self._list)

    def _fetch_without_version(self) -> None:
        if self._version_unavailable:
            self._after_backoff(self._fetch)
        else:
            reached("reflector lists without a version")
            self._version_unavailable = True
            self._fetch()

    def _replace(self, items: tuple[KubeObject, ...], resource_version: str) -> None:
        self._last_version = resource_version
        server = self._watch.server if self._watch is not None else self._client.server
        self._sink.replace(items, resource_version, server.ip)

    # -- the changes

    def _rewatch(self) -> None:
        self._open(
            ListOptions(
                resource_version=self._last_version,
                allow_watch_bookmarks=True,
                label_selector=self._label_selector,
                field_selector=self._field_selector,
                timeout_ns=self._watch_timeout(),
            )
        )

    def _resume(self) -> None:
        self._process.record(
            WatchResumed(
                resource=self._resource,
                resource_version=self._last_version,
                server=self._client.server.ip,
            )
        )
        self._rewatch()

    def _open(self, options: ListOptions) -> None:
        self._opened_at = self._process.now
        self._events_seen = False
        self._watch = self._client.watch(self._resource, self._namespace, options, self._event, self._ended)

    def _watch_timeout(self) -> int:
        return WATCH_TIMEOUT_MIN + self._process.rng.randrange(WATCH_TIMEOUT_MIN)

    def _event(self, event: WatchEvent) -> None:
        self._events_seen = True
        if self._initial is not None:
            self._initial_event(self._initial, event)
            return
        obj = event.object
        if event.type == BOOKMARK:
            assert isinstance(obj, Bookmark), f"a bookmark, not {obj!r}"
            self._last_version = obj.resource_version
            self._sink.advance(obj.resource_version)
            return
        assert isinstance(obj, KubeObject), f"an object, not {obj!r}"
        self._last_version = obj.resource_version
        self._sink.apply(event)

    def _initial_event(self, initial: dict[str, KubeObject], event: WatchEvent) -> None:
        obj = event.object
        if isinstance(obj, Bookmark):
            if obj.initial_events_end:
                self._initial = None
                self._version_unavailable = False
                self._replace(tuple(initial.values()), obj.resource_version)
        elif isinstance(obj, KubeObject) and event.type == DELETED:
            initial.pop(obj.key, None)
        elif isinstance(obj, KubeObject):
            initial[obj.key] = obj
        else:
            raise ModelBug(f"{self._resource}: {obj!r} among the initial events")

    # -- ends

    def _ended(self, why: Status | str) -> None:
        self._watch = None
        if self._initial is not None:
            self._initial = None
            self._list_stream_ended(why)
        elif why == "refused" or (isinstance(why, Status) and why.code == 429):
            self._after_backoff(self._resume)
        elif why in ("closed", "reset"):
            lived = self._process.now - self._opened_at
            if lived < SHORT_WATCH and not self._events_seen:
                self._after_backoff(self._fetch)
            else:
                self._resume()
        else:
            reached("reflector relists")
            self._after_backoff(self._fetch)

    def _list_stream_ended(self, why: Status | str) -> None:
        if isinstance(why, str):
            self._after_backoff(self._fetch)
        elif _is_expired(why):
            self._fetch_without_version()
        elif why.code == 429 or why.code >= 500:
            self._after_backoff(self._fetch)
        else:
            reached("reflector falls back to LIST")
            self._streaming_list = False
            self._fetch()

    def _after_backoff(self, step: object) -> None:
        assert callable(step), "a step to take"
        self._process.call_later(self._backoff.next_delay(self._process.now, self._process.rng), step)


def _is_expired(status: Status) -> bool:
    too_large = any(cause.reason == "ResourceVersionTooLarge" for cause in status.causes)
    return status.code == 410 or too_large
