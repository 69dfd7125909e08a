"""When a recording began, on the wall clock; and the phases that its periodic loops had at that moment.

Object times are whole seconds and some rules compare them, so the world must start in the recording's own
fraction of a second. Two clues: an object's creationTimestamp bounds the start from both sides, and an Event's
name ends in the nanoseconds at which it was made, a little before it was seen. The controller manager had been
started some time before; where its loops (the node monitor every 5 s, the pod collector every 20 s) show in the
recording, ours is started in the same phase, as is the round of heart beats. Who calls it: `player`.
"""

from __future__ import annotations

import itertools

from .recording import Command, Record, Recording, Watched
from .trees import condition, text, unix_seconds

NANOSECONDS = 1_000_000_000
# A write is seen by the recorder at most so much later, an Event at least so much (seconds, as recorded).
SEEN_WITHIN = 0.05
EVENT_SEEN_AFTER = 0.002
HEARTBEAT_SECONDS = 10.0
MONITOR_SECONDS, COLLECTOR_SECONDS = 5.0, 20.0
# How long a write takes to be seen after the loop began to look (seconds).
LOOP_SEEN_AFTER = 0.03
# Where nothing tells the phase of the heart beats: soon after the start, so that the silence of a node that is
# stopped two seconds later is noticed when the recordings say.
DEFAULT_PHASE = 0.3


def start_ns(recording: Recording) -> int:
    """Unix time in ns of the recording's t=0."""
    low, high = _bounds(recording)
    clues = [made - record.t for record in recording.records if (made := _event_seconds(record)) is not None]
    start = max(clues, default=0.0) + EVENT_SEEN_AFTER
    if not low <= start <= high:
        start = (low + high) / 2
    return round(start * 1_000_000) * 1000


def _bounds(recording: Recording) -> tuple[float, float]:
    """The earliest and the latest start that the creation times allow, in seconds."""
    low, high = 0.0, float("inf")
    for record in recording.records:
        if isinstance(record, Watched) and record.type == "ADDED":
            stamp = text(record.object, "metadata", "creationTimestamp")
            after, before = SEEN_WITHIN, 0.0
        elif isinstance(record, Command) and record.verb == "POST" and record.status == 201:
            stamp = text(record.response, "metadata", "creationTimestamp")
            after, before = 0.0, record.took
        else:
            continue
        if stamp:
            low = max(low, unix_seconds(stamp) - record.t - before)
            high = min(high, unix_seconds(stamp) + 1 - record.t + after)
    return (low, high) if low <= high < float("inf") else (1_767_225_600.0, 1_767_225_600.0)


def _event_seconds(record: Record) -> float | None:
    """When an Event was made, by its name; None for anything else."""
    if not isinstance(record, Watched) or record.kind != "Event" or record.type != "ADDED":
        return None
    suffix = record.name.rpartition(".")[2]
    is_time = len(suffix) == 16 and all(letter in "0123456789abcdef" for letter in suffix)
    return int(suffix, 16) / NANOSECONDS if is_time else None


def manager_phase(recording: Recording) -> float:
    """When in each 20 s the controller manager's loops begin; 0 where nothing shows it."""
    for record in recording.records:
        if not isinstance(record, Watched):
            continue
        if text(condition(record.object, "DisruptionTarget"), "reason") == "DeletionByPodGC":
            return (record.t - LOOP_SEEN_AFTER) % COLLECTOR_SECONDS
        if record.kind == "Node" and text(condition(record.object, "Ready"), "reason") == "NodeStatusUnknown":
            return (record.t - LOOP_SEEN_AFTER) % MONITOR_SECONDS
    return 0.0


def heartbeat_phase(recording: Recording) -> float:
    """When in each 10 s all nodes renew their leases: where exactly as many unseen writes fall, if that shows."""
    nodes = len(recording.meta.nodes)
    commits = sorted((r for r in recording.records if isinstance(r, Watched)), key=lambda r: r.rv)
    for before, after in itertools.pairwise(commits):
        unseen = after.rv - before.rv - 1
        if nodes and unseen >= nodes and 0 <= after.t - before.t < HEARTBEAT_SECONDS / 2:
            return (before.t + after.t) / 2 % HEARTBEAT_SECONDS
    return DEFAULT_PHASE


def silence_of(recording: Recording, node: str, since: float) -> float:
    """How long a node that joined at `since` had no status (seconds): as the recording shows it, else not at all."""
    reports = (
        record.t - since
        for record in recording.records
        if isinstance(record, Watched)
        and (record.kind, record.name) == ("Node", node)
        and record.t >= since
        and condition(record.object, "Ready")
    )
    return next(reports, 0.0)
