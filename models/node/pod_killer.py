"""Killing containers: preStop, SIGTERM, SIGKILL, each at its time, all containers of a pod at once.

Sources: `pkg/kubelet/kuberuntime/kuberuntime_container.go` killContainersWithSyncResult, killContainer,
executePreStopHook; `kuberuntime_termination_order.go` for sidecars. Called by `node/pod_worker.py`.

Not modelled: the order among sidecars (they all wait for the main containers); a runtime that finishes a
stop by itself while the kubelet is frozen (SIGKILL comes when the kubelet thaws).
"""

from collections.abc import Sequence

from chaoskube.models.container import HttpRequest, port_number
from chaoskube.models.node.bell import Bell
from chaoskube.models.node.events import PreStopStarted
from chaoskube.models.node.runtime import ContainerRuntime
from chaoskube.models.node.termination import left_after_hook
from chaoskube.models.objects import Container, LifecycleHandler, Pod
from chaoskube.sim import Address, Process, Reply, TimedOut, seconds


class PodKiller:
    """One try at stopping containers of a pod with one grace period; a shorter grace makes a new one."""

    def __init__(self, process: Process, runtime: ContainerRuntime, pod: Pod, bell: Bell) -> None:
        self._process = process
        self._runtime = runtime
        self._pod = pod
        self._bell = bell
        self._left = 0
        self._is_cancelled = False
        self._sidecars_may_stop: list[Bell] = []

    @property
    def is_done(self) -> bool:
        """Everything it was to stop has stopped."""
        return self._left == 0

    def cancel(self) -> None:
        """Do no more: another try with a shorter grace takes over."""
        self._is_cancelled = True

    def start(self, containers: Sequence[Container], grace_ns: int) -> None:
        """Begin to stop those of `containers` that run; the bell rings when all have stopped."""
        running = [one for one in containers if self._runtime.is_running(self._pod.uid, one.name)]
        sidecars = {one.name for one in self._pod.spec.init_containers if one.restart_policy == "Always"}
        mains = sum(1 for one in running if one.name not in sidecars)
        self._left = len(running)
        for container in running:
            turn = None
            if container.name in sidecars and mains:
                turn = Bell(self._process)
                self._sidecars_may_stop.append(turn)
            self._process.spawn(self._kill, container, grace_ns, turn)
        if not running:
            self._bell.ring()

    async def _kill(self, container: Container, grace_ns: int, turn: Bell | None) -> None:
        began = self._process.now
        uid = self._pod.uid
        hook = container.lifecycle.pre_stop if container.lifecycle is not None else None
        if hook is not None and grace_ns > 0:
            await self._pre_stop(container, hook, grace_ns)
        left_ns = left_after_hook(grace_ns, self._process.now - began)
        if turn is not None and not self._is_cancelled:
            waiting_since = self._process.now
            await turn.wait(left_ns)
            left_ns = left_after_hook(left_ns, self._process.now - waiting_since)
        if not self._is_cancelled:
            self._runtime.terminate(uid, container.name)
            await self._exit_of(container.name, left_ns)
        if not self._is_cancelled:
            self._runtime.kill(uid, container.name)
        self._stopped(is_main=turn is None)

    def _stopped(self, *, is_main: bool) -> None:
        self._left -= 1
        if is_main and self._left == len(self._sidecars_may_stop):
            for turn in self._sidecars_may_stop:
                turn.ring()
        if self._left == 0:
            self._bell.ring()

    async def _exit_of(self, container: str, limit_ns: int) -> None:
        """Wait until the container has ended, or the limit."""
        ended: Reply[None] = self._process.reply()

        def finish() -> None:
            # Through the kubelet's own queue: a frozen kubelet notices nothing.
            self._process.call_later(0, ended.set, None)

        self._runtime.call_on_exit(self._pod.uid, container, finish)
        await _wait(ended, limit_ns)

    async def _pre_stop(self, container: Container, hook: LifecycleHandler, limit_ns: int) -> None:
        self._process.record(
            PreStopStarted(pod=self._pod.key, container=container.name, node=self._process.host)
        )
        if hook.sleep is not None:
            await self._process.sleep(min(seconds(hook.sleep.seconds), limit_ns))
            return
        done: Reply[None] = self._process.reply()

        def finish(*_: object) -> None:
            self._process.call_later(0, done.set, None)

        uid = self._pod.uid
        if hook.exec is not None:
            self._runtime.exec(uid, container.name, hook.exec.command, finish)
            self._runtime.call_on_exit(uid, container.name, finish)
        elif hook.http_get is not None:
            sandbox = self._runtime.sandboxes[uid]
            port = port_number(container, hook.http_get.port)
            connection = self._process.connect(
                Address(sandbox.ip, port or 80), label="hook", on_message=finish, on_close=finish
            )
            connection.send(HttpRequest(path=hook.http_get.path or "/"))
        else:
            return
        await _wait(done, limit_ns)


async def _wait(reply: Reply[None], limit_ns: int) -> None:
    try:
        await reply.wait(limit_ns)
    except TimedOut:
        pass
