"""How journal entries read in a story: one line each, in the field's own words.

A table from event type to a function; an event that isn't in it is not worth telling. Times and component
columns are the report's business. Called by `Cluster.tell`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from attrs import frozen

from chaoskube.models.apiserver.events import Denied, Written
from chaoskube.models.client.events import InformerRelisted, InformerSynced, LeaderStarted, LeaderStopped
from chaoskube.models.client.operator import OperatorStarted, OperatorWaits, OperatorWaitsNoMore
from chaoskube.models.controllers.events import EvictionDecided, NodeJudgedUnknown, ReplicaSetScaleDecided
from chaoskube.models.network.events import ProxySynced, RequestEnded
from chaoskube.models.node.events import (
    ContainerExited,
    ContainerListening,
    ContainerSignalled,
    ContainerStarted,
    PodRejected,
    PreStopStarted,
    ProbeFlipped,
)
from chaoskube.models.objects import Pod
from chaoskube.models.objects.resources import Resources
from chaoskube.models.observer import Observer
from chaoskube.models.raft.events import BecameLeader
from chaoskube.sim import (
    SECOND,
    BitRotted,
    Entry,
    FaultEnded,
    FaultStarted,
    Line,
    OperationStarted,
    ProcessPanicked,
    ProcessSignalled,
    ProcessStarted,
    ProcessStopped,
    UsageError,
)

LONG_AGO_NS = SECOND // 2
"""A list that is older is worth a line."""


@frozen(kw_only=True)
class KubectlFailed:
    """A command of kubectl ended with an error."""

    message: str


def tell(entry: Entry) -> Line | None:
    """The entry as a line, or None."""
    teller = _TELLERS.get(type(entry.event))
    if teller is None:
        return None
    words = teller(entry.event)
    return Line(_component(entry), words) if words else None


def tell_of_the_past(entry: Entry, seen: Observer, server: str) -> Line | None:
    """A first list that a server answered out of a cache that was behind, as a line; None where it wasn't."""
    event = entry.event
    assert isinstance(event, InformerSynced), "asked about it only"
    try:
        resource = Resources().resource_of(event.resource)
    except UsageError:
        return None  # a custom resource: nobody here knows its kind
    changes = seen.history.of((resource.group, resource.kind)).changes
    place = bisect_right(changes, int(event.resource_version or 0), key=lambda change: change.revision)
    missed = [one for one in changes[place:] if one.at < entry.at and not one.is_heartbeat]
    if not missed or entry.at - missed[0].at < LONG_AGO_NS:
        return None
    age = f"{(entry.at - missed[0].at) / SECOND:.1f} s ago"
    return Line(entry.by, f"lists {event.resource} as they were {age}: {server} has heard of nothing since")


def _component(entry: Entry) -> str:
    """Who does it: a container's line stands under its pod, what a person does under `you`."""
    if isinstance(entry.event, _OF_A_CONTAINER):
        return _name(entry.event.pod)
    return entry.by or "you"


def _written(event: Written) -> str | None:
    if event.resource != "pods":
        return None
    name = _name(event.key)
    if isinstance(event.obj, Pod) and event.subresource == "binding":
        return f"pod {name} is bound to {event.obj.spec.node_name}"
    if event.verb == "create" and event.subresource == "":
        return f"pod {name} is created"
    deleting = isinstance(event.obj, Pod) and event.obj.metadata.deletion_timestamp is not None
    was = isinstance(event.prev, Pod) and event.prev.metadata.deletion_timestamp is not None
    if deleting and not was:
        return f"pod {name} is Terminating"
    if event.obj is None:
        return f"pod {name} is deleted"
    return None


def _scaled(event: ReplicaSetScaleDecided) -> str:
    name = _name(event.replicaset)
    if event.is_new_object:
        return f"creates ReplicaSet {name} with {_replicas(event.new)}"
    return f"scales ReplicaSet {name} from {event.old} to {_replicas(event.new)}"


def _replicas(number: int) -> str:
    return "1 replica" if number == 1 else f"{number} replicas"


