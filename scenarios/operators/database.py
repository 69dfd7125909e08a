"""An operator for a small database: a pod and a claim for each member, as somebody might write it for a real cluster.

A `Database` says how many members it has. The operator gives each a claim and a pod, says in the status how many are ready,
and cleans up: a member that is no longer wanted loses its pod, then its claim, and a Database that is deleted waits (for our
finalizer) until both are gone. Claims have no owner reference, so nothing but this operator ever deletes data.

It is level-triggered: what it does follows from what is there, not from which changes it has seen. And it knows its own by uid:
what belongs to an earlier Database of the same name is none of its business, however old its caches are. What cannot be undone
it asks the server about, not its cache: before anything is made, whether the Database is still there (whoever led before may have
let it go), and before the finalizer goes, whether anything is left.

The decisions are functions of their own below; `scenarios/database_operator.py` runs the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve

from chaoskube.models.client.api import is_already_exists, is_conflict, is_not_found
from chaoskube.models.client.election import ElectionOptions
from chaoskube.models.client.operator import OperatorContext, operator
from chaoskube.models.client.workers import Retry
from chaoskube.models.objects import (
    GenericObject,
    KubeObject,
    PersistentVolumeClaim,
    Pod,
    decode,
    freeze,
    is_pod_ready,
    is_pod_terminal,
    thaw,
)
from chaoskube.sim import Refused

DATABASES = "databases.shop.example"
FINALIZER = "shop.example/cleanup"
NAME_LABEL = "shop.example/database"
UID_LABEL = "shop.example/database-uid"
MEMBER_LABEL = "shop.example/member"
BY_DATABASE = "database"
FLUSH_SECONDS = 5
"""How long a member takes to write everything out before it stops."""


@operator(
    "database-operator",
    account="databases/operator",
    replicas=2,
    elections=[ElectionOptions(release_on_cancel=True)],
)
def database_operator(op: OperatorContext) -> Databases:
    """What is run: it acts as the service account `operator` of the namespace `databases`."""
    return Databases(op)


class Databases:
    """Keeps the members of every Database as they are wanted."""

    def __init__(self, op: OperatorContext) -> None:
        self._client = op.client
        self._databases = op.informer(DATABASES)
        self._pods = op.informer("pods", {BY_DATABASE: named_database})
        self._claims = op.informer("persistentvolumeclaims", {BY_DATABASE: named_database})
        self._workers = op.reconcile(self.reconcile, on=self._databases, owned=[self._pods])
        self._claims.add_handler(on_delete=self._claim_gone)

    def _claim_gone(self, claim: KubeObject) -> None:
        for key in named_database(claim):
            self._workers.add(key)

    async def reconcile(self, key: str) -> None:
        """Bring one Database a step nearer to what it says."""
        database = self._databases.get_by_key(key)
        if not isinstance(database, GenericObject):
            return
        pods = children_of(database, self._pods.by_index(BY_DATABASE, key))
        claims = children_of(database, self._claims.by_index(BY_DATABASE, key))
        if database.metadata.deletion_timestamp is None and FINALIZER not in database.metadata.finalizers:
            database = await self._with_finalizer(database)
        await self._delete("pods", pods_to_delete(database, pods))
        await self._delete("persistentvolumeclaims", claims_to_delete(database, pods, claims))
        if database.metadata.deletion_timestamp is not None:
            await self._let_go(database)
            return
        await self._create(database, pods, claims)
        await self._report(database, pods)

    async def _with_finalizer(self, database: GenericObject) -> GenericObject:
        metadata = evolve(database.metadata, finalizers=(*database.metadata.finalizers, FINALIZER))
        updated = await self._client.update(evolve(database, metadata=metadata))
        assert isinstance(updated, GenericObject), f"a Database, not {updated!r}"
        return updated

    async def _create(
        self, database: GenericObject, pods: Iterable[KubeObject], claims: Iterable[KubeObject]
    ) -> None:
        have = {obj.name for obj in (*pods, *claims)}
        made = [
            child
            for number in range(members_wanted(database))
            for child in (claim_of(database, number), pod_of(database, number))
            if child.name not in have
        ]
        if made and await self._is_still_there(database):
            for child in made:
                await self._make(child)

    async def _is_still_there(self, database: GenericObject) -> bool:
        """What is made for a Database that was let go stays for ever: nobody cleans up after it any more."""
        try:
            now = await self._client.get(DATABASES, database.namespace, database.name)
        except Refused as refused:
            if is_not_found(refused):
                return False
            raise
        return now.metadata.uid == database.uid and now.metadata.deletion_timestamp is None

    async def _make(self, made: KubeObject) -> None:
        """Create it; somebody else's of that name (an earlier Database's, say) must go first."""
        try:
            await self._client.create(made)
        except Refused as refused:
            if is_already_exists(refused):
                raise Retry(f"{made.kind} {made.key} is there already") from refused
            raise

    async def _delete(self, resource: str, objects: Iterable[KubeObject]) -> None:
        """Delete exactly these objects: if another has taken the name meanwhile, the server refuses."""
        for obj in objects:
            try:
                await self._client.delete(resource, obj.namespace, obj.name, uid=obj.uid)
            except Refused as refused:
                if not is_not_found(refused) and not is_conflict(refused):
                    raise

    async def _let_go(self, database: GenericObject) -> None:
        selector = f"{UID_LABEL}={database.uid}"
        for resource in ("pods", "persistentvolumeclaims"):
            left = await self._client.list(resource, database.namespace, label_selector=selector)
            if left.items:
                raise Retry(f"{len(left.items)} {resource} of {database.key} are still there")
        if FINALIZER in database.metadata.finalizers:
            finalizers = tuple([one for one in database.metadata.finalizers if one != FINALIZER])
            try:
                await self._client.update(
                    evolve(database, metadata=evolve(database.metadata, finalizers=finalizers))
                )
            except Refused as refused:
                if not is_not_found(refused) and not is_conflict(refused):
                    raise

    async def _report(self, database: GenericObject, pods: Iterable[KubeObject]) -> None:
        ready = sum(isinstance(pod, Pod) and is_pod_ready(pod) for pod in pods)
        status = {"members": members_wanted(database), "ready": ready}
        if database.content.get("status") != status:
            content = database.content.plus({"status": freeze(status)})
            await self._client.update(evolve(database, content=content), subresource="status")


# ---- decisions


def named_database(obj: KubeObject) -> tuple[str, ...]:
    """Index: the key of the Database that an object names; whether it is that one's, its uid says."""
    name = obj.labels.get(NAME_LABEL)
    return (f"{obj.namespace}/{name}",) if name else ()


