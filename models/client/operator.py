"""A controller of a user's own, as a process in the simulated cluster: what controller-runtime is to client-go, in small.

The shortest one is a coroutine that is told a key, whenever the object of that name or something that it owns has changed:

    @reconciler("till-operator", on="tills.shop.example", owns=("pods",))
    async def reconcile(op: OperatorContext, key: str) -> None:
        ...

A function under `@operator("name")` gets the same context and makes something of it that asks for whatever it needs: informers
with indexes of its own, several loops, an event recorder. Either way nothing is simulated: it learns through its watches, writes
through the API, and loses its memory in a crash. It acts as the service account that it names, so it needs roles that allow
what it does; without one it acts as `admin`, of the group `system:masters`.

A loop (or a task, `add_task`) begins when its informers are filled. A key is worked on by one worker at a time; what was refused, or whose outcome
nobody knows, is tried again with a growing delay. With several replicas the leader works (a Lease named as the operator) and
the others wait with their caches filled, as controller-runtime's managers do; a leader that cannot renew ends itself. One that
is asked to end (SIGTERM) stops working, and lets its lease go where `ElectionOptions(release_on_cancel=True)` says so.

Source: sigs.k8s.io/controller-runtime/pkg/{builder,manager,handler}.

Called by the cluster, for the operators of a scenario.
Not modelled: webhooks of an operator, caches of some namespaces only, a second SIGTERM that ends it at once, and that what
waits to be sent again after a 429 or a 5xx is given up as well when it is asked to end. A resource that isn't there yet is waited for; a real
manager would end, and begin anew.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import Final

from attrs import field, frozen

from chaoskube.models.apiserver.authentication import MASTERS
from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.election import ElectionOptions
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.leader_election import LEASE_NAMESPACE, LeaderElector
from chaoskube.models.client.recorder import EventRecorder
from chaoskube.models.client.store import Indexer
from chaoskube.models.client.workers import Workers
from chaoskube.models.objects import KubeObject
from chaoskube.sim import SECOND, Address, CancelScope, Process, Refused, Unsure, UsageError

DISCOVERY_RETRY_NS: Final = 1 * SECOND
NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?")
Reconcile = Callable[[str], Awaitable[None]]
Task = Callable[[], Coroutine[object, object, object]]


@frozen(kw_only=True)
class OperatorStarted:
    """An operator's caches are filled, and it begins to work."""

    name: str
    identity: str


@frozen(kw_only=True)
class OperatorWaits:
    """An operator cannot begin: what it asks for is not there."""

    name: str
    why: str


@frozen(kw_only=True)
class OperatorWaitsNoMore:
    """What an operator waited for is there."""

    name: str


@frozen(kw_only=True)
class Operator:
    """What a scenario runs: a name, what makes it, and whom it acts as."""

    name: str = field()
    make: Callable[[OperatorContext], object]
    source: object
    """What stands in the user's file under the decorator: how a trace finds it again."""
    account: str = field(default="")
    """NAMESPACE/NAME of its service account; "" for an administrator."""
    replicas: int = field(default=1)
    elections: tuple[ElectionOptions, ...] = ()
    """How each replica leads, in turn; as everybody does if there are none. They differ while a change rolls out."""

    @name.validator
    def _name_is_a_label(self, attribute: object, name: str) -> None:
        if not NAME.fullmatch(name):
            raise UsageError(
                f"operator {name!r}: its processes and its Lease are named so; write small letters, digits and '-', like till-operator"
            )

    @replicas.validator
    def _somebody_works(self, attribute: object, replicas: int) -> None:
        if replicas < 1:
            raise UsageError(f"operator {self.name}: replicas={replicas!r} must be 1 or more")

    @account.validator
    def _account_is_whole(self, attribute: object, account: str) -> None:
        namespace, _, name = account.partition("/")
        if account and not (namespace and name):
            raise UsageError(
                f"operator {self.name}: account={account!r} must be NAMESPACE/NAME, like default/operator"
            )

    @property
    def user(self) -> str:
        """The name that API servers know it by."""
        if not self.account:
            return "admin"
        namespace, _, name = self.account.partition("/")
        return f"system:serviceaccount:{namespace}:{name}"

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that its credentials name: an administrator's certificate does, an account's token doesn't."""
        return () if self.account else (MASTERS,)


