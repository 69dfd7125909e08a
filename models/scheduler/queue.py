"""The scheduling queue: who is tried next, who waits, and what brings a waiting pod back. Pure.

Three places (pkg/scheduler/backend/queue/scheduling_queue.go): *active*, by priority and then by the time
of queueing; *back-off*, for pods that are worth another try but failed a moment ago; *unschedulable*, for
pods that nothing has happened for yet. A pod goes from unschedulable to the others only when a plugin that
rejected it says that an event may help it, or after five minutes. Events that arrive while a pod is being
tried are kept, and looked at if it fails. Gated pods stay among the unschedulable.

When active is empty, `pop` takes the best pod from back-off before its time, unless it is there because
of an error (feature SchedulerPopFromBackoffQ). The shell in `shell.py` owns the clock: it passes `now`,
asks `next_wake()` and calls `flush`; when no pod waits there is no wake.

Not modelled: nominated pods (they come with preemption).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from attrs import define, field

from chaoskube.models.constants import (
    POD_BACKOFF_INITIAL,
    POD_BACKOFF_MAX,
    UNSCHEDULABLE_FLUSH_PERIOD,
    UNSCHEDULABLE_MAX,
)
from chaoskube.models.objects import Pod
from chaoskube.models.scheduler.framework import OWN, ClusterEvent, Plugin
from chaoskube.models.scheduler.nodes import PodInfo
from chaoskube.sim import SECOND, reached

# pkg/scheduler/apis/config/v1/defaults.go: podInitialBackoffSeconds, podMaxBackoffSeconds.
# pkg/scheduler/backend/queue/scheduling_queue.go and backoff_queue.go.
BACKOFF_WINDOW = 1 * SECOND


@define(kw_only=True, eq=False)
class QueuedPod:
    """A pod that waits, and what its earlier tries came to."""

    info: PodInfo
    seq: int
    timestamp: int
    first_seen: int
    unschedulable_count: int = 0
    errors_count: int = 0
    attempts: int = 0
    rejected_by: tuple[str, ...] = ()
    gate: str | None = None

    @property
    def key(self) -> str:
        """namespace/name."""
        return self.info.key

    @property
    def backoff_ends(self) -> int:
        """When the penalty of the last failure is over: the first whole second after its window.

        (backoff_queue.go, isPodBackingoff: in the window in which the penalty ends it still counts)
        """
        count = self.errors_count or self.unschedulable_count
        if count == 0:
            return 0
        penalty = min(POD_BACKOFF_INITIAL << min(count - 1, 10), POD_BACKOFF_MAX)
        return self.timestamp - self.timestamp % BACKOFF_WINDOW + penalty + BACKOFF_WINDOW

    def active_order(self) -> tuple[int, int, int]:
        """PrioritySort; the sequence breaks ties of one instant."""
        return (-self.info.priority, self.timestamp, self.seq)

    def backoff_order(self) -> tuple[int, ...]:
        """The earliest end first, then as in active."""
        return (self.backoff_ends, *self.active_order())


@define(eq=False)
class _Heap:
    """A heap by key with removal; what was removed stays in the list until it surfaces."""

    members: dict[str, QueuedPod] = field(factory=dict)
    entries: list[tuple[tuple[int, ...], str]] = field(factory=list)

    def push(self, order: tuple[int, ...], queued: QueuedPod) -> None:
        self.members[queued.key] = queued
        heapq.heappush(self.entries, (order, queued.key))

    def peek(self) -> tuple[tuple[int, ...], QueuedPod] | None:
        while self.entries:
            order, key = self.entries[0]
            queued = self.members.get(key)
            if queued is not None and order[-1] == queued.seq:
                return order, queued
            heapq.heappop(self.entries)
        return None

    def pop(self) -> QueuedPod | None:
        found = self.peek()
        return None if found is None else self.members.pop(found[1].key)


class SchedulingQueue:
    """All pods of this scheduler that are not assigned yet."""

    def __init__(self, plugins: Sequence[Plugin], *, started: int = 0) -> None:
        self._plugins = {each.name: each for each in plugins}
        self._started = started
        self._active = _Heap()
        self._backoff = _Heap()
        self._errors = _Heap()
        self._unschedulable: dict[str, QueuedPod] = {}
        self._in_flight: dict[str, int] = {}
        self._events: list[ClusterEvent] = []
        self._events_dropped = 0
        self._seq = 0

    # What the informers say

    def add(self, pod: Pod, now: int) -> None:
        """A pod without a node has appeared."""
        self._place(QueuedPod(info=PodInfo.of(pod), seq=0, timestamp=now, first_seen=now), now)

    def update(self, pod: Pod, events: Sequence[ClusterEvent], now: int) -> None:
        """A waiting pod changed; `events` are the OWN happenings that the change amounts to."""
        if pod.uid in self._in_flight:
            self._events.extend(events)
            return
        queued = self._find(pod.key)
        if queued is None:
            self.add(pod, now)
            return
        queued.info = PodInfo.of(pod)
        if pod.key in self._unschedulable and any(self._may_help(queued, event) for event in events):
            del self._unschedulable[pod.key]
            self._place(queued, now)

    def delete(self, key: str) -> None:
        """A waiting pod is gone, or was assigned by somebody."""
        for heap in (self._active, self._backoff, self._errors):
            heap.members.pop(key, None)
        self._unschedulable.pop(key, None)

    def happened(self, event: ClusterEvent, now: int) -> None:
        """Something changed in the cluster: bring back the pods that it may help."""
        if self._in_flight:
            self._events.append(event)
        for queued in list(self._unschedulable.values()):
            if self._may_help(queued, event):
                del self._unschedulable[queued.key]
                self._place(queued, now)

    # What the scheduling cycle does

    def pop(self) -> QueuedPod | None:
        """The next pod to try, in flight from now on until `done` or `failed`."""
        queued = self._active.pop()
        if queued is None:
            queued = self._backoff.pop()
            if queued is not None:
                reached("scheduler: popped from back-off before its end")
        if queued is None:
            return None
        queued.attempts += 1
        queued.rejected_by = ()
        self._in_flight[queued.info.uid] = self._events_dropped + len(self._events)
        return queued

    def done(self, uid: str) -> None:
        """The pod is no longer being tried; events before the oldest one in flight are forgotten."""
        self._in_flight.pop(uid, None)
        keep_from = min(self._in_flight.values(), default=self._events_dropped + len(self._events))
        del self._events[: keep_from - self._events_dropped]
        self._events_dropped = keep_from

    def failed(self, queued: QueuedPod, pod: Pod, rejected_by: tuple[str, ...], now: int) -> None:
        """The try came to nothing: rejected by these plugins, or by none of them, which is an error.

        `pod` is the pod as the cache has it now. (AddUnschedulableIfNotPresent)
        """
        uid = queued.info.uid
        start = self._in_flight.get(uid)
        missed = [] if start is None else self._events[start - self._events_dropped :]
        self.done(uid)
        if self._find(pod.key) is not None:
            return
        queued.info = PodInfo.of(pod)
        queued.rejected_by = rejected_by
        queued.timestamp = now
        if rejected_by:
            queued.unschedulable_count += 1
            queued.errors_count = 0
        else:
            queued.errors_count += 1
        if not rejected_by or any(self._may_help(queued, event) for event in missed):
            reached("scheduler: failed pod goes to back-off at once")
            self._place(queued, now)
        else:
            self._unschedulable[queued.key] = queued

    # Time

    def next_wake(self) -> int | None:
        """When `flush` has something to do if nothing else happens before."""
        wakes = [found[0][0] for found in (self._errors.peek(), self._backoff.peek()) if found is not None]
        waiting = [queued.timestamp for queued in self._unschedulable.values() if queued.gate is None]
        if waiting:
            past = min(waiting) + UNSCHEDULABLE_MAX - self._started
            ticks = past // UNSCHEDULABLE_FLUSH_PERIOD + 1
            wakes.append(self._started + ticks * UNSCHEDULABLE_FLUSH_PERIOD)
        return min(wakes, default=None)

    def flush(self, now: int) -> None:
        """Move on whoever has served its back-off, and whoever has waited five minutes for nothing."""
        for heap in (self._errors, self._backoff):
            while (found := heap.peek()) is not None and found[0][0] <= now:
                heap.pop()
                self._to_active(found[1])
        for queued in list(self._unschedulable.values()):
            if queued.gate is None and now - queued.timestamp > UNSCHEDULABLE_MAX:
                reached("scheduler: unschedulable for five minutes")
                del self._unschedulable[queued.key]
                self._place(queued, now)

    # For reports and tests

    def place_of(self, key: str) -> str | None:
        """active, backoff, unschedulable, gated, or None when the pod is nowhere (or in flight)."""
        if key in self._active.members:
            return "active"
        if key in self._backoff.members or key in self._errors.members:
            return "backoff"
        queued = self._unschedulable.get(key)
        if queued is None:
            return None
        return "unschedulable" if queued.gate is None else "gated"

    @property
    def has_work(self) -> bool:
        """Whether `pop` would answer with a pod."""
        return bool(self._active.members or self._backoff.members)

    # Helpers

    def _find(self, key: str) -> QueuedPod | None:
        for heap in (self._active, self._backoff, self._errors):
            if key in heap.members:
                return heap.members[key]
        return self._unschedulable.get(key)

    def _may_help(self, queued: QueuedPod, event: ClusterEvent) -> bool:
        if event.what in OWN and event.pod.uid != queued.info.uid:
            return False
        rejectors = (queued.gate,) if queued.gate is not None else queued.rejected_by
        return any(self._plugins[name].may_help(queued.info, event) for name in rejectors)

    def _place(self, queued: QueuedPod, now: int) -> None:
        """Where a pod that is worth a try belongs: gated, in back-off, or active."""
        queued.gate = next(
            (each.name for each in self._plugins.values() if each.pre_enqueue(queued.info.pod) is not None),
            None,
        )
        if queued.gate is not None:
            self._unschedulable[queued.key] = queued
        elif queued.backoff_ends > now:
            self._seq += 1
            queued.seq = self._seq
            heap = self._errors if queued.errors_count else self._backoff
            heap.push(queued.backoff_order(), queued)
        else:
            self._to_active(queued)

    def _to_active(self, queued: QueuedPod) -> None:
        self._seq += 1
        queued.seq = self._seq
        self._active.push(queued.active_order(), queued)
