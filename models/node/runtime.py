"""The container runtime of one node: what really runs there, whatever the kubelet knows.

Containers are processes of their own on the node's host. They run on while the kubelet is down, paused or cut
off; a new kubelet finds them again here (`runtime_of` keeps the runtime in the host's memory), and a host
without power loses all of it. Each pod has a sandbox with an address of its own. Whoever asks is told of
changes by `on_change` and `call_on_exit`: nothing is polled.

Sources: the CRI as `pkg/kubelet/kuberuntime` uses it; addresses as the host-local plug-in of CNI gives
them, in turn, so that one is used again only when the others have been.
Called by the kubelet's workers and probes; starts programs (`models/container.py`).

Not modelled: images and pulling, cgroups and memory limits, logs; a runtime that fails.
"""

from collections.abc import Callable

from attrs import evolve

from chaoskube.models.container import Launch, Program, RunningProgram
from chaoskube.models.node.events import (
    ContainerExited,
    ContainerListening,
    ContainerSignalled,
    ContainerStarted,
)
from chaoskube.models.node.sandbox import ContainerRecord, Sandbox
from chaoskube.models.objects import Container, Pod
from chaoskube.sim import Entry, Host, ModelBug, Process, ProcessStopped, Unsynced, World

EXIT_BY_SIGTERM = 143
EXIT_BY_SIGKILL = 137
ADDRESSES_A_NODE = 253


