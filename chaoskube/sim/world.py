"""One deterministic run: puts the parts together and lets time pass.

    with World(seed=0) as world:
        world.add_host("node-1")
        world.process("echo", host="node-1", boot=boot).start()
        world.advance(seconds(10))

One world is alive per thread; close it (or use `with`) before building the next.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from types import TracebackType
from typing import Self

from . import marks
from .clock import Clock, Timer
from .disk import DiskTimes
from .errors import Stuck, UsageError
from .host import Host
from .journal import Journal
from .network import LinkTimes, Network
from .process import Process, ProcessState
from .pump import Pump, WallWatch
from .streams import Streams
from .units import SECOND

EPOCH_NS = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z: what wall clocks read when a world begins, unless it says otherwise."""


class World:
    """Virtual clock, luck, network, hosts, processes and journal of one run."""

    def __init__(
        self,
        *,
        seed: int = 0,
        epoch_ns: int = EPOCH_NS,
        links: LinkTimes | None = None,
        keep_lines: bool = False,
    ) -> None:
        if not __debug__:
            raise UsageError("chaoskube checks itself with assert; run Python without -O")
        self.seed = seed
        self.epoch_ns = epoch_ns
        self.journal = Journal(keep_lines=keep_lines)
        self.clock = Clock(self.journal)
        self.streams = Streams(seed)
        self.hosts: dict[str, Host] = {}
        self.processes: dict[str, Process] = {}
        self.network = Network(self, links if links is not None else LinkTimes())
        self.stopped: object | None = None
        """Why the run was stopped by `stop`, or None."""
        self.marks = marks.start_counting()
        try:
            self.pump = Pump(self.clock, seed)
        except BaseException:
            marks.stop_counting(self.marks)
            raise

    # -- time and luck

    @property
    def now(self) -> int:
        """Virtual ns since the world began."""
        return self.clock.now

    def wall_ns(self) -> int:
        """Unix time in ns."""
        return self.epoch_ns + self.clock.now

    def stream(self, name: str) -> random.Random:
        """The named random stream of this run."""
        return self.streams.get(name)

    # -- what there is

    def add_host(self, name: str) -> Host:
        """A machine with an address of its own. The same name gives the same machine."""
        host = self.hosts.get(name)
        if host is None:
            number = len(self.hosts) + 1
            host = self.hosts[name] = Host(self, name, f"192.168.{number // 250}.{number % 250 + 1}")
            self.network.assign_ip(host.ip, name)
        return host

    def host(self, name: str) -> Host:
        """The machine called `name`. Raises UsageError when there is none."""
        try:
            return self.hosts[name]
        except KeyError:
            raise UsageError(f"there is no host {name!r}; hosts: {', '.join(self.hosts)}") from None

    def process(
        self, name: str, *, host: str, boot: Callable[[Process], object], disk: DiskTimes | None = None
    ) -> Process:
        """A new process, not yet started, on `host` (which is added when it is new)."""
        if name in self.processes:
            raise UsageError(f"there is a process called {name!r} already")
        machine = self.add_host(host)
        process = Process(self, name, machine, boot, disk if disk is not None else DiskTimes())
        machine.processes.append(process)
        self.processes[name] = process
        return process

    def remove_process(self, name: str) -> None:
        """Forget a process that has ended (a container that is gone). Raises UsageError while it lives."""
        process = self.processes[name]
        if process.is_alive:
            raise UsageError(f"{name} is alive; end it first")
        del self.processes[name]
        process.machine.processes.remove(process)

    # -- letting time pass

    def call_later(self, delay_ns: int, fn: Callable[..., object], *args: object) -> Timer:
        """A timer of the harness: it belongs to no process and nothing delays it."""
        return self.clock.timer(self.clock.now + delay_ns, fn, args)

    def advance(self, duration_ns: int) -> None:
        """Let virtual time pass. Returns early when `stop` was called.

        Raises a WorldEnded: ComponentError, Livelock, Stuck or Blocked.
        """
        self._run_to(self.clock.now + duration_ns)

    def run_until(self, condition: Callable[[], bool], limit_ns: int, step_ns: int = SECOND // 10) -> bool:
        """Let time pass until `condition()` holds, asked every `step_ns`; False when the limit came first."""
        end = self.clock.now + limit_ns
        while not condition():
            if self.clock.now >= end or self.stopped is not None:
                return False
            self._run_to(min(end, self.clock.now + step_ns))
        return True

    def watched(self) -> WallWatch:
        """A context in which code that never comes to an end raises Blocked, also while no time passes."""
        return WallWatch(self.pump)

    def _run_to(self, horizon: int) -> None:
        if self.stopped is not None:
            return
        self.pump.run_to(horizon)
        if self.stopped is None and self.clock.next_due is None and self._anybody_alive():
            raise Stuck(self._stuck_reason())

    def _anybody_alive(self) -> bool:
        return any(process.is_alive for process in self.processes.values())

    def _stuck_reason(self) -> str:
        paused = [one.name for one in self.processes.values() if one.state is ProcessState.PAUSED]
        alive = [one.name for one in self.processes.values() if one.is_alive]
        waiting = f"; paused: {', '.join(paused)}" if paused else ""
        return (
            f"nothing can ever run again after {self.clock.now / SECOND:g} s: no timer and no message is left, "
            f"and {', '.join(alive)} {'wait' if len(alive) > 1 else 'waits'} for ever{waiting}"
        )

    def stop(self, why: object) -> None:
        """End the run at this instant (an invariant broke). Only the first reason is kept."""
        if self.stopped is None:
            self.stopped = why
        self.clock.horizon = -1

    # -- the end

    def close(self) -> None:
        """Cancel every task and give the thread back. Safe to call twice."""
        try:
            self.pump.close()
        finally:
            marks.stop_counting(self.marks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
