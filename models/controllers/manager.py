"""kube-controller-manager: waits for the lease, then builds every controller and fills their caches.

A standby knows nothing: informers begin when it leads. When the lease cannot be kept the process ends itself, and
its supervisor starts it anew. `boot_controller_manager` is the whole of it; called by the cluster.

Source: cmd/kube-controller-manager/app/controllermanager.go.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.leader_election import LeaderElector
from chaoskube.models.client.limits import CONTROLLER_MANAGER
from chaoskube.models.controllers.base import Controller, ManagerContext, controllers
from chaoskube.models.controllers.events import ControllersStarted
from chaoskube.sim import Address, Process, load_all

LEASE_NAME = "kube-controller-manager"
USER = "system:kube-controller-manager"


def boot_controller_manager(
    process: Process, servers: tuple[Address, ...], identity: str, *, leader_elect: bool = True
) -> None:
    """Begin a life of kube-controller-manager. Each life is a candidate of its own."""
    load_all(__package__)
    client = ApiClient(
        process, servers, user=USER, agent=USER.removeprefix("system:"), limits=CONTROLLER_MANAGER
    )
    name = f"{identity}_{process.life}"
    manager = ControllerManager(process, client, name)
    if not leader_elect:
        manager.run()
        return
    LeaderElector(client.as_user(USER), LEASE_NAME, name, manager.run, process.exit).start()


class ControllerManager:
    """The controllers of one process and the informers they share."""

    def __init__(self, process: Process, client: ApiClient, identity: str) -> None:
        self._process = process
        self._client = client
        self._identity = identity
        self._informers: dict[str, Informer] = {}
        self._waiting = 0
        self._is_running = False
        self.controllers: dict[str, Controller] = {}

    def run(self) -> None:
        """Build the controllers, start their informers, start each controller once its own are filled."""
        contexts: list[tuple[Controller, ManagerContext]] = []
        for name in controllers.names():
            registration = controllers.get(name)
            context = ManagerContext(self._process, self._client, registration.account, self._informer)
            made = registration.make(context)
            self.controllers[name] = made
            contexts.append((made, context))
        self._waiting = len(contexts)
        for made, context in contexts:
            _when_all_synced(list(context.used), lambda made=made: self._start(made))  # type: ignore[misc]  # bound now
        self._is_running = True
        for resource in list(self._informers):
            self._informers[resource].start()

    def _informer(self, resource: str) -> Informer:
        informer = self._informers.get(resource)
        if informer is None:
            informer = self._informers[resource] = Informer(self._client, resource)
            if self._is_running:
                informer.start()
        return informer

    def _start(self, made: Controller) -> None:
        made.start()
        self._waiting -= 1
        if self._waiting == 0:
            self._process.record(ControllersStarted(identity=self._identity))


def _when_all_synced(informers: list[Informer], then: Callable[[], None]) -> None:
    if not informers:
        then()
        return
    first, rest = informers[0], informers[1:]
    first.when_synced(lambda: _when_all_synced(rest, then))