class OperatorContext:
    """What an operator gets: a client, informers, loops."""

    def __init__(self, process: Process, client: ApiClient, name: str) -> None:
        self.process = process
        self.client = client
        self.name = name
        self._informers: dict[str, Informer] = {}
        self._loops: list[Loop] = []
        self._tasks: list[Task] = []
        self._running: list[CancelScope] = []
        self._is_stopped = False

    def informer(self, resource: str, indexers: Mapping[str, Indexer] | None = None) -> Informer:
        """The informer of a resource (`pods`, `tills.shop.example`), shared by all loops, with these indexes."""
        resource = self.client.resources.resource_of(resource).name
        informer = self._informers.get(resource)
        if informer is None:
            informer = self._informers[resource] = Informer(self.client, resource)
        for name, indexer in (indexers or {}).items():
            informer.add_index(name, indexer)
        return informer

    def reconcile(
        self, reconcile: Reconcile, *, on: Informer, owned: Iterable[Informer] = (), workers: int = 1
    ) -> Workers:
        """Call `reconcile` with the key of each object of `on` that changed, or that owns something that changed."""
        loop = Loop(self, reconcile, on, tuple(owned), workers)
        self._loops.append(loop)
        return loop.workers

    def add_task(self, task: Task) -> None:
        """Run it once the caches are filled, and this replica works."""
        self._tasks.append(task)

    def recorder(self) -> EventRecorder:
        """A recorder of events that speaks as this operator."""
        return EventRecorder(self.client, self.name)

    @property
    def now(self) -> int:
        """Virtual ns; what a monotonic clock reads."""
        return self.process.now

    def wall_ns(self) -> int:
        """The wall clock."""
        return self.process.wall_ns()

    def forget(self) -> None:
        """Begin anew: nothing was started yet."""
        self._informers.clear()
        self._loops.clear()
        self._tasks.clear()

    def fill(self) -> None:
        """Begin to fill the caches."""
        for informer in self._informers.values():
            informer.start()

    def run(self, identity: str) -> None:
        """Work, as soon as the caches are filled."""
        self._when_filled(list(self._informers.values()), identity)

    def stop(self) -> None:
        """Work no more, nor begin to: what is under way is given up; a request that has left may still be carried out."""
        self._is_stopped = True
        for loop in self._loops:
            loop.workers.stop()
        for task in self._running:
            task.cancel()

    def _when_filled(self, informers: list[Informer], identity: str) -> None:
        if informers:
            first, *rest = informers
            first.when_synced(lambda: self._when_filled(rest, identity))
            return
        if self._is_stopped:
            return
        for loop in self._loops:
            loop.workers.start()
        self._running += [self.process.spawn(task) for task in self._tasks]
        self.process.record(OperatorStarted(name=self.name, identity=identity))


class Loop:
    """One reconcile function and what wakes it."""

    def __init__(
        self,
        op: OperatorContext,
        reconcile: Reconcile,
        on: Informer,
        owned: tuple[Informer, ...],
        workers: int,
    ) -> None:
        self.workers = Workers(op.process, reconcile, workers=workers)
        self._kind = op.client.resources.resource_of(on.resource).kind
        on.add_handler(
            on_add=self._changed, on_update=lambda old, new: self._changed(new), on_delete=self._changed
        )
        for informer in owned:
            informer.add_handler(
                on_add=self._owned_changed, on_update=self._owned_updated, on_delete=self._owned_changed
            )

    def _changed(self, obj: KubeObject) -> None:
        self.workers.add(obj.key)

    def _owned_changed(self, obj: KubeObject) -> None:
        owner = obj.metadata.controller
        if owner is not None and owner.kind == self._kind:
            self.workers.add(f"{obj.namespace}/{owner.name}" if obj.namespace else str(owner.name))

    def _owned_updated(self, old: KubeObject, new: KubeObject) -> None:
        if old.metadata.controller != new.metadata.controller:
            self._owned_changed(old)
        self._owned_changed(new)


