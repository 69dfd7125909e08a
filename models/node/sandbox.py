"""What a container runtime keeps of a pod: its sandbox with an address, and the runs of its containers.

Values and a small record, read by everything that decides about a node's pods; only `node/runtime.py` changes
them.
"""

from attrs import define, field, frozen

from chaoskube.models.objects import Pod


@frozen(kw_only=True)
class ContainerRecord:
    """One run of one container; times are the node's wall clock."""

    id: str
    name: str
    is_init: bool
    attempt: int
    image: str
    started_ns: int
    finished_ns: int = 0
    exit_code: int | None = None

    @property
    def is_running(self) -> bool:
        """It has not ended."""
        return self.exit_code is None

    @property
    def reason(self) -> str:
        """Why it ended, in the runtime's words."""
        return "Completed" if self.exit_code == 0 else "Error"


@define(kw_only=True, eq=False)
class Sandbox:
    """A pod as the runtime knows it: its address, and the last two runs of each container."""

    pod: Pod
    ip: str
    current: dict[str, ContainerRecord] = field(factory=dict)
    previous: dict[str, ContainerRecord] = field(factory=dict)
    processes: dict[str, str] = field(factory=dict)
    """The name of each container's process in the world."""

    @property
    def running(self) -> tuple[ContainerRecord, ...]:
        """Containers that run now."""
        return tuple(record for record in self.current.values() if record.is_running)