def children_of(database: GenericObject, candidates: Iterable[KubeObject]) -> tuple[KubeObject, ...]:
    """Those that belong to this very Database, not to another that has or had its name."""
    return tuple([obj for obj in candidates if obj.labels.get(UID_LABEL) == database.uid])


def members_wanted(database: GenericObject) -> int:
    """How many members there shall be: none once it is deleted."""
    if database.metadata.deletion_timestamp is not None:
        return 0
    return int(database.content.get("spec", {}).get("members", 1))


def pods_to_delete(database: GenericObject, pods: Iterable[KubeObject]) -> tuple[KubeObject, ...]:
    """Pods of members that are not wanted, and pods that have ended; what is on its way already isn't asked again."""
    wanted = members_wanted(database)
    return tuple(
        [
            pod
            for pod in pods
            if isinstance(pod, Pod)
            and pod.metadata.deletion_timestamp is None
            and (member_of(pod) >= wanted or is_pod_terminal(pod))
        ]
    )


def claims_to_delete(
    database: GenericObject, pods: Iterable[KubeObject], claims: Iterable[KubeObject]
) -> tuple[KubeObject, ...]:
    """Claims of members that are not wanted and have no pod any more: whatever was seen or missed of its end."""
    wanted, alive = members_wanted(database), {member_of(pod) for pod in pods}
    return tuple(
        [
            claim
            for claim in claims
            if member_of(claim) >= wanted
            and member_of(claim) not in alive
            and claim.metadata.deletion_timestamp is None
        ]
    )


def member_of(obj: KubeObject) -> int:
    """The number of the member that an object is of."""
    return int(obj.labels.get(MEMBER_LABEL, "0"))


# ---- what is made


def claim_of(database: GenericObject, number: int) -> PersistentVolumeClaim:
    """The claim of a member."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": database.content["spec"].get("storage", "1Gi")}},
    }
    made = decode(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": _metadata(database, number, f"data-{database.name}-{number}"),
            "spec": spec,
        }
    )
    assert isinstance(made, PersistentVolumeClaim)
    return made


def pod_of(database: GenericObject, number: int) -> Pod:
    """The pod of a member."""
    name = f"{database.name}-{number}"
    owner = {
        "apiVersion": database.api_version,
        "kind": database.kind,
        "name": database.name,
        "uid": database.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    made = decode(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**_metadata(database, number, name), "ownerReferences": [owner]},
            "spec": {
                "containers": [
                    {
                        "name": "database",
                        "image": thaw(database.content["spec"].get("image", "registry.example/database:v1")),
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                        "lifecycle": {"preStop": {"sleep": {"seconds": FLUSH_SECONDS}}},
                    }
                ],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": f"data-{name}"}}],
            },
        }
    )
    assert isinstance(made, Pod)
    return made


def _metadata(database: GenericObject, number: int, name: str) -> Mapping[str, Any]:
    labels = {NAME_LABEL: database.name, UID_LABEL: database.uid, MEMBER_LABEL: str(number)}
    return {"name": name, "namespace": database.namespace, "labels": labels}
