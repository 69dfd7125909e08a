"""A host: a machine that carries processes, has one address and two clocks, and can lose power.

When it loses power its processes die without a word to anybody. They share its clocks, and know no other time:
the monotonic one (`Process.now`) may drift, the wall clock may drift, be off and jump. A timer waits by the
monotonic clock; when its rate changes, timers that are set already change with it.

Not modelled: drift of the kernel's own timers (TCP, disks).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .clock import Callback, Clock
from .disk import Unsynced
from .disturbance import Disturbance
from .errors import UsageError
from .host_clock import MILLION, HostClock
from .process import Process, ProcessState, ProcessTimer

if TYPE_CHECKING:
    from .world import World


class Host:
    """A machine: it carries processes, has one address and two clocks, and can lose power."""

    def __init__(self, world: World, name: str, ip: str) -> None:
        self.world = world
        self.name = name
        self.ip = ip
        self.is_up = True
        self.processes: list[Process] = []
        self.memory: dict[str, object] = {}
        """What the kernel and the container runtime hold: it survives processes, not the power."""
        self.on_power: list[Callable[[bool], None]] = []
        """Told after the power went (False) or came back (True)."""
        self._clock: Clock | HostClock = world.clock
        self._epoch_ns = world.epoch_ns
        self._wall_offset_ns = 0

    def crash(self, *, unsynced: Unsynced = Unsynced.LOST) -> None:
        """Lose power: every process dies without a word, and memory is gone."""
        if not self.is_up:
            return
        self.is_up = False
        for process in self.processes:
            process.stop("power", ProcessState.CRASHED, unsynced)
        self.memory.clear()
        self.world.network.power_lost(self.name)
        for listener in list(self.on_power):
            listener(False)

    def start(self) -> None:
        """Power returns: processes that start with the host do so, in the order they were made."""
        if self.is_up:
            return
        self.is_up = True
        for listener in list(self.on_power):
            listener(True)
        for process in list(self.processes):
            if process.starts_with_host:
                process.start()

    # -- clocks

    @property
    def clocks(self) -> tuple[Clock | HostClock, int]:
        """The monotonic clock, and what it must be added to for the wall clock."""
        return self._clock, self._epoch_ns

    def wall_ns(self) -> int:
        """What this machine's wall clock reads: Unix time in ns."""
        return self._epoch_ns + self._clock.now

    def step_wall(self, by_ns: int) -> Disturbance:
        """The wall clock jumps by so much, back or forth; healed, it jumps back. Timers don't notice."""
        self._shift_wall(by_ns)
        return Disturbance(lambda: self._shift_wall(-by_ns))

    def drift(self, ppm: int) -> Disturbance:
        """Both clocks run fast by `ppm` ns in a million, or slow, below zero; several drifts add up.

        Healed, they run right; when no drift is left, the wall clock is set right too (NTP), and the monotonic
        one keeps what it gained.
        """
        if not -MILLION < self.drift_ppm + ppm:
            raise UsageError(
                f"drift({ppm}) makes the time of {self.name} stand still; it must stay above -{MILLION}"
            )
        self._change_rate(ppm)
        return Disturbance(lambda: self._change_rate(-ppm))

    @property
    def drift_ppm(self) -> int:
        """By how much its clocks run fast just now; below zero, slow."""
        return self._clock.drift_ppm if isinstance(self._clock, HostClock) else 0

    def _shift_wall(self, by_ns: int) -> None:
        self._wall_offset_ns += by_ns
        self._epoch_ns += by_ns
        self._clocks_changed()

    def _change_rate(self, by_ppm: int) -> None:
        clock = self._clock
        if not isinstance(clock, HostClock):
            clock = self._clock = HostClock(self.world.clock)
        clock.run_at(clock.drift_ppm + by_ppm)
        if not clock.drift_ppm:
            self._epoch_ns = self.world.wall_ns() + self._wall_offset_ns - clock.now
        self._clocks_changed()
        self.world.clock.retime(self._due)

    def _clocks_changed(self) -> None:
        for process in self.processes:
            process.use_clocks(self._clock, self._epoch_ns)

    def _due(self, fn: Callback) -> int | None:
        """When a timer of a process of ours is due, at the rate of now."""
        timer = getattr(fn, "__self__", None)
        if type(timer) is not ProcessTimer or timer.process.machine is not self:
            return None
        assert isinstance(self._clock, HostClock), "the rate has changed"
        return self._clock.world_time(timer.when)
