"""A control plane with one person's kubectl on it: commands run to their end, outcomes and requests are kept.

Who calls it: the tests of kubectl's verbs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chaoskube.models.client.events import WriteSent
from chaoskube.models.kubectl import Kubectl, Target
from chaoskube.models.objects import KubeObject, encode
from chaoskube.models.objects.frozen import Tree
from chaoskube.sim import Process, Refused, Unsure
from tests.models.controllers.plane import Plane

WEB = Target(resource="deployments", namespace="default", name="web")


class Bench:
    """The plane, and a kubectl."""

    def __init__(self, *, nodes: int = 2, managers: int = 1) -> None:
        self.plane = Plane(nodes=nodes, managers=managers)
        self.kubectl = Kubectl(self.plane.user, self.plane.client)
        self.process: Process = self.plane.user
        self.running: list[str] = []

    def close(self) -> None:
        """End the world."""
        self.plane.world.close()

    def do(self, command: Callable[[Kubectl], Awaitable[Any]], *, seconds: float = 1) -> Any:
        """What the command returns within so many seconds; the error that it raises; None while it goes on."""
        outcome: list[Any] = []

        async def task() -> None:
            try:
                outcome.append(await command(self.kubectl))
            except (Refused, Unsure) as error:
                outcome.append(error)

        self.process.spawn(task)
        self.plane.run(seconds)
        return outcome[0] if outcome else None

    def live(self, kind: str, name: str) -> Tree:
        """The object as it is stored."""
        return encode(self.plane.now(kind)[name])

    def find(self, kind: str, name: str) -> KubeObject | None:
        """The object as it is stored, if it is."""
        return self.plane.now(kind).get(name)

    def sent(self) -> list[str]:
        """kubectl's own writes: verb and key."""
        return [
            f"{entry.event.verb} {entry.event.resource} {entry.event.key}"
            for entry in self.plane.world.journal.entries
            if isinstance(entry.event, WriteSent) and entry.by == "user"
        ]

    def pods(self) -> list[str]:
        """The names of the pods that aren't going."""
        pods = self.plane.now("Pod")
        return [name for name, pod in pods.items() if pod.metadata.deletion_timestamp is None]
