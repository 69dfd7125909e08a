"""How journal entries read in a story: one line each, in the field's own words.

A table from event type to a function; an event that isn't in it is not worth telling. Times and component
columns are the report's business. Called by `Cluster.tell`.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from chaoskube.models.apiserver.events import Written
from chaoskube.models.client.events import InformerRelisted, LeaderStarted, LeaderStopped
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
from chaoskube.models.raft.events import BecameLeader
from chaoskube.sim import (
    Entry,
    FaultEnded,
    FaultStarted,
    Line,
    OperationStarted,
    ProcessStarted,
    ProcessStopped,
)


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
    return Line(entry.by or "you", words) if words else None


def _written(event: Written) -> str | None:
    if event.resource != "pods":
        return None
    name = event.key.rpartition("/")[2]
    if isinstance(event.obj, Pod) and event.subresource == "binding":
        return f"pod {name} is bound to {event.obj.spec.node_name}"
    if event.verb == "create" and event.subresource == "":
        return f"pod {name} is created"
    deleting = isinstance(event.obj, Pod) and event.obj.metadata.deletion_timestamp is not None
    was = isinstance(event.prev, Pod) and event.prev.metadata.deletion_timestamp is not None
    if deleting and not was:
        return f"pod {name} is told to go"
    if event.obj is None:
        return f"pod {name} is gone"
    return None


def _scaled(event: ReplicaSetScaleDecided) -> str:
    made = "makes" if event.is_new_object else "scales"
    return f"{made} ReplicaSet {_name(event.replicaset)}: {event.old} -> {event.new} replicas"


def _request(event: RequestEnded) -> str | None:
    if event.outcome == "ok":
        return None
    way = f" at {event.endpoint}" if event.endpoint else ""
    return f"a request to {event.service} ends: {event.outcome}{way}"


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _container(
    event: ContainerStarted | ContainerListening | ContainerExited | ContainerSignalled | PreStopStarted,
) -> str:
    return f"{event.container} of {_name(event.pod)}"


_TELLERS: dict[type, Callable[..., str | None]] = {
    Written: _written,
    ReplicaSetScaleDecided: _scaled,
    RequestEnded: _request,
    ContainerStarted: lambda event: f"{_container(event)} starts",
    ContainerListening: lambda event: f"{_container(event)} listens on {', '.join(map(str, event.ports))}",
    ContainerSignalled: lambda event: f"{_container(event)} gets {event.signal}",
    ContainerExited: lambda event: f"{_container(event)} exits with code {event.code}",
    PreStopStarted: lambda event: f"{_container(event)} runs its preStop hook",
    ProbeFlipped: lambda event: (
        f"{event.container} of {_name(event.pod)}: {event.probe} probe {'succeeds' if event.success else 'fails'}"
    ),
    PodRejected: lambda event: f"{event.node} refuses {_name(event.pod)}: {event.reason}",
    EvictionDecided: lambda event: f"evicts {_name(event.pod)} from {event.node}",
    NodeJudgedUnknown: lambda event: (
        f"has not heard of {event.node} for {event.silent_ns / 1e9:.0f} s and calls it NotReady"
    ),
    ProxySynced: lambda event: event.words(),
    LeaderStarted: lambda event: f"leads {event.lease}",
    LeaderStopped: lambda event: f"leads {event.lease} no more",
    BecameLeader: lambda event: f"leads Raft term {event.term}",
    InformerRelisted: lambda event: f"lists {event.resource} anew, {event.missed} had gone unseen",
    KubectlFailed: lambda event: f"kubectl says: {event.message}",
    ProcessStopped: lambda event: "stops: " + event.reason if event.reason != "exit" else None,
    ProcessStarted: lambda event: "starts again" if event.life > 1 else None,
    OperationStarted: lambda event: event.text,
    FaultStarted: lambda event: event.text,
    FaultEnded: lambda event: f"healed: {event.text}",
}
