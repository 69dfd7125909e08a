"""The kubelet's probes: one `ProbeWorker` for each probe of each container, on timers.

A worker ticks at a fixed period from the moment the pod's worker made it, whether its container runs or not;
a readiness probe that hasn't run since its container started runs at once and ticks from there. An attempt
connects to the container's address (or runs a command in it) and is counted by `node/probes.py`. When a
result flips, the pod's worker is told.

Sources: `pkg/kubelet/prober/worker.go`, `pkg/kubelet/prober/prober_manager.go`. A kubelet that restarts keeps what
the API says of containers that run already (ChangeContainerStatusOnKubeletRestart is off since 1.35).

Not modelled: a random delay of the first tick after the kubelet's start (workers start at once).
"""

from collections.abc import Callable, Iterable

from attrs import evolve

from chaoskube.models.container import HttpRequest, HttpResponse, port_number
from chaoskube.models.node.events import ProbeFlipped
from chaoskube.models.node.probes import Outcome, ProbeKind, ProbeState, ProbeTiming, is_due, observe
from chaoskube.models.node.runtime import ContainerRuntime
from chaoskube.models.node.sandbox import ContainerRecord
from chaoskube.models.objects import Container, Pod, Probe
from chaoskube.sim import SECOND, Address, Connection, Process, Timer, seconds


class Prober:
    """All probes of one node."""

    def __init__(self, process: Process, runtime: ContainerRuntime, on_flip: Callable[[str], None]) -> None:
        self._process = process
        self._runtime = runtime
        self._on_flip = on_flip
        self._workers: dict[tuple[str, str, ProbeKind], ProbeWorker] = {}
        self.life = process.life
        """The life of the kubelet that these probes belong to."""

    def add_pod(self, pod: Pod) -> None:
        """Start the probes of the pod's containers that aren't running yet."""
        for container in (*pod.spec.containers, *pod.spec.init_containers):
            for kind, probe in probes_of(container):
                key = (pod.uid, container.name, kind)
                if key not in self._workers:
                    self._workers[key] = ProbeWorker(self, pod, container, kind, probe)

    def stop_liveness_and_startup(self, uid: str) -> None:
        """The pod terminates: only readiness goes on."""
        self._stop(key for key in self._workers if key[0] == uid and key[2] is not ProbeKind.READINESS)

    def remove_pod(self, uid: str) -> None:
        """Stop all probes of the pod."""
        self._stop(key for key in self._workers if key[0] == uid)

    def _stop(self, keys: Iterable[tuple[str, str, ProbeKind]]) -> None:
        for key in list(keys):
            self._workers.pop(key).stop()

    # -- results, for the pod's status and its worker

    def is_started(self, uid: str, record: ContainerRecord) -> bool:
        """The container's startup probe has succeeded, or it has none."""
        worker = self._workers.get((uid, record.name, ProbeKind.STARTUP))
        return worker is None or worker.result(record) is True

    def is_ready(self, uid: str, record: ContainerRecord) -> bool:
        """The container's readiness probe succeeds, or it has none."""
        worker = self._workers.get((uid, record.name, ProbeKind.READINESS))
        if worker is None:
            return True
        worker.run_at_once_if_new(record)
        return worker.result(record) is True

    def must_die(self, uid: str, record: ContainerRecord) -> ProbeKind | None:
        """Which probe wants the container killed, if any."""
        for kind in (ProbeKind.STARTUP, ProbeKind.LIVENESS):
            worker = self._workers.get((uid, record.name, kind))
            if worker is not None and worker.result(record) is False:
                return kind
        return None

    # -- for workers

    @property
    def process(self) -> Process:
        """The kubelet."""
        return self._process

    @property
    def runtime(self) -> ContainerRuntime:
        """Where containers run."""
        return self._runtime

    def flipped(self, worker: "ProbeWorker", record: ContainerRecord) -> None:
        """A probe's result has changed."""
        result = worker.result(record)
        self._process.record(
            ProbeFlipped(
                pod=worker.pod.key,
                container=record.name,
                node=self._process.host,
                probe=worker.kind.value,
                success=bool(result),
            )
        )
        self._on_flip(worker.pod.uid)


