"""The reflector: keeps a store like the server's, by a list and then a watch from there.

Initial state by a streaming list (a watch that sends everything first and ends it with a bookmark); where that fails
for any reason but the three below, by a LIST this time, with RV "0" the first time. Then every event in order.

What ends, and what follows:

- the streaming list, cut: the same again at once; refused or 429: after a back-off; its version too old (410) or too
  large for the server asked: again at once, without a version;
- the watch, cleanly or by a reset: again at once from the last version seen; one that lived less than 1 s and said
  nothing counts as a failure; refused or 429: after a back-off, from the last version seen, without a list;
- anything else, 410 above all: after a back-off everything anew, as of the last version seen or newer.

Back-off 0.8 s doubling to 30 s with jitter. A stream that is only late is trusted: nothing but a relist repairs what it
failed to say. Of the objects that a watch sends because it began at no version, none moves the version to resume from:
they come in any order. Handlers only; the informer is told through `Sink`.

Source: staging/src/k8s.io/client-go/tools/cache/reflector.go (1.36: WatchListClient on).

Not modelled: tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chaoskube.models.apiserver.api import (
    ADDED,
    DELETED,
    NOT_OLDER_THAN,
    Bookmark,
    ListOptions,
    ObjectList,
    Status,
    WatchEvent,
)
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.backoff import Backoff
from chaoskube.models.client.events import WatchResumed
from chaoskube.models.client.pager import PAGE_SIZE, Pager
from chaoskube.models.client.views import ReadBegun, ReadRefused
from chaoskube.models.client.watch_errors import (
    InternalErrorRetry,
    is_expired,
    is_internal,
    is_stream_end,
    is_too_large,
    is_worth_waiting,
)
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

    def watching(self) -> None:
        """The whole state is there, and the watch goes on from it."""


class Reflector:
    """Lists and watches one resource into a sink, until it is stopped or its process ends."""

    def __init__(
        self,
        client: ApiClient,
        sink: Sink,
        resource: str,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        streaming_list: bool = True,
        internal_error_retry_ns: int = 0,
    ) -> None:
        self._client = client
        self._process = client.process
        self._sink = sink
        self._resource = resource
        self._namespace = namespace
        self._selectors = ListOptions(label_selector=label_selector, field_selector=field_selector)
        self._streaming_list = streaming_list
        self._internal_errors = InternalErrorRetry(internal_error_retry_ns)
        self._backoff = Backoff()
        self._is_stopped = False
        self._watch: WatchHandle | None = None
        self._initial: dict[str, KubeObject] | None = None
        self._is_paginated = False
        self._last_version = ""
        self._is_version_unavailable = False
        self._moves_version = True
        self._opened_at = 0
        self._events_seen = False

    def start(self) -> None:
        """Begin."""
        self._begin()

    def stop(self) -> None:
        """Tell the sink nothing any more."""
        self._is_stopped = True
        if self._watch is not None:
            self._watch.cancel()

    def _begin(self) -> None:
        """The whole state, by whichever way."""
        if self._streaming_list:
            self._stream_list()
        else:
            self._list()

    # -- the whole state, as a stream

    def _stream_list(self) -> None:
        self._initial = {}
        self._mention_begun(self._stream_version())
        self._open(
            self._options(
                resource_version=self._stream_version(),
                resource_version_match=NOT_OLDER_THAN,
                send_initial_events=True,
            )
        )

    def _stream_version(self) -> str:
        return "" if self._is_version_unavailable else self._last_version

    def _initial_event(self, initial: dict[str, KubeObject], event: WatchEvent) -> None:
        obj = event.object
        if isinstance(obj, Bookmark):
            if obj.initial_events_end:
                self._initial = None
                self._replace(tuple(initial.values()), obj.resource_version)
                self._opened_at = self._process.now
                self._events_seen = False
        elif isinstance(obj, KubeObject) and event.type == DELETED:
            initial.pop(obj.key, None)
        elif isinstance(obj, KubeObject):
            initial[obj.key] = obj
        else:
            raise ModelBug(f"{self._resource}: {obj!r} among the initial events")

    def _stream_list_ended(self, why: Status | str) -> None:
        """What came is thrown away: nobody knows what of it would still be true."""
        self._initial = None
        self._mention(self._stream_version(), why)
        if is_worth_waiting(why):
            self._after_backoff(self._stream_list)
        elif is_expired(why) or is_too_large(why):
            reached("reflector lists without a version")
            self._is_version_unavailable = True
            self._stream_list()
        elif is_stream_end(why) and not self._was_short():
            reached("reflector lists again after a cut")
            self._stream_list()
        else:
            reached("reflector falls back to LIST")
            self._list()

    # -- the whole state, as a list

    def _list(self) -> None:
        version = self._list_version()
        paged = self._is_paginated or version in ("", "0")
        self._page(version, PAGE_SIZE if paged else 0, self._listed)

    def _page(
        self, version: str, page_size: int, then: Callable[[Pager, ObjectList | Status | Unsure], None]
    ) -> None:
        self._mention_begun(version)
        options = self._selectors
        if version:
            options = ListOptions(
                resource_version=version,
                label_selector=options.label_selector,
                field_selector=options.field_selector,
            )
        Pager(self._client, self._resource, self._namespace, options, page_size, then)

    def _list_version(self) -> str:
        """As of when to list: any state the first time, then nothing older than what was seen already."""
        if self._is_version_unavailable:
            return ""
        return self._last_version or "0"

    def _listed(self, pager: Pager, answer: ObjectList | Status | Unsure) -> None:
        if self._is_stopped:
            return
        self._mention(self._list_version(), answer)
        if isinstance(answer, Status) and (is_expired(answer) or is_too_large(answer)):
            reached("reflector lists without a version")
            self._is_version_unavailable = True
            self._page("", PAGE_SIZE, self._listed_again)
        else:
            if isinstance(answer, ObjectList) and self._list_version() == "0" and pager.is_paginated:
                self._is_paginated = True
            self._listed_again(pager, answer)

    def _listed_again(self, pager: Pager, answer: ObjectList | Status | Unsure) -> None:
        if self._is_stopped:
            return
        if isinstance(answer, ObjectList):
            self._replace(answer.items, answer.resource_version)
            self._rewatch()
        else:
            self._after_backoff(self._begin)

    def _replace(self, items: tuple[KubeObject, ...], resource_version: str) -> None:
        self._is_version_unavailable = False
        self._last_version = resource_version
        self._moves_version = True
        server = self._watch.server if self._watch is not None else self._client.server
        self._sink.replace(items, resource_version, server.ip)
        self._sink.watching()

    # -- the changes

    def _rewatch(self) -> None:
        self._moves_version = self._last_version not in ("", "0")
        self._open(self._options(resource_version=self._last_version))

    def _resume(self) -> None:
        self._process.record(
            WatchResumed(
                resource=self._resource,
                resource_version=self._last_version,
                server=self._client.server.ip,
            )
        )
        self._rewatch()

    def _options(
        self, *, resource_version: str, resource_version_match: str = "", send_initial_events: bool = False
    ) -> ListOptions:
        return ListOptions(
            resource_version=resource_version,
            resource_version_match=resource_version_match,
            send_initial_events=send_initial_events,
            allow_watch_bookmarks=True,
            label_selector=self._selectors.label_selector,
            field_selector=self._selectors.field_selector,
            timeout_ns=WATCH_TIMEOUT_MIN + self._process.rng.randrange(WATCH_TIMEOUT_MIN),
        )

    def _open(self, options: ListOptions) -> None:
        self._opened_at = self._process.now
        self._events_seen = False
        self._watch = self._client.watch(self._resource, self._namespace, options, self._event, self._ended)

    def _event(self, event: WatchEvent) -> None:
        self._events_seen = True
        if self._initial is not None:
            self._initial_event(self._initial, event)
            return
        obj = event.object
        if isinstance(obj, Bookmark):
            self._saw(event, obj.resource_version)
            self._sink.advance(obj.resource_version)
        else:
            assert isinstance(obj, KubeObject), f"an object, not {obj!r}"
            self._saw(event, obj.metadata.resource_version)
            self._sink.apply(event)

    def _saw(self, event: WatchEvent, resource_version: str) -> None:
        """Move the version to resume from; what a watch from nowhere sends first doesn't, in whatever order it comes."""
        if not self._moves_version and event.type == ADDED:
            return
        self._moves_version = True
        self._last_version = resource_version

    def _mention(self, asked: str, why: object) -> None:
        """Let whoever watches from outside know that this was refused."""
        if isinstance(why, Status):
            told = ReadRefused(resource=self._resource, selection=self._selection(), asked=asked, status=why)
            self._process.mention(told)

    def _mention_begun(self, asked: str) -> None:
        told = ReadBegun(resource=self._resource, selection=self._selection(), asked=asked)
        self._process.mention(told)

    def _selection(self) -> tuple[str, str, str]:
        return (self._namespace, self._selectors.label_selector, self._selectors.field_selector)

    # -- ends

    def _ended(self, why: Status | str) -> None:
        self._watch = None
        if self._initial is not None:
            self._stream_list_ended(why)
        elif is_worth_waiting(why):
            self._after_backoff(self._resume)
        elif self._may_go_on(why):
            self._resume()
        else:
            reached("reflector relists")
            self._after_backoff(self._begin)

    def _may_go_on(self, why: Status | str) -> bool:
        """Whether the same watch may be opened again at once, from the last version seen."""
        if is_internal(why):
            return self._internal_errors.should_retry(self._process.now)
        return is_stream_end(why) and not self._was_short()

    def _was_short(self) -> bool:
        return self._process.now - self._opened_at < SHORT_WATCH and not self._events_seen

    def _after_backoff(self, step: Callable[[], None]) -> None:
        delay = self._backoff.next_delay(self._process.now, self._process.rng)
        self._process.call_later(delay, self._unless_stopped, step)

    def _unless_stopped(self, step: Callable[[], None]) -> None:
        if not self._is_stopped:
            step()
