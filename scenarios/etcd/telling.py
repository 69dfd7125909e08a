"""How the events of an etcd cluster read in a story."""

from __future__ import annotations

from chaoskube.models.etcd.events import MemberStopped
from chaoskube.models.etcd.view import (
    BecameLeader,
    LeaseEnded,
    MemberListChanged,
    Restored,
    SnapshotInstalled,
    SteppedDown,
    Voted,
)
from chaoskube.sim import (
    Entry,
    FaultEnded,
    FaultStarted,
    Line,
    OperationEnded,
    OperationStarted,
    ProcessStarted,
    ProcessStopped,
)


def tell(entry: Entry) -> Line | None:
    """The decisive events in words; None for the rest."""
    event = entry.event
    words = _of_a_member(event)
    if words:
        return Line(entry.by, words)
    if isinstance(event, ProcessStopped):
        return Line(entry.by, f"ends: {event.reason}")
    if isinstance(event, ProcessStarted) and event.life > 1:
        return Line(entry.by, f"starts again, life {event.life}")
    if isinstance(event, FaultStarted):
        return Line("fault", event.text)
    if isinstance(event, FaultEnded):
        return Line("fault", f"healed: {event.text}")
    if isinstance(event, OperationStarted):
        return Line("operator", event.text)
    if isinstance(event, OperationEnded):
        return Line("operator", f"done: {event.text}")
    return None


def _of_a_member(event: object) -> str:
    if isinstance(event, BecameLeader):
        return f"becomes the leader of term {event.term}, from entry {event.first_index} on"
    if isinstance(event, SteppedDown):
        return f"no longer leads term {event.led_term}"
    if isinstance(event, Voted):
        return f"votes for {event.candidate} in term {event.term}"
    if isinstance(event, SnapshotInstalled):
        return f"takes a snapshot of everything up to entry {event.index} (revision {event.revision})"
    if isinstance(event, MemberListChanged):
        learners = f", learners {', '.join(event.learners)}" if event.learners else ""
        return f"counts the votes of {', '.join(event.voters)} from entry {event.index} on{learners}"
    if isinstance(event, LeaseEnded):
        return f"ends lease {event.id:x}: {event.reason}"
    if isinstance(event, Restored):
        return f"is made anew from a snapshot, at revision {event.revision}"
    return f"says: {event.reason}" if isinstance(event, MemberStopped) else ""
