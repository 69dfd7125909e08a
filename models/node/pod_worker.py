"""One pod's worker on its node: SyncPod, then TerminatingPod, then TerminatedPod, and never back.

While the pod syncs, the worker starts what has to run and reports; a deletion, a terminal phase or the
kubelet itself moves it on to terminating, where containers are stopped (`pod_killer.py`) and the end is
reported; only then may the API object go. The worker sleeps until its bell rings: the pod changed, a
container ended, a probe flipped, or a back-off is over.

Sources: `pkg/kubelet/pod_workers.go`, `pkg/kubelet/kubelet.go` SyncPod, SyncTerminatingPod, SyncTerminatedPod.
Called by `node/kubelet.py`.

Not modelled: volumes, cgroups, network not ready, the resync every 60 s (nothing would change), image pulls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from attrs import frozen

from chaoskube.models.constants import CONTAINER_START, RECONCILE_WORK
from chaoskube.models.node.bell import Bell
from chaoskube.models.node.containers import Judged, actions_for
from chaoskube.models.node.events import PodWorkerMoved
from chaoskube.models.node.pod_killer import PodKiller
from chaoskube.models.node.pod_phase import TERMINAL_PHASES
from chaoskube.models.node.pod_status import Observed, pod_status, terminated_status
from chaoskube.models.node.prober import Prober
from chaoskube.models.node.probes import ProbeKind
from chaoskube.models.node.restart import CrashLoopBackoff
from chaoskube.models.node.runtime import ContainerRuntime
from chaoskube.models.node.sandbox import ContainerRecord
from chaoskube.models.node.status import StatusManager
from chaoskube.models.node.termination import effective_grace
from chaoskube.models.objects import Container, ContainerStateWaiting, Pod, PodStatus
from chaoskube.sim import SECOND, Process, reached, show


class WorkerState(Enum):
    """How far a pod's worker is; it only moves on."""

    SYNC = "sync"
    TERMINATING = "terminating"
    TERMINATED = "terminated"
    FINISHED = "finished"


@frozen(kw_only=True)
class NodeServices:
    """What all workers of a node share."""

    process: Process
    runtime: ContainerRuntime
    prober: Prober
    statuses: StatusManager
    backoff: CrashLoopBackoff
    host_ip: str