class ProbeWorker:
    """One probe of one container, over all its restarts."""

    def __init__(self, prober: Prober, pod: Pod, container: Container, kind: ProbeKind, probe: Probe) -> None:
        self.pod = pod
        self.kind = kind
        self._prober = prober
        self._container = container
        self._probe = probe
        self._timing = timing_of(probe)
        self._state = ProbeState.fresh(kind, self._timing)
        self._container_id = ""
        self._attempt: Connection | None = None
        self._attempts = 0
        self._is_busy = False
        self._timeout: Timer | None = None
        self._series = 0
        self._tick_now()

    def stop(self) -> None:
        """No more ticks; an attempt under way counts for nothing."""
        self._series += 1
        self._timer.cancel()
        self._end_attempt()

    def result(self, record: ContainerRecord) -> bool | None:
        """The result for this run of the container."""
        self._meet(record)
        return self._state.result

    def run_at_once_if_new(self, record: ContainerRecord) -> None:
        """A container that has started since the last tick is probed now, and ticks from now."""
        if record.id != self._container_id:
            self._meet(record)
            self._timer.cancel()
            self._tick_now()

    def _meet(self, record: ContainerRecord) -> None:
        """Start anew for a new run of the container."""
        if record.id == self._container_id:
            return
        self._container_id = record.id
        self._end_attempt()
        self._state = ProbeState.fresh(self.kind, self._timing)
        known = self._known_result(record)
        if known is not None:
            self._state = evolve(self._state, result=known)

    def _known_result(self, record: ContainerRecord) -> bool | None:
        """What the API says of a container that ran before this kubelet did."""
        for status in (*self.pod.status.container_statuses, *self.pod.status.init_container_statuses):
            if status.container_id == record.id and status.state.running is not None:
                if self.kind is ProbeKind.READINESS:
                    return status.ready
                if self.kind is ProbeKind.STARTUP:
                    return status.started or None
        return None

    # -- ticks and attempts

    def _tick_now(self) -> None:
        """Begin a new series of ticks; one of an earlier series may be on its way in a frozen kubelet."""
        self._series += 1
        self._timer = self._prober.process.call_later(0, self._tick, self._series)

    def _tick(self, series: int) -> None:
        if series != self._series:
            return
        self._timer = self._prober.process.call_later(self._timing.period_ns, self._tick, series)
        sandbox = self._prober.runtime.sandboxes.get(self.pod.uid)
        record = sandbox.current.get(self._container.name) if sandbox is not None else None
        if sandbox is None or record is None:
            return
        self._meet(record)
        if not record.is_running:
            if self._state.result is not False:
                self._state = evolve(self._state, result=False)
            return
        startup = self.kind is ProbeKind.STARTUP
        started = self._state.result is True if startup else self._prober.is_started(self.pod.uid, record)
        running_for_ns = self._prober.process.wall_ns() - record.started_ns
        if self._is_busy or not is_due(
            self._state, running_for_ns=running_for_ns, started=started, terminating=False
        ):
            return
        self._begin_attempt(record, sandbox.ip)

    def _begin_attempt(self, record: ContainerRecord, ip: str) -> None:
        process = self._prober.process
        self._attempts += 1
        number = self._attempts
        self._is_busy = True
        self._timeout = process.call_later(self._timing.timeout_ns, self._ended, number, record, False)
        probe = self._probe
        if probe.exec is not None:
            self._prober.runtime.exec(
                self.pod.uid,
                record.name,
                probe.exec.command,
                lambda code: self._exec_ended(number, record, code),
            )
            return
        port = _port_of(probe, self._container)
        if port is None:
            self._ended(number, record, None)
            return
        is_http = probe.tcp_socket is None
        self._attempt = process.connect(
            Address(ip, port),
            label="probe",
            timeout_ns=self._timing.timeout_ns,
            on_open=None if is_http else lambda: self._ended(number, record, True),
            on_message=lambda message: self._ended(number, record, _is_success(message)),
            on_close=lambda _reason: self._ended(number, record, False),
        )
        if is_http:
            path = probe.http_get.path if probe.http_get is not None else "grpc.health.v1.Health/Check"
            self._attempt.send(HttpRequest(path=path or "/"))

    def _exec_ended(self, number: int, record: ContainerRecord, code: int) -> None:
        process = self._prober.process
        if process.life == self._prober.life:
            # Through the kubelet's own queue: it may be frozen when the command ends.
            process.call_later(0, self._ended, number, record, code == 0)

    def _ended(self, number: int, record: ContainerRecord, success: bool | None) -> None:
        if number != self._attempts or not self._is_busy:
            return
        self._end_attempt()
        if record.id != self._container_id:
            return
        outcome = Outcome.ERROR if success is None else Outcome.SUCCESS if success else Outcome.FAILURE
        before = self._state.result
        self._state = observe(self._state, outcome)
        if self._state.result is not before:
            self._prober.flipped(self, record)

    def _end_attempt(self) -> None:
        self._is_busy = False
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None
        if self._attempt is not None:
            self._attempt.close()
            self._attempt = None


def probes_of(container: Container) -> tuple[tuple[ProbeKind, Probe], ...]:
    """The probes that a container has, in the order in which the kubelet starts them."""
    pairs = (
        (ProbeKind.STARTUP, container.startup_probe),
        (ProbeKind.READINESS, container.readiness_probe),
        (ProbeKind.LIVENESS, container.liveness_probe),
    )
    return tuple((kind, probe) for kind, probe in pairs if probe is not None)


def timing_of(probe: Probe) -> ProbeTiming:
    """The numbers of a probe; 0 is an absent field and means the default."""
    return ProbeTiming(
        initial_delay_ns=seconds(probe.initial_delay_seconds),
        period_ns=(probe.period_seconds or 10) * SECOND,
        timeout_ns=(probe.timeout_seconds or 1) * SECOND,
        success_threshold=probe.success_threshold or 1,
        failure_threshold=probe.failure_threshold or 3,
    )


def _port_of(probe: Probe, container: Container) -> int | None:
    action = probe.http_get or probe.tcp_socket or probe.grpc
    return port_number(container, action.port) if action is not None else None


def _is_success(message: object) -> bool:
    return isinstance(message, HttpResponse) and 200 <= message.status < 400
