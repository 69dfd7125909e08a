"""Processes: the components of a world.

A process is one running component. `boot(process)` builds the component anew at each start, from nothing
but the process's disk; a crash loses the rest. Handlers (timers, messages) and trio tasks both belong to
a process's life and die with it. A paused process is frozen as by SIGSTOP: its kernel still acknowledges,
its timers and messages wait, and all of it happens late when it resumes.

The host (`host.py`) gives it its clocks, and nobody but the harness and the god's view may ask `world.now`.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Generic, TypeVar

import trio

from .clock import Clock, Timer
from .disk import Disk, DiskTimes, Unsynced
from .errors import ComponentError, DiskError, LifeEnded, ModelBug, TimedOut, WorldEnded
from .events import ProcessPanicked, ProcessSignalled, ProcessStarted, ProcessStopped

if TYPE_CHECKING:
    from .host import Host
    from .host_clock import HostClock
    from .network import Address, Listener
    from .stream import Connection
    from .world import World

T = TypeVar("T")


class ProcessState(enum.Enum):
    """Where a process is in its life."""

    STOPPED = "stopped"
    RUNNING = "running"
    PAUSED = "paused"
    CRASHED = "crashed"


class Process:
    """One component. It outlives its crashes; `life` counts its starts."""

    def __init__(
        self, world: World, name: str, host: Host, boot: Callable[[Process], object], disk: DiskTimes
    ) -> None:
        self.world = world
        self.name = name
        self.host_name = host.name
        self.disk = Disk(self, disk)
        self.rng: random.Random = world.stream(f"process/{name}")
        self.state = ProcessState.STOPPED
        self.life = 0
        self.starts_with_host = True
        self.restart_after_ns: int | None = None
        self.on_datagram: Callable[[str, object], None] | None = None
        self.on_sigterm: Callable[[], None] | None = None
        self._boot = boot
        self._late: list[tuple[Callable[..., object], tuple[object, ...]]] = []
        self._scopes: dict[int, trio.CancelScope] = {}
        self._scope_count = 0
        self._clock: Clock | HostClock
        self._epoch_ns: int
        self.use_clocks(*host.clocks)

    # -- time and luck

    @property
    def host(self) -> str:
        """The name of the host it runs on."""
        return self.host_name

    @property
    def machine(self) -> Host:
        """The host it runs on."""
        return self.world.hosts[self.host_name]

    @property
    def now(self) -> int:
        """What the host's monotonic clock reads: virtual ns since the world began, unless it has drifted."""
        return self._clock.now

    def monotonic_ns(self) -> int:
        """The same as `now`, by the name that the field knows: for durations, never for dates."""
        return self._clock.now

    def wall_ns(self) -> int:
        """What this process's wall clock reads: Unix time in ns. It may be wrong, and jump either way."""
        return self._epoch_ns + self._clock.now

    def use_clocks(self, monotonic: Clock | HostClock, epoch_ns: int) -> None:
        """Called by the host when its clocks change."""
        self._clock = monotonic
        self._epoch_ns = epoch_ns

    @property
    def is_running(self) -> bool:
        """Running, not paused."""
        return self.state is ProcessState.RUNNING

    @property
    def is_alive(self) -> bool:
        """Running or paused."""
        return self.state is ProcessState.RUNNING or self.state is ProcessState.PAUSED

    # -- timers, tasks, events

    def call_later(self, delay_ns: int, fn: Callable[..., object], *args: object) -> Timer:
        """Call `fn(*args)` after `delay_ns`, unless this life ends first; late if paused then."""
        clock = self._clock
        when_ns = clock.now + delay_ns
        timer = ProcessTimer(self, when_ns, fn, args)
        clock.at(when_ns, timer.fire)
        return timer

    def call_at(self, when_ns: int, fn: Callable[..., object], *args: object) -> Timer:
        """Call `fn(*args)` when `now` is `when_ns`, on the same terms as `call_later`."""
        timer = ProcessTimer(self, when_ns, fn, args)
        self._clock.at(when_ns, timer.fire)
        return timer

    def call_at_world_time(self, when_ns: int, fn: Callable[..., object], *args: object) -> Timer:
        """The same by the world's time: for devices, whose speed no clock of the host decides."""
        timer = DeviceTimer(self, when_ns, fn, args)
        self.world.clock.at(when_ns, timer.fire)
        return timer

    def handle(self, life: int, fn: Callable[..., object], args: tuple[object, ...]) -> None:
        """Let a handler of the given life run: now, later (paused) or never (that life is over)."""
        if life != self.life:
            return
        if self.state is ProcessState.RUNNING:
            try:
                fn(*args)
            except LifeEnded:
                pass
            except WorldEnded:
                raise
            except DiskError as error:
                self.panic(str(error))
            except Exception as error:
                raise ComponentError(self.name, error) from error
        elif self.state is ProcessState.PAUSED:
            self._late.append((fn, args))

    def spawn(
        self, async_fn: Callable[..., Coroutine[object, object, object]], *args: object
    ) -> trio.CancelScope:
        """Start a task of this life; what is returned can `cancel()` it.

        If it raises, the run ends with ComponentError (DiskError: see `panic`).
        """
        if not self.is_alive:
            raise ModelBug(f"{self.name} is {self.state.value} and can't start {async_fn.__qualname__}")
        scope = trio.CancelScope()
        self.world.pump.start_soon(self._task, self.life, scope, async_fn, args)
        return scope

    async def _task(
        self,
        life: int,
        scope: trio.CancelScope,
        async_fn: Callable[..., Coroutine[object, object, object]],
        args: tuple[object, ...],
    ) -> None:
        if life != self.life or not self.is_alive:
            return
        self._scope_count += 1
        number = self._scope_count
        try:
            with scope:
                self._scopes[number] = scope
                await async_fn(*args)
        except LifeEnded:
            pass
        except WorldEnded as error:
            self.world.pump.fail(error)
        except Exception as error:  # noqa: BLE001  # whatever it raised ends the run, by name
            self._task_failed(life, error)
        finally:
            self._scopes.pop(number, None)

    def _task_failed(self, life: int, error: Exception) -> None:
        failed = error if isinstance(error, ExceptionGroup) else ExceptionGroup("", [error])
        if failed.split(DiskError)[1] is None:
            if life == self.life:
                self.panic("; ".join(str(one) for one in failed.exceptions))
            return
        failure = ComponentError(self.name, error)
        failure.__cause__ = error
        self.world.pump.fail(failure)

    async def sleep(self, duration_ns: int) -> None:
        """Wait for `duration_ns` of virtual time: the only way a task lets time pass."""
        task = trio.lowlevel.current_task()
        timer = self.call_later(duration_ns, trio.lowlevel.reschedule, task)

        def abort(_raise: object) -> trio.lowlevel.Abort:
            timer.cancel()
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    def reply(self) -> Reply[T]:
        """A one-shot value that a handler sets and a task of this process waits for."""
        return Reply(self)

    def record(self, event: object) -> None:
        """Write a typed event to the journal. Who listens may kill the process: then this doesn't return."""
        state = self.state
        self.world.journal.record(self.world.clock.now, self.name, event)
        if self.state is not state and not self.is_alive:
            raise LifeEnded

    def mention(self, event: object) -> None:
        """Tell whoever watches from outside of something that isn't worth a place in the journal."""
        self.world.journal.mention(self.world.clock.now, self.name, event)

    # -- life and death

    def start(self) -> None:
        """Begin a life. Does nothing when alive, or when the host has no power."""
        if self.is_alive or not self.machine.is_up:
            return
        self.life += 1
        self.state = ProcessState.RUNNING
        self.record(ProcessStarted(life=self.life))
        self.handle(self.life, self._boot, (self,))

    def crash(self, *, unsynced: Unsynced = Unsynced.LOST) -> None:
        """SIGKILL, and the disk loses (or keeps, or tears) what was not synced; peers see a reset."""
        self.stop("crash", ProcessState.CRASHED, unsynced)

    def exit(self) -> None:
        """The process ends itself; what it wrote stays. Its supervisor restarts it, if it has one."""
        life = self.life
        self.stop("exit", ProcessState.STOPPED, Unsynced.KEPT)
        if self.restart_after_ns is not None:
            self.world.call_later(self.restart_after_ns, self._restart, life)

    def terminate(self) -> None:
        """SIGTERM: it ends as it sees fit, or at once if it has nothing to put in order. A paused one hears it when it goes on."""
        if self.is_alive:
            self.record(ProcessSignalled(signal="SIGTERM"))
            self.handle(self.life, self._take_sigterm, ())

    def _take_sigterm(self) -> None:
        (self.on_sigterm or self.exit)()

    def panic(self, why: str) -> None:
        """The process can't go on (a full disk, a log that makes no sense): it says why and ends itself.

        A DiskError that nobody catches comes here too. The run goes on; `ProcessPanicked` has the reason.
        """
        if self.is_alive:
            self.record(ProcessPanicked(life=self.life, why=why))
            self.exit()

    def _restart(self, life: int) -> None:
        if self.life == life:
            self.start()

    def stop(self, reason: str, state: ProcessState, unsynced: Unsynced) -> None:
        """End this life: what `crash`, `exit` and the host's power cut share."""
        if not self.is_alive:
            return
        self.record(ProcessStopped(life=self.life, reason=reason))
        self.state = state
        self.on_datagram = None
        self.on_sigterm = None
        self._late.clear()
        self.disk.lose_power(unsynced, self.world.stream(f"disk/{self.name}"))
        for scope in list(self._scopes.values()):
            scope.cancel()
        self.world.network.process_ended(self, silent=reason == "power")

    def pause(self) -> None:
        """Freeze, as SIGSTOP or a long collection of garbage does."""
        if self.state is ProcessState.RUNNING:
            self.state = ProcessState.PAUSED

    def resume(self) -> None:
        """Thaw: everything that came due or arrived in the meantime happens now, in order."""
        if self.state is not ProcessState.PAUSED:
            return
        self.state = ProcessState.RUNNING
        late, self._late = self._late, []
        for fn, args in late:
            self.world.clock.at(self.world.clock.now, self.handle, self.life, fn, args)

    # -- network

    def listen(
        self, port: int, on_connect: Callable[[Connection], None], *, ip: str | None = None
    ) -> Listener:
        """Accept connections at `port` of the host's address, or of `ip` (a pod's)."""
        return self.world.network.listen(self, port, on_connect, ip=ip)

    def connect(
        self,
        to: Address,
        *,
        label: str = "",
        timeout_ns: int | None = None,
        on_open: Callable[[], None] | None = None,
        on_message: Callable[[object], None] | None = None,
        on_close: Callable[[str], None] | None = None,
        ip: str | None = None,
    ) -> Connection:
        """Open a connection. Returns at once; what is sent before it is open waits."""
        return self.world.network.connect(
            self,
            to,
            label=label,
            timeout_ns=timeout_ns,
            on_open=on_open,
            on_message=on_message,
            on_close=on_close,
            ip=ip,
        )

    def send(self, to_process: str, message: object) -> None:
        """Send a datagram to another process: it may be lost, doubled or overtaken under faults."""
        if self.state is not ProcessState.RUNNING:  # as in `Connection.send`
            self.handle(self.life, self.send, (to_process, message))
            return
        self.world.network.send(self, to_process, message)

    def __repr__(self) -> str:
        return f"<process {self.name} on {self.host_name}, {self.state.value}, life {self.life}>"


