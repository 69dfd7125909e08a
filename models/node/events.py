"""What a node's components write to the journal."""

from attrs import frozen


@frozen(kw_only=True)
class ContainerStarted:
    """A container's process runs; it may not listen yet."""

    pod: str
    container: str
    node: str
    attempt: int
    ip: str


@frozen(kw_only=True)
class ContainerListening:
    """The program in a container listens on these ports from now."""

    pod: str
    container: str
    node: str
    ip: str
    ports: tuple[int, ...]


@frozen(kw_only=True)
class ContainerSignalled:
    """A container was told to stop: `signal` is SIGTERM or SIGKILL."""

    pod: str
    container: str
    node: str
    signal: str


@frozen(kw_only=True)
class ContainerExited:
    """A container's process ended; `reason` is Completed or Error."""

    pod: str
    container: str
    node: str
    code: int
    reason: str


@frozen(kw_only=True)
class PreStopStarted:
    """A container's preStop hook began; SIGTERM waits for it."""

    pod: str
    container: str
    node: str


@frozen(kw_only=True)
class PodWorkerMoved:
    """A pod's worker on its node goes on to another state; it never goes back."""

    pod: str
    uid: str
    node: str
    state: str
    grace_seconds: int


@frozen(kw_only=True)
class PodRejected:
    """The kubelet refused a pod that was bound to its node."""

    pod: str
    uid: str
    node: str
    reason: str


@frozen(kw_only=True)
class ProbeFlipped:
    """A probe's result changed."""

    pod: str
    container: str
    node: str
    probe: str
    success: bool


@frozen(kw_only=True)
class NodeRegistered:
    """The kubelet has made (or found) its Node object."""

    node: str
