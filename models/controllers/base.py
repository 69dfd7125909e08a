"""What a controller is, and how it is found: one file, one class under `@controller`.

    @controller("replicaset", account="replicaset-controller")
    class ReplicaSetController:
        def __init__(self, manager: ManagerContext) -> None: ...   # asks for informers, adds handlers
        def start(self) -> None: ...                               # its caches are filled: begin to work

The manager builds every registered controller when it becomes the leader. A context belongs to one
controller: it hands out shared informers and remembers which, so that a controller starts when *its* caches
are filled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from attrs import frozen

from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.backoff import ItemBackoff
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.limits import CHATTY
from chaoskube.models.client.recorder import EventRecorder
from chaoskube.models.client.store import Indexer
from chaoskube.models.client.workers import WORKERS, Workers
from chaoskube.models.objects import KubeObject
from chaoskube.sim import SECOND, Catalogue, Process

T = TypeVar("T", bound=KubeObject)
C = TypeVar("C", bound="type[Controller]")


class Controller(Protocol):
    """What the manager asks of a controller."""

    def __init__(self, manager: ManagerContext) -> None: ...

    def start(self) -> None:
        """Its caches are filled: begin to work."""


@frozen(kw_only=True)
class Registration:
    """A controller's class and the service account it writes as."""

    name: str
    account: str
    make: type[Controller]


controllers: Catalogue[Registration] = Catalogue("controller")


def controller(name: str, *, account: str) -> Callable[[C], C]:
    """Register a controller class under `name`."""

    def register(cls: C) -> C:
        controllers.register(name, Registration(name=name, account=account, make=cls))
        return cls

    return register


class ManagerContext:
    """What one controller gets from its manager."""

    def __init__(
        self, process: Process, client: ApiClient, account: str, informers: Callable[[str], Informer]
    ) -> None:
        self.process = process
        user = f"system:serviceaccount:kube-system:{account}"
        self.client = client.as_user(user, limits=CHATTY.get(account) if client.limits else None)
        self.account = account
        self.used: list[Informer] = []
        self._informers = informers

    def informer(self, resource: str, indexers: Mapping[str, Indexer] | None = None) -> Informer:
        """The manager's shared informer of `resource`, with these indexes."""
        informer = self._informers(resource)
        for name, indexer in (indexers or {}).items():
            informer.add_index(name, indexer)
        if informer not in self.used:
            self.used.append(informer)
        return informer

    def monitor(self, resource: str) -> Informer:
        """The manager's shared informer of `resource`, for one who begins without it if need be."""
        return self._informers(resource)

    def recorder(self, component: str | None = None) -> EventRecorder:
        """A recorder of events that speaks as this controller."""
        return EventRecorder(self.client, component or self.account)

    def workers(
        self,
        reconcile: Callable[[str], Awaitable[None]],
        *,
        workers: int = WORKERS,
        retries_max: int | None = None,
        backoff: ItemBackoff | None = None,
    ) -> Workers:
        """A queue and the workers on it."""
        return Workers(self.process, reconcile, workers=workers, retries_max=retries_max, backoff=backoff)

    @property
    def now(self) -> int:
        """Virtual ns; what a monotonic clock reads."""
        return self.process.now

    def wall_ns(self) -> int:
        """The wall clock."""
        return self.process.wall_ns()

    def wall_second(self) -> int:
        """The wall clock as metav1.Time keeps it: whole seconds, in ns."""
        return self.process.wall_ns() // SECOND * SECOND


def only(kind: type[T], objects: Iterable[KubeObject | None]) -> tuple[T, ...]:
    """The objects of one class (an informer's are all of one)."""
    return tuple([obj for obj in objects if isinstance(obj, kind)])


def by_owner(obj: KubeObject) -> tuple[str, ...]:
    """Index: the uid of the controller that owns it, "" for an orphan."""
    owner = obj.metadata.controller
    return (owner.uid if owner is not None else f"orphan/{obj.namespace}",)
