"""Which containers run where, as a god sees it: from their starts and exits, and from machines that lose their power."""

from __future__ import annotations

from chaoskube.models.node.events import ContainerExited, ContainerStarted
from chaoskube.models.objects import Pod
from chaoskube.models.stored import Change, Stored
from chaoskube.sim import Entry, ProcessStopped, World


class Running:
    """Running containers by pod and node."""

    def __init__(self, world: World, stored: Stored) -> None:
        self._world = world
        self._running: dict[str, dict[tuple[str, str], int]] = {}
        """Since when, by the pod's key, by node and container."""
        self.forced: dict[str, None] = {}
        """Pods whose object went away while they ran: nobody waits for their end any more."""
        world.journal.subscribe(ContainerStarted, self._started)
        world.journal.subscribe(ContainerExited, self._exited)
        world.journal.subscribe(ProcessStopped, self._stopped)
        stored.listeners.append(self._changed)

    def nodes_of(self, pod: str) -> tuple[str, ...]:
        """The nodes on which containers of a pod of this name run, in the order in which they began."""
        return tuple(dict.fromkeys(node for node, _ in self._running.get(pod, ())))

    def since(self, pod: str, node: str) -> int:
        """Since when containers of a pod of this name run on this node, where some do."""
        return min(at for (place, _), at in self._running[pod].items() if place == node)

    def _started(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, ContainerStarted), "subscribed to it"
        self._running.setdefault(event.pod, {})[event.node, event.container] = entry.at

    def _exited(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, ContainerExited), "subscribed to it"
        self._end(event.pod, (event.node, event.container))

    def _stopped(self, entry: Entry) -> None:
        """A machine without power runs nothing; its kubelet dies with it, and so does every other process there."""
        event = entry.event
        assert isinstance(event, ProcessStopped), "subscribed to it"
        process = self._world.processes.get(entry.by)
        if event.reason == "power" and process is not None:
            for pod, containers in list(self._running.items()):
                for place in [one for one in containers if one[0] == process.host_name]:
                    self._end(pod, place)

    def _end(self, pod: str, place: tuple[str, str]) -> None:
        containers = self._running.get(pod)
        if containers is not None:
            containers.pop(place, None)
            if not containers:
                del self._running[pod]
                self.forced.pop(pod, None)

    def _changed(self, change: Change) -> None:
        if change.after is None and isinstance(change.before, Pod) and change.before.key in self._running:
            self.forced[change.before.key] = None
