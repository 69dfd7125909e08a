"""The events that the scheduler writes: those of events.k8s.io, as they stand in core/v1. Best effort.

An event about the same object *at the same version* with the same reason and action becomes a series: the
second time is written as count 2, later ones are only counted, and after six minutes of silence a new event
begins. (staging/src/k8s.io/client-go/tools/events/event_broadcaster.go)

Not modelled: the refresh that writes a running series' count every 30 minutes; retries of a lost event.
"""

from __future__ import annotations

from attrs import define

from chaoskube.models.apiserver.api import MERGE, PATCH, Request, Response
from chaoskube.models.client.api import ApiClient, create_request
from chaoskube.models.client.recorder import grain_ns
from chaoskube.models.objects import Event, ObjectMeta, ObjectReference, Pod
from chaoskube.models.objects.times import micro_time_text
from chaoskube.sim import MICROSECOND, SECOND, Unsure

CONTROLLER = "default-scheduler"
SERIES_ENDS_AFTER = 360 * SECOND  # event_broadcaster.go, finishTime
REMEMBERED_MAX = 4096

_Key = tuple[str, str, str, str]


@define(kw_only=True)
class _Series:
    namespace: str
    name: str
    count: int
    last: int


class SchedulerEvents:
    """Says what the scheduler did to pods."""

    def __init__(self, client: ApiClient, instance: str) -> None:
        self._client = client
        self._process = client.process
        self._instance = instance
        self._last_stamp = 0
        self._said: dict[_Key, _Series] = {}

    def scheduled(self, pod: Pod, node: str) -> None:
        """The pod was bound."""
        self._say(pod, "Normal", "Scheduled", "Binding", f"Successfully assigned {pod.key} to {node}")

    def failed(self, pod: Pod, message: str) -> None:
        """The pod found no node, or its binding failed."""
        self._say(pod, "Warning", "FailedScheduling", "Scheduling", message)

    def _say(self, pod: Pod, type: str, reason: str, action: str, message: str) -> None:
        key = (pod.uid, pod.resource_version, reason, action)
        now = self._process.now
        series = self._said.pop(key, None)
        if series is None or now - series.last > SERIES_ENDS_AFTER:
            event = self._new(pod, type, reason, action, message)
            series = _Series(namespace=event.namespace, name=event.name, count=1, last=now)
            self._client.request(create_request(event), _ignore)
        else:
            series.count += 1
            series.last = now
            if series.count == 2:
                self._client.request(self._repeat(series), _ignore)
        self._said[key] = series
        if len(self._said) > REMEMBERED_MAX:
            del self._said[next(iter(self._said))]

    def _new(self, pod: Pod, type: str, reason: str, action: str, message: str) -> Event:
        stamp = self._process.wall_ns() + grain_ns(self._process.name)
        self._last_stamp = max(stamp, self._last_stamp + 1)
        return Event(
            metadata=ObjectMeta(name=f"{pod.name}.{self._last_stamp:x}", namespace=pod.namespace),
            involved_object=ObjectReference(
                kind="Pod",
                namespace=pod.namespace,
                name=pod.name,
                uid=pod.uid,
                api_version="v1",
                resource_version=pod.resource_version or None,
            ),
            reason=reason,
            message=message,
            type=type,
            event_time=self._last_stamp // MICROSECOND * MICROSECOND,
            action=action,
            reporting_component=CONTROLLER,
            reporting_instance=f"{CONTROLLER}-{self._instance}",
        )

    def _repeat(self, series: _Series) -> Request:
        when = micro_time_text(self._process.wall_ns())
        return Request(
            verb=PATCH,
            resource="events",
            namespace=series.namespace,
            name=series.name,
            patch_type=MERGE,
            body={"series": {"count": series.count, "lastObservedTime": when}},
        )


def _ignore(_: Response | Unsure) -> None:
    """Nobody waits for an event."""
