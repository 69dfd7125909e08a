"""Virtual time in whole nanoseconds, and the heap of due things.

Everything that will happen is an entry `(when, sequence, function, arguments)`; equal times go by
sequence, so nothing depends on addresses. `run_due` is the innermost loop of the whole simulation: it
pops and calls until a callback has made a trio task runnable, or the horizon is reached. `pump.py` calls
it from the one place where trio says that no task can run.

This is the one true time; what a host's own clocks show stands in `host_clock.py` and `process.py`.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sized
from typing import Final

from .errors import Livelock
from .journal import Journal

AT_ONE_INSTANT_MAX: Final = 200_000
"""Callbacks at one virtual instant before the world is called a livelock."""

TICKS_KEPT_MAX: Final = 8192
"""How much of what came due is kept before it is hashed in one go."""

Callback = Callable[..., object]


class Timer:
    """A due thing that can be cancelled."""

    __slots__ = ("_args", "_fn", "when")

    def __init__(self, when: int, fn: Callback, args: tuple[object, ...]) -> None:
        self.when = when
        self._fn: Callback | None = fn
        self._args = args

    @property
    def active(self) -> bool:
        """It has neither fired nor been cancelled."""
        return self._fn is not None

    def cancel(self) -> None:
        """It will not fire. Cancelling twice, or after it fired, does nothing."""
        self._fn = None

    def fire(self) -> None:
        """Called by the clock."""
        fn = self._fn
        if fn is not None:
            self._fn = None
            fn(*self._args)


class Clock:
    """The time of one world and what is due in it."""

    __slots__ = ("_heap", "_seq", "_streak", "horizon", "journal", "now")

    def __init__(self, journal: Journal) -> None:
        self.now = 0
        self.horizon = 0
        self.journal = journal
        self._heap: list[tuple[int, int, Callback, tuple[object, ...]]] = []
        self._seq = 0
        self._streak = 0

    def at(self, when: int, fn: Callback, *args: object) -> None:
        """Call `fn(*args)` at `when` (not before now). Cheapest form: it can't be cancelled."""
        self._seq = seq = self._seq + 1
        if when < self.now:  # noqa: PLR1730  # max() costs twice as much, here where everything goes through
            when = self.now
        heapq.heappush(self._heap, (when, seq, fn, args))

    def timer(self, when: int, fn: Callback, args: tuple[object, ...]) -> Timer:
        """The same as `at`, with a handle to cancel it."""
        timer = Timer(when, fn, args)
        self.at(when, timer.fire)
        return timer

    def retime(self, due: Callable[[Callback], int | None]) -> None:
        """Move entries: `due(fn)` is the new time of an entry, None leaves it where it is. Slow, and rare."""
        heap = self._heap
        for place, (_, seq, fn, args) in enumerate(heap):
            when = due(fn)
            if when is not None:
                heap[place] = (max(when, self.now), seq, fn, args)
        heapq.heapify(heap)

    @property
    def next_due(self) -> int | None:
        """When the next entry is due, or None when nothing is left."""
        return self._heap[0][0] if self._heap else None

    def run_due(self, until: int, runnable: Sized) -> bool:
        """Call what is due up to `until`, in order, until a task became runnable.

        True: a task can run now. False: nothing is due any more up to `until`; time stands where it was.
        Raises Livelock, and whatever a callback raises.
        """
        heap = self._heap
        ticks = self.journal.ticks
        tick = ticks.append
        pop = heapq.heappop
        streak = self._streak
        now = self.now
        while heap and not runnable:
            when, seq, fn, args = heap[0]
            if when > until or when > self.horizon:
                break
            pop(heap)
            if when == now:
                streak += 1
                if streak > AT_ONE_INSTANT_MAX:
                    raise Livelock(
                        f"{streak} callbacks at {now} ns and time stands still; the last is {_name(fn)}"
                    )
            else:
                self.now = now = when
                streak = 0
            tick(when)
            tick(seq)
            fn(*args)
        self._streak = streak
        if len(ticks) >= TICKS_KEPT_MAX:
            self.journal.flush()
        return bool(runnable)

    def move_to(self, when: int) -> None:
        """Let time pass to `when` with nothing due in between."""
        if when > self.now:
            self.now = when
            self._streak = 0

    def move_to_deadline(self, deadline_s: float) -> None:
        """Let time pass to a deadline of trio's (seconds as a float), never short of it."""
        when = math.ceil(deadline_s * 1e9)
        while when / 1e9 < deadline_s:
            when += 1
        self.move_to(when)


def _name(fn: Callback) -> str:
    owner = getattr(fn, "__self__", None)
    inner = getattr(owner, "_fn", None) or fn
    return str(getattr(inner, "__qualname__", type(fn).__name__))