def _request(event: RequestEnded) -> str | None:
    if event.outcome == "ok":
        return None
    pod = f"pod {_name(event.pod)} " if event.pod else ""
    end = {
        "refused": f"refused by {pod}({event.endpoint})",
        "reset": f"reset by {pod}({event.endpoint})",
        "no endpoint": "no endpoint is ready",
    }.get(event.outcome, f"{event.outcome}, sent to {pod}({event.endpoint})")
    return f"request to Service {event.service}: {end}"


def _proxy(event: ProxySynced) -> str:
    port = f" ({event.port_name})" if event.port_name else ""
    to = ", ".join(_name(one.pod) or f"{one.ip}:{one.port}" for one in event.after)
    gone = [one for one in event.before if one not in event.after]
    left = ", ".join(_name(one.pod) or f"{one.ip}:{one.port}" for one in gone)
    no_more = f", no longer to {left}" if left else ""
    return f"routes Service {event.service}{port} to {to or 'nobody'}{no_more}"


def _denied(event: Denied) -> str:
    group = f".{event.group}" if event.group else ""
    where = f" in namespace {event.namespace}" if event.namespace else ""
    return f"forbids {event.user} to {event.verb} {event.resource}{group}{where}"


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _unseen(missed: int) -> str:
    return "nothing had gone unseen" if missed == 0 else f"changes of {missed} had gone unseen"


_OF_A_CONTAINER = (
    ContainerStarted,
    ContainerListening,
    ContainerSignalled,
    ContainerExited,
    PreStopStarted,
    ProbeFlipped,
)
_TELLERS: dict[type, Callable[..., str | None]] = {
    Written: _written,
    Denied: _denied,
    OperatorWaits: lambda event: f"waits, and cannot begin yet: {event.why}",
    OperatorWaitsNoMore: lambda event: "has found what it waited for",
    OperatorStarted: lambda event: "has filled its caches and begins to work",
    ReplicaSetScaleDecided: _scaled,
    RequestEnded: _request,
    ContainerStarted: lambda event: f"container {event.container} starts on {event.node}",
    ContainerListening: lambda event: (
        f"container {event.container} listens on {', '.join(map(str, event.ports))}"
    ),
    ContainerSignalled: lambda event: f"container {event.container} gets {event.signal}",
    ContainerExited: lambda event: f"container {event.container} exits with code {event.code}",
    PreStopStarted: lambda event: f"container {event.container} runs its preStop hook",
    ProbeFlipped: lambda event: (
        f"{event.probe} probe of container {event.container} {'succeeds' if event.success else 'fails'}"
    ),
    PodRejected: lambda event: f"rejects pod {_name(event.pod)}: {event.reason}",
    EvictionDecided: lambda event: f"evicts pod {_name(event.pod)} from {event.node}",
    NodeJudgedUnknown: lambda event: (
        f"has had no heartbeat of {event.node} for {event.silent_ns / 1e9:.0f} s: its Ready becomes Unknown"
    ),
    ProxySynced: _proxy,
    LeaderStarted: lambda event: f"becomes leader ({event.lease})",
    LeaderStopped: lambda event: f"is leader no more ({event.lease})",
    BecameLeader: lambda event: f"becomes leader of Raft term {event.term}",
    InformerRelisted: lambda event: f"lists {event.resource} anew; {_unseen(event.missed)}",
    KubectlFailed: lambda event: f"kubectl says: {event.message}",
    ProcessPanicked: lambda event: f"panics: {event.why}",
    BitRotted: lambda event: f"has flipped bits in record {event.place} of {event.file}",
    ProcessSignalled: lambda event: f"gets {event.signal}",
    ProcessStopped: lambda event: "stops: " + event.reason if event.reason != "exit" else None,
    ProcessStarted: lambda event: "starts again" if event.life > 1 else None,
    OperationStarted: lambda event: event.text,
    FaultStarted: lambda event: event.text,
    FaultEnded: lambda event: f"healed: {event.text}",
}
