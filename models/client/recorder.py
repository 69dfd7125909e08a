"""The event recorder: writes core/v1 Events, best effort.

An event that was said before (same object, reason and message) counts up instead of standing twice; similar ones are
combined, and too many are dropped (`correlation.py`).
Nobody waits for an event: a request that is lost is a lost event, and more than `OUTSTANDING_MAX` without an
answer are dropped, as the broadcaster does when its queue is full.

Source: staging/src/k8s.io/client-go/tools/record/{event,events_cache}.go.

Not modelled: the events.k8s.io series; a patch of an event that is gone, sent as a new one.
"""

from __future__ import annotations

from zlib import crc32

from chaoskube.models.apiserver.api import PATCH, STRATEGIC, Request, Response
from chaoskube.models.client.api import ApiClient, create_request
from chaoskube.models.client.correlation import REMEMBERED_MAX, Correlator
from chaoskube.models.objects import Event, EventSource, KubeObject, ObjectMeta, ObjectReference
from chaoskube.models.objects.times import time_text
from chaoskube.sim import SECOND, Unsure, reached

NORMAL = "Normal"
WARNING = "Warning"
OUTSTANDING_MAX = 1000


def grain_ns(process_name: str) -> int:
    """What a process's clock shows beyond the others', below a microsecond: two events of real ones never have one name."""
    return crc32(process_name.encode()) % 1000


class EventRecorder:
    """Says what `component` did to objects."""

    def __init__(self, client: ApiClient, component: str) -> None:
        self._client = client
        self._process = client.process
        self._component = component
        self._outstanding = 0
        self._last_stamp = 0
        self._correlator = Correlator()
        self._said: dict[tuple[str, ...], tuple[Event, int]] = {}

    def event(self, obj: KubeObject, type: str, reason: str, message: str) -> None:
        """Write an event about `obj`."""
        reference = ObjectReference(
            kind=obj.kind,
            namespace=obj.namespace or None,
            name=obj.name,
            uid=obj.uid or None,
            api_version=obj.api_version,
            resource_version=obj.resource_version or None,
        )
        self.event_about(reference, type, reason, message)

    def event_about(self, reference: ObjectReference, type: str, reason: str, message: str) -> None:
        """Write an event about whatever `reference` points to."""
        if self._outstanding >= OUTSTANDING_MAX:
            reached("event dropped")
            return
        about = (reference.kind or "", reference.namespace or "", reference.name or "", reference.uid or "")
        sent = self._correlator.correlate(about, type, reason, message, self._process.now)
        said = self._said.pop(sent.key, None)
        if said is None:
            event, count = self._new(reference, type, reason, sent.message), 1
            request = create_request(event)
        else:
            event, count = said[0], said[1] + 1
            request = self._repeat(event, count, sent.message)
        self._said[sent.key] = (event, count)
        if len(self._said) > REMEMBERED_MAX:
            del self._said[next(iter(self._said))]
        if sent.is_spam:
            return
        self._outstanding += 1
        self._client.request(request, self._done)

    def _new(self, reference: ObjectReference, type: str, reason: str, message: str) -> Event:
        stamp = max(self._process.wall_ns() + grain_ns(self._process.name), self._last_stamp + 1)
        self._last_stamp = stamp
        now = stamp // SECOND * SECOND
        return Event(
            metadata=ObjectMeta(
                name=f"{reference.name}.{stamp:x}", namespace=reference.namespace or "default"
            ),
            involved_object=reference,
            reason=reason,
            message=message,
            source=EventSource(component=self._component),
            first_timestamp=now,
            last_timestamp=now,
            count=1,
            type=type,
            reporting_component=self._component,
        )

    def _repeat(self, event: Event, count: int, message: str) -> Request:
        now = time_text(self._process.wall_ns())
        return Request(
            verb=PATCH,
            resource="events",
            namespace=event.namespace,
            name=event.name,
            patch_type=STRATEGIC,
            body={"count": count, "lastTimestamp": now, "message": message},
        )

    def _done(self, _: Response | Unsure) -> None:
        self._outstanding -= 1
