"""trio in guest mode, stepped by hand: a synchronous caller drives asynchronous code on virtual time.

trio asks its clock how long to sleep exactly when no task can run (`deadline_to_sleep_time`). There this
file lets the world's heap run. When the horizon is reached it answers "idle" and the pump stops, without
a thread and without a real sleep. Called by `World` alone.

This is the only file that knows trio's private switches; `tests/sim/test_pump.py` is their canary:
- `_ALLOW_DETERMINISTIC_SCHEDULING` and `_r`: order of a batch of runnable tasks;
- the runner's `runq`: has a callback made a task runnable?
"""

from __future__ import annotations

import math
import signal
import threading
from collections import deque
from collections.abc import Callable
from types import FrameType

import trio
import trio.abc
import trio.lowlevel
from trio._core import _run as trio_run

from .clock import Clock
from .errors import Blocked, Livelock, ModelBug, UsageError

TURNS_AT_ONE_INSTANT_MAX = 200_000
"""Batches of tasks at one virtual instant before the world is called a livelock."""

WALL_SECONDS_MAX = 10.0
"""Real seconds that one callback or task step may hold the interpreter."""

_alive = threading.local()


class _TrioClock(trio.abc.Clock):
    """What trio sees: seconds as a float, and the hook that runs the world."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump

    def start_clock(self) -> None:
        pass

    def current_time(self) -> float:
        return self._pump.clock.now / 1e9

    def deadline_to_sleep_time(self, deadline: float) -> float:
        self._pump.nothing_runnable(deadline)
        return 0.0


class Pump:
    """Steps one trio run. One is alive per thread, and it must be closed."""

    def __init__(self, clock: Clock, seed: int) -> None:
        if getattr(_alive, "pump", None) is not None:
            raise UsageError("a world is alive in this thread already; close it before building another")
        self.clock = clock
        self.failure: BaseException | None = None
        self._queue: deque[Callable[[], object]] = deque()
        self._idle = False
        self._done = False
        self._is_interrupted = False
        self._progress = 0
        self._runq: deque[trio.lowlevel.Task] = deque()
        self._nursery: trio.Nursery | None = None
        self._switches = (trio_run._ALLOW_DETERMINISTIC_SCHEDULING, trio_run._r.getstate())
        trio_run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]  # trio's own switch is Final
        trio_run._r.seed(seed)
        _alive.pump = self
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._queue.append,
            run_sync_soon_not_threadsafe=self._queue.append,
            done_callback=self._finished,
            host_uses_signal_set_wakeup_fd=True,
            clock=_TrioClock(self),
        )
        self.run_to(0)

    async def _main(self) -> None:
        self._runq = trio_run.GLOBAL_RUN_CONTEXT.runner.runq
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            await trio.sleep_forever()

    def _finished(self, outcome: object) -> None:
        self._done = True
        error = getattr(outcome, "error", None)
        if isinstance(error, BaseExceptionGroup):
            error = error.subgroup(KeyboardInterrupt)
        # trio takes Ctrl-C for itself and ends its main task with it.
        self._is_interrupted = error is not None and not isinstance(error, Exception)

    def start_soon(self, async_fn: Callable[..., object], *args: object) -> None:
        """Start a task in the world."""
        assert self._nursery is not None
        self._nursery.start_soon(async_fn, *args)  # type: ignore[arg-type]  # any coroutine function

    def run_to(self, horizon: int) -> None:
        """Let everything happen that is due up to `horizon` (virtual ns). Raises the world's failure."""
        if self.failure is not None:
            raise self.failure
        self.clock.horizon = horizon
        self._idle = False
        with WallWatch(self):
            self._turn_until_idle()
        if self._is_interrupted:
            raise KeyboardInterrupt
        if self.failure is not None:
            raise self.failure

    def _turn_until_idle(self) -> None:
        queue = self._queue
        turns, instant = 0, -1
        while not self._idle and not self._done:
            if not queue:
                raise ModelBug("trio's guest run has nothing to do and is not idle")
            self._progress += 1
            queue.popleft()()
            if self.clock.now != instant:
                turns, instant = 0, self.clock.now
            else:
                turns += 1
                if turns > TURNS_AT_ONE_INSTANT_MAX:
                    self.failure = Livelock(
                        f"tasks go on waking each other at {instant} ns and time stands still"
                    )
                    return

    def nothing_runnable(self, deadline: float) -> None:
        """The hook: run the heap, then a deadline of trio's, whichever is first, up to the horizon."""
        clock = self.clock
        if self.failure is not None or self._done:
            self._idle = True
            return
        trio_due = math.ceil(deadline * 1e9) if deadline < 1e18 else None
        until = clock.horizon if trio_due is None else min(clock.horizon, trio_due)
        try:
            if clock.run_due(until, self._runq):
                return
        except BaseException as error:  # noqa: BLE001  # an exception here would tear trio's own loop
            self.failure = error
            self._idle = True
            return
        if trio_due is not None and trio_due <= clock.horizon:
            clock.move_to_deadline(deadline)
            return
        clock.move_to(clock.horizon)
        self._idle = True

    def fail(self, error: BaseException) -> None:
        """A task raised: the world ends with this, at the next chance to stop."""
        if self.failure is None:
            self.failure = error
        self.clock.horizon = -1

    def close(self) -> None:
        """Cancel every task and end the trio run. Safe to call twice."""
        if _alive.__dict__.get("pump") is not self:
            return
        self.clock.horizon = -1
        try:
            if self._nursery is not None:
                self._nursery.cancel_scope.cancel()
            for _ in range(TURNS_AT_ONE_INSTANT_MAX):
                if self._done or not self._queue:
                    break
                self._queue.popleft()()
        finally:
            deterministic, state = self._switches
            trio_run._ALLOW_DETERMINISTIC_SCHEDULING = deterministic  # type: ignore[misc]  # as above
            trio_run._r.setstate(state)
            _alive.pump = None
        if not self._done:
            raise ModelBug(
                "a task refuses to end after its world was closed; does it swallow trio.Cancelled?"
            )


class WallWatch:
    """Raises Blocked into code that holds the interpreter for too long, where signals can be had.

    On a machine with too much to do time passes without us: only code that computes, or waits for something, is to blame.
    """

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._seen: tuple[int, int, int] | None = None
        self._began = (0.0, 0)
        self._old: object = None
        self._on = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGALRM")

    def __enter__(self) -> None:
        if self._on and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0):
            self._old = signal.signal(signal.SIGALRM, self._alarm)
            signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS_MAX, WALL_SECONDS_MAX)
        else:
            self._on = False

    def __exit__(self, *_: object) -> None:
        if self._on:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._old)  # type: ignore[arg-type]  # what signal() returned

    def _alarm(self, _signum: int, frame: FrameType | None) -> None:
        progress = (self._pump._progress, self._pump.clock.now, self._pump.clock._seq)
        computed, waits = _used()
        is_same = progress == self._seen
        if is_same and (computed - self._began[0] > WALL_SECONDS_MAX / 2 or waits > self._began[1]):
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "unknown place"
            raise Blocked(
                f"code at {where} has held the interpreter for over {WALL_SECONDS_MAX:.0f} real seconds; "
                "simulated code waits with process.sleep, never with time.sleep or a busy loop"
            )
        if not is_same:
            self._seen, self._began = progress, (computed, waits)


def _used() -> tuple[float, int]:
    """Seconds of processor time that this process has had, and how often it gave the processor away."""
    import resource  # there are no signals to ask for it where this module isn't

    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, usage.ru_nvcsw