class PodWorker:
    """The worker of one pod (of one UID)."""

    def __init__(
        self,
        pod: Pod,
        services: NodeServices,
        on_finished: Callable[[PodWorker], None],
        *,
        is_orphan: bool = False,
    ) -> None:
        self.pod = pod
        self.state = WorkerState.SYNC
        self.grace_seconds: int | None = None
        self._services = services
        self._on_finished = on_finished
        self._process = services.process
        self._bell = Bell(services.process)
        self._waiting: dict[str, ContainerStateWaiting] = {}
        self._retry_at: int | None = None
        self._is_orphan = is_orphan
        self._is_ending = False

    def start(self) -> None:
        """Begin."""
        self._process.spawn(self._run)

    # -- what others tell it

    def update(self, pod: Pod) -> None:
        """The API has another version of the pod."""
        self.pod = pod
        if pod.metadata.deletion_timestamp is not None:
            self.terminate()
        else:
            self._bell.ring()

    def terminate(self, override_seconds: int | None = None) -> None:
        """Stop the pod, with this grace at most; a shorter one than before cuts what is under way."""
        grace = effective_grace(self.pod, current=self.grace_seconds, override=override_seconds)
        if self._is_ending and grace == self.grace_seconds:
            return
        self.grace_seconds = grace
        self._is_ending = True
        self._bell.ring()

    def notice(self) -> None:
        """A container ended."""
        self._bell.ring()

    def probe_flipped(self) -> None:
        """A probe's result changed; readiness is reported while terminating, too."""
        if self.state is WorkerState.TERMINATING and not self._is_orphan:
            self._publish()
        self._bell.ring()

    # -- the task

    async def _run(self) -> None:
        while not self._is_ending:
            await self._process.sleep(RECONCILE_WORK)
            await self._sync()
            if not self._is_ending:
                await self._bell.wait(self._until_retry())
        self._move(WorkerState.TERMINATING)
        await self._terminate()
        self._move(WorkerState.TERMINATED)
        await self._process.sleep(RECONCILE_WORK)
        if not self._is_orphan:
            self._finish()
        self._move(WorkerState.FINISHED)
        self._on_finished(self)

    def _move(self, state: WorkerState) -> None:
        self.state = state
        self._process.record(
            PodWorkerMoved(
                pod=self.pod.key,
                uid=self.pod.uid,
                node=self._process.host,
                state=state.value,
                grace_seconds=self.grace_seconds or 0,
            )
        )

    def _until_retry(self) -> int | None:
        return None if self._retry_at is None else max(0, self._retry_at - self._process.now)

    # -- SyncPod

    async def _sync(self) -> None:
        if self._is_ending:
            return
        services = self._services
        self._retry_at = None
        self._forget_waiting()
        if self._publish().phase in TERMINAL_PHASES:
            self.grace_seconds = effective_grace(self.pod, current=None, override=None)
            self._is_ending = True
            return
        sandbox = services.runtime.create_sandbox(self.pod)
        services.prober.add_pod(self.pod)
        uid = self.pod.uid
        judged = Judged(
            must_die=lambda record: services.prober.must_die(uid, record) is not None,
            is_started=lambda record: services.prober.is_started(uid, record),
        )
        actions = actions_for(self.pod.spec, sandbox.current, judged)
        killed = {container.name for container in actions.kill}
        for container in actions.kill:
            await self._kill_unhealthy(container)
        for container in actions.start_init:
            await self._start_container(container, is_init=True, was_killed=False)
        for container in actions.start:
            was_killed = container.name in killed
            await self._start_container(container, is_init=False, was_killed=was_killed)
        if actions.kill or actions.start or actions.start_init:
            self._publish()

    def _forget_waiting(self) -> None:
        sandbox = self._services.runtime.sandboxes.get(self.pod.uid)
        for name in list(self._waiting):
            record = sandbox.current.get(name) if sandbox is not None else None
            if record is None or record.is_running:
                del self._waiting[name]

    async def _start_container(self, container: Container, *, is_init: bool, was_killed: bool) -> None:
        services = self._services
        if self._is_ending:
            return
        uid = self.pod.uid
        sandbox = services.runtime.sandboxes[uid]
        ended = (sandbox.previous if was_killed else sandbox.current).get(container.name)
        if ended is not None and not self._may_restart(container, ended):
            return
        self._waiting.pop(container.name, None)
        start_at = self._process.now + CONTAINER_START
        while not self._is_ending and self._process.now < start_at:
            await self._bell.wait(start_at - self._process.now)
        if self._is_ending:
            self._bell.ring()
            return
        services.runtime.start_container(
            uid, container, is_init=is_init, attempt_min=self._restarts_reported(container.name)
        )
        self._bell.ring()

    def _restarts_reported(self, container: str) -> int:
        """Where the count of restarts goes on when the runtime has lost it with the node's power."""
        status = self._services.statuses.latest(self.pod)
        for one in (*status.container_statuses, *status.init_container_statuses):
            if one.name == container:
                return one.restart_count + (one.state.terminated is not None)
        return 0

    def _may_restart(self, container: Container, ended: ContainerRecord) -> bool:
        """Whether its back-off is over; if not, say so in the status and come back then."""
        backoff = self._services.backoff
        key = f"{self.pod.uid}/{container.name}"
        now = self._process.wall_ns()
        ready_at = backoff.wait_until(key, ended.finished_ns)
        if now >= ready_at:
            backoff.note_restart(key, ended.finished_ns, now)
            return True
        reached("container in CrashLoopBackOff")
        delay = show(backoff.delay(key))
        self._waiting[container.name] = ContainerStateWaiting(
            reason="CrashLoopBackOff",
            message=(
                f"back-off {delay} restarting failed container={container.name} "
                f"pod={self.pod.name}_{self.pod.namespace}({self.pod.uid})"
            ),
        )
        retry_at = self._process.now + ready_at - now
        self._retry_at = retry_at if self._retry_at is None else min(self._retry_at, retry_at)
        return False

    async def _kill_unhealthy(self, container: Container) -> None:
        """A liveness or startup probe failed: stop the container with the probe's grace, or the pod's."""
        services = self._services
        record = services.runtime.sandboxes[self.pod.uid].current[container.name]
        kind = services.prober.must_die(self.pod.uid, record)
        probe = container.startup_probe if kind is ProbeKind.STARTUP else container.liveness_probe
        own = probe.termination_grace_period_seconds if probe is not None else None
        grace = effective_grace(self.pod, current=None, override=None) if own is None else own
        bell = Bell(self._process)
        killer = PodKiller(self._process, services.runtime, self.pod, bell)
        killer.start((container,), grace * SECOND)
        while not killer.is_done:
            await bell.wait()

    # -- SyncTerminatingPod, SyncTerminatedPod

    async def _terminate(self) -> None:
        services = self._services
        uid = self.pod.uid
        if not self._is_orphan:
            self._publish()
        services.prober.stop_liveness_and_startup(uid)
        await self._process.sleep(RECONCILE_WORK)
        containers = (*self.pod.spec.containers, *self.pod.spec.init_containers)
        grace = self.grace_seconds if self.grace_seconds is not None else 1
        killer = self._stop(containers, grace)
        while not killer.is_done:
            if self.grace_seconds is not None and self.grace_seconds < grace:
                reached("grace period cut short")
                killer.cancel()
                grace = self.grace_seconds
                killer = self._stop(containers, grace)
            await self._bell.wait()
        services.prober.remove_pod(uid)
        if not self._is_orphan:
            self._publish(is_terminal=True)
        services.runtime.remove_sandbox(uid)

    def _stop(self, containers: Sequence[Container], grace_seconds: int) -> PodKiller:
        killer = PodKiller(self._process, self._services.runtime, self.pod, self._bell)
        killer.start(containers, grace_seconds * SECOND)
        return killer

    def _finish(self) -> None:
        services = self._services
        status = terminated_status(self.pod.spec, services.statuses.latest(self.pod))
        services.statuses.finish(self.pod, status)
        services.backoff.forget(f"{self.pod.uid}/")

    def _publish(self, *, is_terminal: bool = False) -> PodStatus:
        services = self._services
        observed = Observed(
            sandbox=services.runtime.sandboxes.get(self.pod.uid),
            probes=services.prober,
            waiting=self._waiting,
            host_ip=services.host_ip,
            now_ns=self._process.wall_ns(),
        )
        status = pod_status(self.pod, services.statuses.latest(self.pod), observed, is_terminal=is_terminal)
        services.statuses.set(self.pod, status, could_run=not is_terminal)
        return status