class ContainerRuntime:
    """Sandboxes and containers of one node, for as long as it has power."""

    def __init__(self, world: World, host: Host, program: Program) -> None:
        self.sandboxes: dict[str, Sandbox] = {}
        self.on_change: Callable[[str], None] | None = None
        """Told the UID of a pod whose container ended on its own account or by a signal."""
        self._world = world
        self._host = host
        self._program = program
        self._subnet = subnet_of(host.name)
        self._last_address = 1
        self._programs: dict[str, RunningProgram] = {}
        self._starting: dict[str, tuple[str, Container, ContainerRecord]] = {}
        self._exit_codes: dict[str, int] = {}
        self._uids: dict[str, tuple[str, str]] = {}
        self._exit_listeners: dict[str, list[Callable[[], None]]] = {}
        world.journal.subscribe(ProcessStopped, self._process_stopped)
        host.on_power.append(self._power_changed)

    def _power_changed(self, is_on: bool) -> None:
        """The node lost power: nothing of this runtime is left, its addresses answer no more."""
        if not is_on:
            for sandbox in self.sandboxes.values():
                if sandbox.ip != self._host.ip:
                    self._world.network.release_ip(sandbox.ip)
            self.sandboxes.clear()
            self._uids.clear()
            self._host.on_power.remove(self._power_changed)

    # -- sandboxes

    def create_sandbox(self, pod: Pod) -> Sandbox:
        """A sandbox with an address for this pod; the one that it has already, if it has one."""
        sandbox = self.sandboxes.get(pod.uid)
        if sandbox is None:
            ip = self._host.ip if pod.spec.host_network else self._free_address()
            sandbox = self.sandboxes[pod.uid] = Sandbox(pod=pod, ip=ip)
            if ip != self._host.ip:
                self._world.network.assign_ip(ip, self._host.name)
        return sandbox

    def remove_sandbox(self, uid: str) -> None:
        """Tear the sandbox down: its address is free again. Nothing may run in it."""
        sandbox = self.sandboxes.get(uid)
        if sandbox is None:
            return
        if sandbox.running:
            raise ModelBug(f"the sandbox of {sandbox.pod.key} still runs {sandbox.running[0].name}")
        del self.sandboxes[uid]
        if sandbox.ip != self._host.ip:
            self._world.network.release_ip(sandbox.ip)
        for name in sandbox.processes.values():
            self._forget_process(name)

    def _free_address(self) -> str:
        used = {sandbox.ip for sandbox in self.sandboxes.values()}
        for _ in range(ADDRESSES_A_NODE):
            self._last_address = self._last_address + 1 if self._last_address < 254 else 2
            ip = f"10.244.{self._subnet}.{self._last_address}"
            if ip not in used:
                return ip
        raise ModelBug(f"{self._host.name} has no address left for another pod")

    # -- containers

    def start_container(
        self, uid: str, container: Container, *, is_init: bool, attempt_min: int = 0
    ) -> ContainerRecord:
        """Run the container (again) now. Creating it has taken its time already.

        `attempt_min` continues the count of restarts when the runtime has lost it with the node's power.
        """
        sandbox = self.sandboxes[uid]
        before = sandbox.current.get(container.name)
        if before is not None and before.is_running:
            raise ModelBug(f"{container.name} of {sandbox.pod.key} runs already")
        attempt = attempt_min if before is None else before.attempt + 1
        name = sandbox.processes.get(container.name)
        if name is None:
            name = sandbox.processes[container.name] = self._new_process(sandbox.pod, container.name)
        record = ContainerRecord(
            id=f"containerd://{uid}/{container.name}/{attempt}",
            name=container.name,
            is_init=is_init,
            attempt=attempt,
            image=container.image or "",
            started_ns=self._host.wall_ns(),
        )
        if before is not None:
            sandbox.previous[container.name] = before
        sandbox.current[container.name] = record
        self._starting[name] = (uid, container, record)
        self._uids[name] = (uid, container.name)
        self._world.processes[name].start()
        return record

    def terminate(self, uid: str, container: str) -> None:
        """SIGTERM. A frozen process takes it when it thaws."""
        process = self._process_of(uid, container)
        if process is not None:
            self._signalled(process, uid, container, "SIGTERM")
            process.handle(process.life, self._take_sigterm, (process,))

    def kill(self, uid: str, container: str) -> None:
        """SIGKILL: it ends now, whatever it does."""
        process = self._process_of(uid, container)
        if process is not None:
            self._signalled(process, uid, container, "SIGKILL")
            process.crash(unsynced=Unsynced.KEPT)

    def exec(self, uid: str, container: str, command: tuple[str, ...], done: Callable[[int], None]) -> None:
        """Run a command in the container and tell `done` its exit code; never, if the container ends first."""
        process = self._process_of(uid, container)
        if process is not None:
            process.handle(process.life, self._exec, (process, command, done))

    def call_on_exit(self, uid: str, container: str, done: Callable[[], None]) -> None:
        """Call `done` once when the container has ended; at once when it has."""
        process = self._process_of(uid, container)
        if process is None:
            done()
        else:
            self._exit_listeners.setdefault(process.name, []).append(done)

    def is_running(self, uid: str, container: str) -> bool:
        """Whether the container runs now."""
        return self._process_of(uid, container) is not None

    # -- processes

    def _new_process(self, pod: Pod, container: str) -> str:
        name = f"{pod.namespace}/{pod.name}/{container}"
        if name in self._world.processes:
            # A namesake: the pod that this one replaces still runs somewhere, or died there unnoticed.
            name = f"{name}#{pod.uid}"
        process = self._world.process(name, host=self._host.name, boot=_boot_container)
        process.starts_with_host = False
        return name

    def boot(self, process: Process) -> None:
        """Run the program in a process that this runtime has just started."""
        starting = self._starting.pop(process.name, None)
        if starting is None:
            # Somebody else woke the process of a container that isn't to run.
            process.exit()
            return
        uid, container, record = starting
        sandbox = self.sandboxes[uid]
        pod = sandbox.pod.key
        process.record(
            ContainerStarted(
                pod=pod,
                container=container.name,
                node=self._host.name,
                attempt=record.attempt,
                ip=sandbox.ip,
            )
        )

        def listening(ports: tuple[int, ...]) -> None:
            process.record(
                ContainerListening(
                    pod=pod, container=container.name, node=self._host.name, ip=sandbox.ip, ports=ports
                )
            )

        launch = Launch(
            pod=sandbox.pod,
            container=container,
            is_init=record.is_init,
            ip=sandbox.ip,
            exit=lambda code: self._exit(process, code),
            listening=listening,
        )
        self._programs[process.name] = self._program(process, launch)

    def _exit(self, process: Process, code: int) -> None:
        self._exit_codes[process.name] = code
        process.exit()

    def _process_stopped(self, entry: Entry) -> None:
        """The kernel tells the parent that its child is gone."""
        owner = self._uids.get(entry.by)
        event = entry.event
        assert isinstance(event, ProcessStopped), f"subscribed to ProcessStopped, got {event}"
        if owner is None or event.reason == "power":
            return
        uid, name = owner
        sandbox = self.sandboxes.get(uid)
        record = sandbox.current.get(name) if sandbox is not None else None
        if sandbox is None or record is None or not record.is_running:
            return
        code = self._exit_codes.pop(entry.by, EXIT_BY_SIGKILL)
        ended = evolve(record, exit_code=code, finished_ns=self._host.wall_ns())
        sandbox.current[name] = ended
        self._programs.pop(entry.by, None)
        self._world.processes[entry.by].record(
            ContainerExited(
                pod=sandbox.pod.key, container=name, node=self._host.name, code=code, reason=ended.reason
            )
        )
        for done in self._exit_listeners.pop(entry.by, ()):
            done()
        if self.on_change is not None:
            self.on_change(uid)

    def _take_sigterm(self, process: Process) -> None:
        if process.on_sigterm is None:
            self._exit(process, EXIT_BY_SIGTERM)
        else:
            process.on_sigterm()

    def _exec(self, process: Process, command: tuple[str, ...], done: Callable[[int], None]) -> None:
        result = self._programs[process.name].exec(command)
        process.call_later(result.takes_ns, done, result.exit_code)

    def _signalled(self, process: Process, uid: str, container: str, signal: str) -> None:
        pod = self.sandboxes[uid].pod.key
        process.record(ContainerSignalled(pod=pod, container=container, node=self._host.name, signal=signal))

    def _process_of(self, uid: str, container: str) -> Process | None:
        sandbox = self.sandboxes.get(uid)
        record = sandbox.current.get(container) if sandbox is not None else None
        if sandbox is None or record is None or not record.is_running:
            return None
        return self._world.processes[sandbox.processes[container]]

    def _forget_process(self, name: str) -> None:
        del self._uids[name]
        self._exit_listeners.pop(name, None)
        self._exit_codes.pop(name, None)
        self._world.remove_process(name)


def runtime_of(host: Host) -> ContainerRuntime | None:
    """The runtime on this host, if one has been set up since it got its power."""
    runtime = host.memory.get("container-runtime")
    return runtime if isinstance(runtime, ContainerRuntime) else None


def set_up_runtime(world: World, host: Host, program: Program) -> ContainerRuntime:
    """The runtime on this host: the one that is there, or a new, empty one."""
    runtime = runtime_of(host)
    if runtime is None:
        for process in [one for one in host.processes if one.name.count("/") == 2]:
            # What a power loss has left of the containers of the runtime before this one.
            process.crash()
            world.remove_process(process.name)
        runtime = ContainerRuntime(world, host, program)
        host.memory["container-runtime"] = runtime
    return runtime


def subnet_of(node: str) -> int:
    """The third byte of a node's pod addresses: the number at the end of its name."""
    digits = node[len(node.rstrip("0123456789")) :]
    if not digits or int(digits) > 255:
        raise ModelBug(f"node {node!r} must end in a number up to 255: its pods' addresses follow from it")
    return int(digits)


def _boot_container(process: Process) -> None:
    runtime = runtime_of(process.machine)
    if runtime is None:
        process.exit()
    else:
        runtime.boot(process)
