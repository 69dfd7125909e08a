"""The default application: a web server, or a worker when it has no ports.

It listens `listen-after` (2 s) after its container started, on every port that its manifest names; it
answers each request after `work` (5 ms); on SIGTERM it exits at once with code 0, unless it drains (goes on
accepting and answering for that long) or ignores the signal (and dies of SIGKILL). What is still open
when it exits is reset. An init container exits 0 as soon as it has started.

Started by the container runtime as a `Program`, see `models/container.py`.

Not modelled: memory, failures of the application itself, requests that differ from one another; commands
run beside it succeed (`sleep N` after N s, a probe's only once the application listens).
"""

from collections.abc import Callable
from functools import partial

from chaoskube.models.apps.behaviour import behaviour_of
from chaoskube.models.apps.ports import Targets, no_targets, ports_of
from chaoskube.models.container import ExecResult, HttpResponse, Launch
from chaoskube.sim import Address, Connection, Process, reached, seconds

OK = HttpResponse(status=200)


class Web:
    """One running web server (or worker)."""

    def __init__(self, process: Process, launch: Launch, targets: Targets = no_targets) -> None:
        pod = launch.pod
        self._process = process
        self._launch = launch
        self._behaviour = behaviour_of(pod.metadata.annotations, f"pod {pod.key}")
        self._ports = ports_of(pod, launch.container, targets)
        self._is_listening = False
        process.on_sigterm = self._sigterm
        if launch.is_init and launch.container.restart_policy != "Always":
            process.call_later(0, launch.exit, 0)
        elif self._ports:
            process.call_later(self._behaviour.listen_after_ns, self._listen)

    def exec(self, command: tuple[str, ...]) -> ExecResult:
        """`sleep N` (also through a shell) takes N s; anything else succeeds once the application is up."""
        nap_ns = sleep_of(command)
        if nap_ns is not None:
            return ExecResult(exit_code=0, takes_ns=nap_ns)
        is_up = self._is_listening or not self._ports
        return ExecResult(exit_code=0 if is_up else 1, takes_ns=0)

    def _listen(self) -> None:
        ip = self._launch.ip
        network = self._process.world.network
        for port in self._ports:
            if network.listener_at(Address(ip, port)) is not None:
                # bind: address already in use, as two pods on their host's network may find.
                reached("application found its port taken")
                self._launch.exit(1)
                return
            self._process.listen(port, self._accept, ip=ip)
        self._is_listening = True
        self._launch.listening(self._ports)

    def _accept(self, connection: Connection) -> None:
        connection.on_message = partial(self._serve, connection)

    def _serve(self, connection: Connection, _request: object) -> None:
        self._process.call_later(self._behaviour.work_ns, self._answer, connection)

    def _answer(self, connection: Connection) -> None:
        if connection.is_open:
            connection.send(OK)

    def _sigterm(self) -> None:
        behaviour = self._behaviour
        if behaviour.ignore_sigterm:
            return
        if behaviour.drain_ns == 0:
            self._launch.exit(0)
        else:
            self._process.call_later(behaviour.drain_ns, self._launch.exit, 0)


def web(targets: Targets = no_targets) -> Callable[[Process, Launch], Web]:
    """The program of a cluster whose Services target these ports."""
    return partial(Web, targets=targets)


def sleep_of(command: tuple[str, ...]) -> int | None:
    """How long `sleep N` or `sh -c "sleep N"` takes in ns; None when the command is something else."""
    words = list(command)
    if len(words) == 3 and words[0].rsplit("/", 1)[-1] in ("sh", "bash", "ash") and words[1] == "-c":
        words = words[2].split(";")[0].split("&&")[0].split()
    if len(words) == 2 and words[0].rsplit("/", 1)[-1] == "sleep" and words[1].removesuffix("s").isdigit():
        return seconds(int(words[1].removesuffix("s")))
    return None