class ProcessTimer(Timer):
    """A timer of one life of a process; one that comes due in a pause waits, and can still be cancelled."""

    __slots__ = ("_life", "process")

    def __init__(
        self, process: Process, when: int, fn: Callable[..., object], args: tuple[object, ...]
    ) -> None:
        self.when = when  # as `Timer` does, without a call more: most of all timers are made here
        self._fn = fn
        self._args = args
        self.process = process
        self._life = process.life

    def fire(self) -> None:
        """Called by the clock, and again when the process resumes."""
        fn = self._fn
        if fn is None:
            return
        process = self.process
        if process.state is ProcessState.PAUSED:
            process.handle(self._life, self.fire, ())
        else:
            self._fn = None
            process.handle(self._life, fn, self._args)


class DeviceTimer(ProcessTimer):
    """The same, due by the world's time."""

    __slots__ = ()


class Reply(Generic[T]):
    """A value that arrives once: a handler sets it, one task waits for it."""

    __slots__ = ("_error", "_is_set", "_process", "_task", "_value")

    def __init__(self, process: Process) -> None:
        self._process = process
        self._is_set = False
        self._value: T | None = None
        self._error: Exception | None = None
        self._task: trio.lowlevel.Task | None = None

    @property
    def is_set(self) -> bool:
        """The value (or the failure) has arrived."""
        return self._is_set

    def set(self, value: T) -> None:
        """Deliver the value. Only the first delivery counts."""
        if not self._is_set:
            self._is_set = True
            self._value = value
            self._wake()

    def fail(self, error: Exception) -> None:
        """Deliver a failure: `wait` raises it."""
        if not self._is_set:
            self._is_set = True
            self._error = error
            self._wake()

    def _wake(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    async def wait(self, timeout_ns: int | None = None) -> T:
        """The value. Raises what `fail` was given, or TimedOut after `timeout_ns`."""
        if not self._is_set:
            await self._park(timeout_ns)
        else:
            await trio.lowlevel.checkpoint()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set() stored a T

    async def _park(self, timeout_ns: int | None) -> None:
        if self._task is not None:
            raise ModelBug("two tasks wait for one reply")
        self._task = trio.lowlevel.current_task()
        timer = None
        if timeout_ns is not None:
            late = TimedOut(f"no answer within {timeout_ns / 1e9:g} s")
            timer = self._process.call_later(timeout_ns, self.fail, late)

        def abort(_raise: object) -> trio.lowlevel.Abort:
            self._task = None
            return trio.lowlevel.Abort.SUCCEEDED

        try:
            await trio.lowlevel.wait_task_rescheduled(abort)
        finally:
            if timer is not None:
                timer.cancel()
