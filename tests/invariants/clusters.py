"""Ask an invariant about a cluster that isn't there: what etcd applied, what servers and clients said, each written by hand."""

from __future__ import annotations

from attrs import evolve

from chaoskube.invariant import Invariant
from chaoskube.models.apiserver.events import Written
from chaoskube.models.client.views import ChangeHeard, StateHeard, StoreChanged, VersionHeard, View
from chaoskube.models.etcd.events import Applied
from chaoskube.models.etcd.messages import Event, EventType, KeyValue
from chaoskube.models.objects import KubeObject, Pod
from chaoskube.models.objects.resources import Resources
from chaoskube.models.observer import Observer
from chaoskube.sim import Entry, World


class Case:
    """A world in which nothing happens by itself, its observer, and what one invariant says."""

    def __init__(self, world: World, invariant: Invariant) -> None:
        self.world = world
        self.seen = Observer(world)
        self.revision = 0
        self.said: list[str] = []
        self._invariant = invariant
        self._memory: dict[str, object] = {}
        self._created: dict[str, int] = {}
        for event_type in invariant.on:
            world.journal.subscribe(event_type, self._ask)

    def _ask(self, entry: Entry | None) -> None:
        message = self._invariant.ask(self.seen, entry, self._memory)
        if message is not None:
            self.said.append(message)

    def in_the_end(self) -> list[str]:
        """What an `eventually` says now."""
        self._ask(None)
        return self.said

    def record(self, event: object, by: str = "apiserver-0") -> None:
        """An event in the journal."""
        self.world.journal.record(self.world.now, by, event)

    # -- etcd

    def put(self, obj: KubeObject, *, plural: str = "") -> KubeObject:
        """Store an object; as it is read since then."""
        key = f"/registry/{plural}/{obj.key}" if plural else _key(obj)
        self.revision += 1
        created = self._created.setdefault(key, self.revision)
        stored = _versioned(obj, "")
        self._applied(
            EventType.PUT,
            KeyValue(key=key, value=stored, create_revision=created, mod_revision=self.revision, version=1),
        )
        return _versioned(obj, str(self.revision))

    def remove(self, obj: KubeObject) -> KubeObject:
        """Remove an object; as its deletion is told."""
        key = _key(obj)
        self.revision += 1
        self._created.pop(key, None)
        self._applied(
            EventType.DELETE,
            KeyValue(key=key, value=None, create_revision=0, mod_revision=self.revision, version=0),
        )
        return _versioned(obj, str(self.revision))

    def _applied(self, type: EventType, kv: KeyValue) -> None:
        event = Applied(
            index=self.revision,
            term=1,
            revision=self.revision,
            request_id=0,
            events=(Event(type=type, kv=kv),),
        )
        self.record(event, "etcd-0")

    # -- servers

    def written(
        self, user: str, verb: str, prev: KubeObject | None, obj: KubeObject | None, **more: str
    ) -> None:
        """A write that succeeded at the newest revision."""
        subject = obj or prev
        assert subject is not None
        event = Written(
            server="apiserver-0",
            verb=verb,
            resource=Resources().resource_for(subject.kind, subject.api_version).plural,
            subresource=more.pop("subresource", ""),
            key=subject.key,
            resource_version=self.revision,
            obj=obj,
            prev=prev,
            user=user,
            **more,
        )
        self.record(event)

    # -- clients

    def lists(self, view: View, *objects: KubeObject, at: int, by: str = "controller-manager-0") -> None:
        """A client hears of a whole state, and takes it in."""
        heard = StateHeard(view=view, objects=objects, resource_version=str(at))
        self.world.journal.mention(self.world.now, by, heard)
        self.holds(view, *objects, by=by)

    def hears(self, view: View, type: str, obj: KubeObject, by: str = "controller-manager-0") -> None:
        """A client hears of a change."""
        self.world.journal.mention(self.world.now, by, ChangeHeard(view=view, type=type, obj=obj))

    def bookmark(self, view: View, at: int, by: str = "controller-manager-0") -> None:
        """A client hears that nothing else has happened."""
        self.world.journal.mention(self.world.now, by, VersionHeard(view=view, resource_version=str(at)))

    def holds(self, view: View, *objects: KubeObject, by: str = "controller-manager-0") -> None:
        """A client's store has these since now, among others."""
        now = tuple((obj.key, obj) for obj in objects)
        self.world.journal.mention(self.world.now, by, StoreChanged(view=view, now=now))

    def forgets(self, view: View, obj: KubeObject, by: str = "controller-manager-0") -> None:
        """A client's store doesn't have this any more."""
        self.world.journal.mention(self.world.now, by, StoreChanged(view=view, now=((obj.key, None),)))


def pod(name: str, *, node: str = "", uid: str = "", phase: str = "Pending", **metadata: object) -> Pod:
    """A pod in the default namespace."""
    from chaoskube.models.objects import ObjectMeta, PodSpec, PodStatus

    meta = ObjectMeta(name=name, namespace="default", uid=uid or f"uid-{name}", **metadata)  # type: ignore[arg-type]  # its own fields
    return Pod(metadata=meta, spec=PodSpec(node_name=node), status=PodStatus(phase=phase))


def _versioned(obj: KubeObject, version: str) -> KubeObject:
    return evolve(obj, metadata=evolve(obj.metadata, resource_version=version))


def _key(obj: KubeObject) -> str:
    plural = Resources().resource_for(obj.kind, obj.api_version).plural
    return f"/registry/{plural}/{obj.key}"