# ---- declaring one


def operator(
    name: str, *, account: str = "", replicas: int = 1, elections: Iterable[ElectionOptions] = ()
) -> Callable[[Callable[[OperatorContext], object]], Operator]:
    """Make an operator of a function (or a class) that takes an `OperatorContext`."""

    def declared(make: Callable[[OperatorContext], object]) -> Operator:
        return Operator(
            name=name,
            make=make,
            source=make,
            account=account,
            replicas=replicas,
            elections=tuple(elections),
        )

    return declared


def reconciler(
    name: str, *, on: str, owns: Iterable[str] = (), account: str = "", replicas: int = 1, workers: int = 1
) -> Callable[[Callable[[OperatorContext, str], Awaitable[None]]], Operator]:
    """Make an operator of one coroutine, which is told keys of objects of `on`."""
    owned = tuple(owns)
    if workers < 1:
        raise UsageError(
            f"operator {name}: workers={workers!r} must be 1 or more, else nobody is told of a key"
        )

    def declared(reconcile: Callable[[OperatorContext, str], Awaitable[None]]) -> Operator:
        if not iscoroutinefunction(reconcile):
            raise UsageError(
                f"operator {name}: {getattr(reconcile, '__name__', reconcile)} must be an `async def`"
            )

        def make(op: OperatorContext) -> object:
            return op.reconcile(
                lambda key: reconcile(op, key),
                on=op.informer(on),
                owned=[op.informer(resource) for resource in owned],
                workers=workers,
            )

        return Operator(name=name, make=make, source=reconcile, account=account, replicas=replicas)

    return declared


# ---- running one


def boot_operator(process: Process, servers: tuple[Address, ...], operator: Operator) -> None:
    """Begin a life of an operator. Each life is a candidate of its own."""
    client = ApiClient(process, servers, user=operator.user, groups=operator.groups, agent=operator.name)
    context = OperatorContext(process, client, operator.name)
    identity = f"{process.name}_{process.life}"

    def lead() -> None:
        context.run(identity)

    async def begin() -> None:
        await _wait_for_resources(context, operator)
        context.fill()
        if operator.replicas == 1:
            lead()
            return
        elector = LeaderElector(
            client,
            operator.name,
            identity,
            lead,
            process.exit,
            options=_election_of(operator, process),
            namespace=operator.account.partition("/")[0] or LEASE_NAMESPACE,
        )
        process.on_sigterm = partial(_end, context, elector)
        elector.start()

    process.spawn(begin)


def _end(context: OperatorContext, elector: LeaderElector) -> None:
    """The manager's end: first the work stops, then the lease is let go, if that was asked for."""
    context.stop()
    elector.cancel()


def _election_of(operator: Operator, process: Process) -> ElectionOptions | None:
    number = int(process.name.rpartition("-")[2])
    return operator.elections[number % len(operator.elections)] if operator.elections else None


async def _wait_for_resources(context: OperatorContext, operator: Operator) -> None:
    """Make the operator; what it asks for may not be defined yet, or not be known to the server that is asked."""
    told = ""
    while True:
        try:
            await context.client.discover()
        except (Refused, Unsure):
            await context.process.sleep(DISCOVERY_RETRY_NS)
            continue
        try:
            operator.make(context)
        except UsageError as problem:
            if str(problem) != told:
                told = str(problem)
                context.process.record(OperatorWaits(name=operator.name, why=told))
            context.forget()
            await context.process.sleep(DISCOVERY_RETRY_NS)
            continue
        if told:
            context.process.record(OperatorWaitsNoMore(name=operator.name))
        return
