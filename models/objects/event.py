"""Events, as components write them to the API (core/v1).

Source: staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from chaoskube.models.objects.fields import WRITTEN, MicroTime, Time
from chaoskube.models.objects.frozen import EMPTY, FrozenDict
from chaoskube.models.objects.meta import KubeObject
from chaoskube.models.objects.service import ObjectReference


@frozen(kw_only=True)
class EventSource:
    """The component that says it."""

    component: str | None = None
    host: str | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class EventSeries:
    """An event that goes on."""

    count: int = 0
    last_observed_time: MicroTime | None = None
    extra: FrozenDict[str, Any] = EMPTY


@frozen(kw_only=True)
class Event(KubeObject):
    """Something that a component did or could not do to an object."""

    api_version: str = "v1"
    kind: str = "Event"
    involved_object: ObjectReference = field(default=ObjectReference(), metadata=WRITTEN)
    reason: str | None = None
    message: str | None = None
    source: EventSource = field(default=EventSource(), metadata=WRITTEN)
    first_timestamp: Time | None = field(default=None, metadata=WRITTEN)
    last_timestamp: Time | None = field(default=None, metadata=WRITTEN)
    count: int = 0
    type: str | None = None
    event_time: MicroTime | None = field(default=None, metadata=WRITTEN)
    series: EventSeries | None = None
    action: str | None = None
    related: ObjectReference | None = None
    reporting_component: str = field(default="", metadata=WRITTEN)
    reporting_instance: str = field(default="", metadata=WRITTEN)
