"""The garbage collector: deletes what lost its owners, and carries out foreground and orphaning deletions.

It watches every kind that can be deleted, keeps the graph of owners (garbage_graph.py) and looks at one object at a
time: a live read of it and of each of its owners, then the decision (garbage_core.py), with the uid and the version
that it saw as preconditions. New custom resources are noticed every 30 s. It begins when all caches are filled or
after 30 s without those that are not, so one kind that cannot be listed stops nothing.

Sources: pkg/controller/garbagecollector/{garbagecollector,operations}.go.

Not modelled: the read of metadata alone (objects come whole), monitors that end when their resource does.
"""

from __future__ import annotations

from functools import partial

from chaoskube.models.apiserver.api import MERGE
from chaoskube.models.client.api import is_conflict, is_not_found
from chaoskube.models.client.recorder import WARNING
from chaoskube.models.client.workers import Retry
from chaoskube.models.controllers.base import ManagerContext, controller
from chaoskube.models.controllers.discovery import Discovery, preferred
from chaoskube.models.controllers.events import GarbageDecided
from chaoskube.models.controllers.garbage_core import (
    AbsentOwners,
    Collect,
    Owner,
    decide,
    is_settled,
    judge,
    may_ignore_version,
)
from chaoskube.models.controllers.garbage_graph import (
    FOREGROUND_FINALIZER,
    ORPHAN_FINALIZER,
    Asked,
    Graph,
    Identity,
    InvalidOwner,
    Look,
    Node,
)
from chaoskube.models.controllers.garbage_patches import OwnerPatches
from chaoskube.models.objects import KubeObject, ObjectReference, OwnerReference
from chaoskube.models.objects.resources import Resource
from chaoskube.sim import SECOND, Refused, reached

WORKERS = 20
RESYNC = 30 * SECOND
INITIAL_SYNC_MAX = 30 * SECOND
CONFLICT_TRIES = 4
IGNORED = ("events",)
NEEDED = ("delete", "list", "watch")


