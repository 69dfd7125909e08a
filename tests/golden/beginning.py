"""When a recording began, on the wall clock, to the millisecond; and when in their 10 s the nodes were heard.

Object times are whole seconds and some rules compare them, so the world must start in the recording's own
fraction of a second. Two clues: an object's creationTimestamp bounds the start from both sides, and an Event's
name ends in the nanoseconds at which it was made, a little before it was seen. Who calls it: `player`.
"""

from __future__ import annotations

from .recording import Command, Recording, Watched
from .trees import text, unix_seconds

NANOSECONDS = 1_000_000_000
# A write is seen by the recorder at most so much later, an Event at least so much (seconds, as recorded).
SEEN_WITHIN = 0.05
EVENT_SEEN_AFTER = 0.002
HEARTBEAT_SECONDS = 10.0
# Where nothing tells the phase of the heart beats: soon after the start, so that the silence of a node that is
# stopped two seconds later is noticed when the recordings say.
DEFAULT_PHASE = 0.3


def start_ns(recording: Recording) -> int:
    """Unix time in ns of the recording's t=0."""
    low, high = _bounds(recording)
    clues = [_event_ns(record) - record.t for record in recording.records if _is_event(record)]  # type: ignore[arg-type,union-attr]
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


def _is_event(record: object) -> bool:
    is_new = isinstance(record, Watched) and record.kind == "Event" and record.type == "ADDED"
    return is_new and _suffix(record) != ""  # type: ignore[arg-type]


def _suffix(record: Watched) -> str:
    found = record.name.rpartition(".")[2]
    return found if len(found) == 16 and all(letter in "0123456789abcdef" for letter in found) else ""


def _event_ns(record: Watched) -> float:
    return int(_suffix(record), 16) / NANOSECONDS


def heartbeat_phase(recording: Recording) -> float:
    """When in each 10 s all nodes renew their leases: where exactly as many unseen writes fall, if that shows."""
    nodes = len(recording.meta.nodes)
    commits = sorted((r for r in recording.records if isinstance(r, Watched)), key=lambda r: r.rv)
    for before, after in zip(commits, commits[1:], strict=False):
        unseen = after.rv - before.rv - 1
        if nodes and unseen >= nodes and 0 <= after.t - before.t < HEARTBEAT_SECONDS / 2:
            return (before.t + after.t) / 2 % HEARTBEAT_SECONDS
    return DEFAULT_PHASE
