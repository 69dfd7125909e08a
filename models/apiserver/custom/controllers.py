"""The controllers of definitions inside every API server: names, Established, and the end of a definition.

Each works through names of definitions one at a time, in a task. All servers run them at once, and write through their own
front door: who comes second gets a conflict and lets it be, because the change that it conflicts with brings the name again.
What fails otherwise is tried again after 5 ms, doubled each time up to 1000 s.

A definition that is deleted: its objects are deleted (directly in the store, nobody is asked), then the controller looks every
5 s for a minute whether they are gone (their own finalizers may hold them), then the definition's finalizer goes.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/controller/{status/naming_controller,establish/
establishing_controller,finalizer/crd_finalizer}.go, client-go/util/workqueue/default_rate_limiters.go.

Called by `server.py`.
Not modelled: objects of a definition none of whose versions is served (they stay in etcd); OpenAPI, discovery and API
approval controllers; the 5 s between names and Established that servers wait which were started with --apiserver-count
above 1; the resync of 5 minutes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from attrs import evolve

from chaoskube.models.apiserver.api import (
    DELETE_COLLECTION,
    LIST,
    UPDATE,
    ObjectList,
    Request,
    Response,
    Status,
)
from chaoskube.models.apiserver.authentication import LOOPBACK
from chaoskube.models.apiserver.custom.definitions import (
    CLEANUP_FINALIZER,
    ESTABLISHED,
    TERMINATING,
    served_resources,
    with_condition,
)
from chaoskube.models.apiserver.custom.naming import established, named
from chaoskube.models.apiserver.custom.registry import Registry
from chaoskube.models.apiserver.custom.requests import DEFINITIONS
from chaoskube.models.objects import CustomResourceDefinition
from chaoskube.models.objects.conditions import is_true
from chaoskube.models.objects.resources import Resource, resources
from chaoskube.sim import MILLISECOND, SECOND, Process, Reply, reached

BACKOFF_NS: Final = 5 * MILLISECOND
BACKOFF_NS_MAX: Final = 1000 * SECOND
CLEANUP_LOOK_NS: Final = 5 * SECOND
CLEANUP_LOOKS: Final = 13
"""At once, and every 5 s for a minute."""


class Server(Protocol):
    """What the controllers need of their server."""

    def ask_self(self, request: Request, then: Callable[[Response], None]) -> None:
        """A request of the server to itself, through its front door."""

    def ask_store(self, request: Request, resource: Resource, then: Callable[[Response], None]) -> None:
        """The same behind it: nobody is asked, and the resource need not be served."""


class Failed(Exception):
    """A write didn't happen, and not because of somebody else's: try again."""


class Worker:
    """Works through names, one at a time."""

    def __init__(self, process: Process, work: Callable[[str], Awaitable[None]]) -> None:
        self._process = process
        self._work = work
        self._names: dict[str, None] = {}
        self._failures: dict[str, int] = {}
        self._is_busy = False

    def add(self, name: str) -> None:
        """Work on `name` soon."""
        self._names[name] = None
        if not self._is_busy:
            self._is_busy = True
            self._process.spawn(self._run)

    async def _run(self) -> None:
        while self._names:
            name = next(iter(self._names))
            del self._names[name]
            try:
                await self._work(name)
            except Failed:
                failures = self._failures[name] = self._failures.get(name, 0) + 1
                delay_ns = min(BACKOFF_NS << (failures - 1), BACKOFF_NS_MAX)
                self._process.call_later(delay_ns, self.add, name)
            else:
                self._failures.pop(name, None)
        self._is_busy = False


class Controllers:
    """All three, of one server."""

    def __init__(self, process: Process, server: Server, registry: Registry) -> None:
        self._process = process
        self._server = server
        self._registry = registry
        self._naming = Worker(process, self._name)
        self._establishing = Worker(process, self._establish)
        self._finalizing = Worker(process, self._finalize)

    def changed(self, names: tuple[str, ...]) -> None:
        """These definitions changed, came or went."""
        for name in names:
            definition = self._registry.get(name)
            self._naming.add(name)
            if definition is None:
                continue
            if established(definition, self._process.wall_ns()) is not None:
                self._establishing.add(name)
            if _is_ending(definition):
                self._finalizing.add(name)

    # ---- names

    async def _name(self, name: str) -> None:
        definition = self._registry.get(name)
        if definition is None:
            self._name_others(name)
            return
        new = named(definition, self._registry.known(), self._process.wall_ns())
        if new is not None and await self._write_status(new) is not None:
            self._name_others(name)

    def _name_others(self, name: str) -> None:
        """Names may be free now: ask again in the group."""
        group = name.partition(".")[2]
        for other in self._registry.known():
            if other.spec.group == group and other.name != name:
                self._naming.add(other.name)

    async def _establish(self, name: str) -> None:
        definition = self._registry.get(name)
        new = None if definition is None else established(definition, self._process.wall_ns())
        if new is not None:
            await self._write_status(new)

    # ---- the end

    async def _finalize(self, name: str) -> None:
        definition = self._registry.get(name)
        if definition is None or not _is_ending(definition):
            return
        begun = await self._write_status(
            self._ending(
                definition, "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress"
            )
        )
        if begun is None:
            return
        if _overlaps(begun):
            why = "instances overlap with built-in resources in storage"
            ended = self._ending(begun, "False", "OverlappingBuiltInResource", why)
        elif is_true(begun.status.conditions, ESTABLISHED):
            ended = await self._delete_instances(begun)
        else:
            ended = self._ending(begun, "False", "NeverEstablished", "resource was never established")
        kept = tuple([one for one in ended.metadata.finalizers if one != CLEANUP_FINALIZER])
        await self._write_status(evolve(ended, metadata=evolve(ended.metadata, finalizers=kept)))

    async def _delete_instances(self, definition: CustomResourceDefinition) -> CustomResourceDefinition:
        if not served_resources(definition):
            return self._ending(definition, "False", "InstanceDeletionCompleted", "removed all instances")
        stored = _stored_resource(definition)
        listed = await self._list(stored)
        for namespace in dict.fromkeys([obj.namespace for obj in listed.items]):
            answer = await self._store(
                Request(verb=DELETE_COLLECTION, resource=stored.name, namespace=namespace), stored
            )
            if not answer.is_success:
                why = f"could not issue all deletes: {answer.body}"
                await self._give_up(definition, "InstanceDeletionFailed", why)
        for look in range(CLEANUP_LOOKS):
            if look:
                await self._process.sleep(CLEANUP_LOOK_NS)
            if not (await self._list(stored)).items:
                return self._ending(definition, "False", "InstanceDeletionCompleted", "removed all instances")
        reached("apiserver: objects outlive their definition")
        why = "could not confirm zero CustomResources remaining: context deadline exceeded"
        await self._give_up(definition, "InstanceDeletionCheck", why)
        return definition

    async def _give_up(self, definition: CustomResourceDefinition, reason: str, why: str) -> None:
        await self._write_status(self._ending(definition, "True", reason, why))
        raise Failed(why)

    def _ending(
        self, definition: CustomResourceDefinition, status: str, reason: str, message: str
    ) -> CustomResourceDefinition:
        return with_condition(definition, TERMINATING, status, reason, message, self._process.wall_ns())

    # ---- asking

    async def _list(self, resource: Resource) -> ObjectList:
        answer = await self._store(Request(verb=LIST, resource=resource.name), resource)
        if not isinstance(answer.body, ObjectList):
            raise Failed(f"could not list instances: {answer.body}")
        return answer.body

    async def _store(self, request: Request, resource: Resource) -> Response:
        reply: Reply[Response] = self._process.reply()
        self._server.ask_store(evolve(request, user=LOOPBACK), resource, reply.set)
        return await reply.wait()

    async def _write_status(self, new: CustomResourceDefinition) -> CustomResourceDefinition | None:
        """What was stored; None when somebody else was quicker, or it is gone."""
        request = Request(
            verb=UPDATE, resource=DEFINITIONS, name=new.name, subresource="status", body=new, user=LOOPBACK
        )
        reply: Reply[Response] = self._process.reply()
        self._server.ask_self(request, reply.set)
        answer = (await reply.wait()).body
        if isinstance(answer, CustomResourceDefinition):
            return answer
        assert isinstance(answer, Status), f"an update answers with {answer!r}"
        if answer.code in (404, 409):
            reached("apiserver: another server was quicker with a definition")
            return None
        raise Failed(str(answer))


def _is_ending(definition: CustomResourceDefinition) -> bool:
    is_marked = definition.metadata.deletion_timestamp is not None
    return is_marked and CLEANUP_FINALIZER in definition.metadata.finalizers


def _overlaps(definition: CustomResourceDefinition) -> bool:
    """Whether a built-in resource is stored in the same place."""
    spec = definition.spec
    return any((one.group, one.plural) == (spec.group, spec.names.plural) for one in resources())


def _stored_resource(definition: CustomResourceDefinition) -> Resource:
    """The resource of the stored version, served or not."""
    spec = definition.spec
    versions = tuple([evolve(version, served=version.storage) for version in spec.versions])
    return served_resources(evolve(definition, spec=evolve(spec, versions=versions)))[0]