@controller("garbage-collector", account="generic-garbage-collector")
class GarbageCollector:
    """Deletes objects whose owners are gone."""

    def __init__(self, manager: ManagerContext) -> None:
        self._manager = manager
        self._client = manager.client
        self._process = manager.process
        self._recorder = manager.recorder("garbage-collector-controller")
        self._graph = Graph()
        self._absent = AbsentOwners()
        self._patches = OwnerPatches(manager.client)
        self._discovery = Discovery(manager)
        self._deletes = manager.workers(self.attempt_to_delete, workers=WORKERS)
        self._orphans = manager.workers(self.attempt_to_orphan, workers=WORKERS)
        self._monitored: dict[str, bool] = {}
        self._is_working = False
        self._add_monitors()

    def start(self) -> None:
        """Begin to work as soon as all monitors are filled, or have had their time."""
        self._process.call_later(RESYNC, self._resync)
        self._process.call_later(INITIAL_SYNC_MAX, self._work)
        self._work_if_synced()

    # -- monitors

    def _resync(self) -> None:
        if self._discovery.refresh():
            self._add_monitors()
        self._process.call_later(RESYNC, self._resync)

    def _add_monitors(self) -> None:
        for resource in preferred(self._discovery.all(), NEEDED):
            if resource.plural in IGNORED or resource.name in self._monitored:
                continue
            self._monitored[resource.name] = False
            informer = self._manager.monitor(resource.name)
            informer.add_handler(on_add=self._added, on_update=self._updated, on_delete=self._gone)
            informer.when_synced(partial(self._monitor_synced, resource.name))

    def _monitor_synced(self, name: str) -> None:
        self._monitored[name] = True
        self._work_if_synced()

    def _work_if_synced(self) -> None:
        if all(self._monitored.values()):
            self._work()

    def _work(self) -> None:
        if self._is_working:
            return
        if not all(self._monitored.values()):
            reached("garbage collector begins without some caches")
        self._is_working = True
        self._deletes.start()
        self._orphans.start()

    # -- the graph

    def _added(self, obj: KubeObject) -> None:
        self._do(self._graph.observe(obj))

    def _updated(self, old: KubeObject, new: KubeObject) -> None:
        if old.uid != new.uid:
            self._gone(old)
            self._added(new)
        elif concerns(old, new):
            self._do(self._graph.observe(new, old))

    def _gone(self, obj: KubeObject) -> None:
        self._do(self._graph.forget(obj))

    def _do(self, asked: list[Asked]) -> None:
        for identity in self._graph.newly_absent:
            self._absent.add(identity)
        self._graph.newly_absent.clear()
        for one in asked:
            if isinstance(one, InvalidOwner):
                self._tell_invalid(one)
            elif one.look is Look.ORPHAN:
                self._orphans.add(one.uid)
            elif one.look is Look.DELETE_LATER:
                self._deletes.add_rate_limited(one.uid)
            else:
                self._deletes.add(one.uid)

    def _tell_invalid(self, invalid: InvalidOwner) -> None:
        dependent = invalid.dependent
        reference = ObjectReference(
            kind=dependent.kind,
            namespace=dependent.namespace or None,
            name=dependent.name,
            uid=dependent.uid,
            api_version=dependent.api_version,
        )
        said = f'ownerRef {invalid.owner} does not exist in namespace "{dependent.namespace}"'
        self._recorder.event_about(reference, WARNING, "OwnerRefInvalidNamespace", said)

    # -- to delete

    async def attempt_to_delete(self, uid: str) -> None:
        """Look at one object: delete it, free it of owners that are gone, or leave it."""
        node = self._graph.node(uid)
        if node is None or is_settled(node):
            return
        live = await self.read_live(node.identity)
        if live is None or live.uid != uid:
            self._do(self._graph.forget_virtual(node.identity))
            return
        if node.is_deleting_dependents:
            await self._process_dependents(node)
        else:
            await self._collect(node, live)
        if node.is_virtual and self._graph.node(uid) is node:
            raise Retry(f"{node.identity} exists and was not seen yet")

    async def _collect(self, node: Node, live: KubeObject) -> None:
        owners: list[tuple[OwnerReference, Owner]] = []
        for reference in live.metadata.owner_references:
            worth = await self.classify(node, reference)
            if worth is None:
                return
            owners.append((reference, worth))
        verdict = decide(node, live, owners)
        if isinstance(verdict, Collect):
            if verdict.unblock:
                await self._patches.unblock(self._resource_of(node.identity), node)
            await self._delete(node.identity, live, verdict.policy)
        elif verdict.without:
            await self._patches.remove_owners(
                self._resource_of(node.identity), node.identity, verdict.without
            )

    async def classify(self, node: Node, reference: OwnerReference) -> Owner | None:
        """What one reference is worth, by the cache of absent owners or a live read; None: it can never be told."""
        namespace = node.identity.namespace
        if self._absent.has(reference, namespace):
            return Owner.DANGLING
        resource = self._resource(reference.api_version, reference.kind)
        if resource.namespaced and not namespace:
            reached("garbage collector met a namespaced owner of a cluster-scoped object")
            return None
        identity = Identity(
            api_version=reference.api_version,
            kind=reference.kind,
            name=reference.name,
            uid=reference.uid,
            namespace=namespace if resource.namespaced else "",
        )
        owner = await self.read_live(identity)
        worth = judge(reference, owner)
        if worth is Owner.DANGLING:
            self._absent.add(identity)
        return worth

    async def read_live(self, identity: Identity) -> KubeObject | None:
        """What the server holds under that kind and name; None when nothing."""
        resource = self._resource_of(identity)
        namespace = identity.namespace if resource.namespaced else ""
        try:
            return await self._client.get(resource.name, namespace, identity.name)
        except Refused as refusal:
            if is_not_found(refusal):
                return None
            raise

    def _resource_of(self, identity: Identity) -> Resource:
        return self._resource(identity.api_version, identity.kind)

    def _resource(self, api_version: str, kind: str) -> Resource:
        resource = self._discovery.resource_for(api_version, kind)
        if resource is None:
            raise Retry(f"no resource for {api_version} {kind} is known")
        return resource

    async def _delete(self, identity: Identity, seen: KubeObject, policy: str) -> None:
        resource = self._resource_of(identity)
        self._process.record(
            GarbageDecided(
                resource=resource.name,
                key=seen.key,
                uid=identity.uid,
                policy=policy,
                owners=tuple([owner.uid for owner in seen.metadata.owner_references]),
            )
        )
        try:
            await self._send_delete(resource, identity, policy, seen.resource_version)
        except Refused as refusal:
            if not is_conflict(refusal):
                raise
            live = await self.read_live(identity)
            if live is None:
                return
            if not may_ignore_version(live, seen):
                raise
            reached("garbage collector deletes whatever the version")
            await self._send_delete(resource, identity, policy, None)

    async def _send_delete(
        self, resource: Resource, identity: Identity, policy: str, version: str | None
    ) -> None:
        try:
            await self._client.delete(
                resource.name,
                identity.namespace if resource.namespaced else "",
                identity.name,
                uid=identity.uid,
                resource_version=version,
                propagation_policy=policy,
            )
        except Refused as refusal:
            if not is_not_found(refusal):
                raise

    # -- foreground and orphan

    async def _process_dependents(self, node: Node) -> None:
        """An owner that goes in the foreground: look at what holds it up, or let it go."""
        blocking = node.blocking_dependents
        if not blocking:
            await self._remove_finalizer(node.identity, FOREGROUND_FINALIZER)
            return
        for dependent in blocking:
            if not dependent.is_deleting_dependents:
                self._deletes.add(dependent.identity.uid)

    async def attempt_to_orphan(self, uid: str) -> None:
        """Take an owner off all dependents that are known, then let it go."""
        node = self._graph.node(uid)
        if node is None:
            return
        failure: Refused | None = None
        for dependent in list(node.dependents.values()):
            try:
                resource = self._resource_of(dependent.identity)
                await self._patches.remove_owners(resource, dependent.identity, (uid,))
            except Refused as refusal:
                if not is_not_found(refusal):
                    failure = refusal
        if failure is not None:
            raise failure
        await self._remove_finalizer(node.identity, ORPHAN_FINALIZER)

    async def _remove_finalizer(self, identity: Identity, finalizer: str) -> None:
        resource = self._resource_of(identity)
        for tries_left in reversed(range(CONFLICT_TRIES)):
            live = await self.read_live(identity)
            if live is None or finalizer not in live.metadata.finalizers:
                return
            kept = tuple([one for one in live.metadata.finalizers if one != finalizer])
            patch = {"metadata": {"resourceVersion": live.resource_version, "finalizers": kept}}
            try:
                await self._client.patch(resource.name, live.namespace, live.name, patch, type=MERGE)
                return
            except Refused as refusal:
                if is_not_found(refusal):
                    return
                if not is_conflict(refusal) or not tries_left:
                    raise


def concerns(old: KubeObject, new: KubeObject) -> bool:
    """Whether an update can change the graph; a status or a lease's renewal cannot."""
    before, after = old.metadata, new.metadata
    return (
        before.owner_references is not after.owner_references
        or before.deletion_timestamp != after.deletion_timestamp
        or before.finalizers is not after.finalizers
    )
