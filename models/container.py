"""What a container runtime and the program in a container say to each other, and HTTP between containers.

`node/runtime.py` launches programs, `apps/*.py` are programs, `network/traffic.py` and the kubelet's probes
talk to them: none of them imports another, all of them import this.
"""

from collections.abc import Callable
from typing import Protocol

from attrs import frozen

from chaoskube.models.objects import Container, Pod
from chaoskube.sim import Process


@frozen(kw_only=True)
class HttpRequest:
    """A request as far as anybody acts on it."""

    path: str

    def digest_text(self) -> str:
        """The request line."""
        return self.path


@frozen(kw_only=True)
class HttpResponse:
    """An answer as far as anybody acts on it; gRPC's SERVING is a 200 here."""

    status: int

    def digest_text(self) -> str:
        """The status line."""
        return str(self.status)


@frozen(kw_only=True)
class ExecResult:
    """How a command inside a container ends, and how long it takes until then."""

    exit_code: int
    takes_ns: int


@frozen(kw_only=True)
class Launch:
    """What a program is started with, and how it speaks to its runtime."""

    pod: Pod
    container: Container
    is_init: bool
    ip: str
    exit: Callable[[int], None]
    """End the process with this exit code."""
    listening: Callable[[tuple[int, ...]], None]
    """Tell that these ports are being listened on from now."""


class RunningProgram(Protocol):
    """A program inside a running container. SIGTERM reaches it by `process.on_sigterm`."""

    def exec(self, command: tuple[str, ...]) -> ExecResult:
        """Run a command beside it."""
        ...


Program = Callable[[Process, Launch], RunningProgram]
"""What runs in every container of a cluster; it looks at the pod to decide what it is."""


def port_number(container: Container, port: int | str | None) -> int | None:
    """The number behind a port that may be a name of this container's ports."""
    if port is None or isinstance(port, int):
        return port
    for declared in container.ports:
        if declared.name == port:
            return declared.container_port
    return int(port) if port.isdigit() else None
