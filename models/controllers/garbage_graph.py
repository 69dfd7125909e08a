"""Who owns what, as far as is known: a graph of all objects by uid, and whom to look at when it changes. Pure.

An owner that is named and was never seen stands in the graph as a *virtual* node until it is seen, or until a live
read says that it doesn't exist. The graph decides nothing: each change answers with the uids to look at (`Wake`), and
garbage_core.py decides about one of them. Nodes hold each other by uid, in the order in which they came.

Source: pkg/controller/garbagecollector/{graph,graph_builder}.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from attrs import frozen

from chaoskube.models.objects import KubeObject, OwnerReference

FOREGROUND_FINALIZER = "foregroundDeletion"
ORPHAN_FINALIZER = "orphan"


@frozen(kw_only=True)
class Identity:
    """An object by all that names it; `namespace` is "" for what has none."""

    api_version: str
    kind: str
    name: str
    uid: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"[{self.api_version}/{self.kind}, namespace: {self.namespace}, name: {self.name}, uid: {self.uid}]"


class Look(Enum):
    """What a uid is to be looked at for."""

    DELETE = "delete"
    DELETE_LATER = "delete later"
    ORPHAN = "orphan"


@frozen(kw_only=True)
class Wake:
    """Look at the object with this uid."""

    uid: str
    look: Look = Look.DELETE


@frozen(kw_only=True)
class InvalidOwner:
    """An object names an owner that lives in another namespace: worth an event."""

    dependent: Identity
    owner: Identity


Asked = Wake | InvalidOwner


class Node:
    """One object in the graph. Changed by the graph alone."""

    __slots__ = ("dependents", "identity", "is_deleting_dependents", "is_going", "is_virtual", "owners")

    def __init__(self, identity: Identity, owners: tuple[OwnerReference, ...], *, is_virtual: bool) -> None:
        self.identity = identity
        self.owners = owners
        self.is_virtual = is_virtual
        self.is_going = False
        self.is_deleting_dependents = False
        self.dependents: dict[str, Node] = {}

    @property
    def blocking_dependents(self) -> tuple[Node, ...]:
        """The dependents that hold the owner's foreground deletion up."""
        mine = self.identity.uid
        return tuple(
            [
                one
                for one in self.dependents.values()
                if any(owner.uid == mine and owner.block_owner_deletion for owner in one.owners)
            ]
        )


class Graph:
    """All nodes by uid."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self.newly_absent: list[Identity] = []
        """Owners found to be gone since somebody last looked; whoever asks live reads empties it."""

    def __len__(self) -> int:
        return len(self._nodes)

    def node(self, uid: str) -> Node | None:
        """The node of that uid."""
        return self._nodes.get(uid)

    # -- what informers tell

    def observe(self, obj: KubeObject, old: KubeObject | None = None) -> list[Asked]:
        """`obj` is there (and was `old` before)."""
        asked: list[Asked] = []
        node = self._nodes.get(obj.uid)
        if node is None:
            node = Node(identity_of(obj), obj.metadata.owner_references, is_virtual=False)
            node.is_going = _is_going(obj)
            node.is_deleting_dependents = node.is_going and FOREGROUND_FINALIZER in obj.metadata.finalizers
            self._nodes[obj.uid] = node
            self._add_to_owners(node, node.owners, asked)
        else:
            if node.is_virtual:
                self._seen_at_last(node, identity_of(obj), asked)
            self._take_owners(node, obj.metadata.owner_references, asked)
            node.is_going = node.is_going or _is_going(obj)
        self._transitions(node, obj, old, asked)
        return asked

    def forget(self, obj: KubeObject) -> list[Asked]:
        """`obj` is gone."""
        node = self._nodes.get(obj.uid)
        return [] if node is None else self._remove(node, identity_of(obj))

    def forget_virtual(self, gone: Identity) -> list[Asked]:
        """A live read found no such object."""
        node = self._nodes.get(gone.uid)
        if node is None:
            return []
        asked: list[Asked] = []
        matching, others = _partition(node, gone)
        if node.is_virtual and others:
            # some dependents know the owner under other coordinates: not all of them lost theirs
            if matching:
                self.newly_absent.append(gone)
                asked += [Wake(uid=one.identity.uid) for one in matching]
            if node.identity == gone:
                other = _other_identity(others, gone)
                if other is not None:
                    node.identity = other
                    asked.append(Wake(uid=gone.uid, look=Look.DELETE_LATER))
            return asked
        if not node.is_virtual and node.identity != gone:
            if matching:
                self.newly_absent.append(gone)
                asked += [Wake(uid=one.identity.uid) for one in matching]
            return asked
        return self._remove(node, gone)

    # -- the graph

    def _remove(self, node: Node, identity: Identity) -> list[Asked]:
        uid = node.identity.uid
        del self._nodes[uid]
        for owner in node.owners:
            held = self._nodes.get(owner.uid)
            if held is not None:
                held.dependents.pop(uid, None)
        if node.dependents:
            self.newly_absent.append(identity)
        asked: list[Asked] = [Wake(uid=dependent) for dependent in node.dependents]
        for owner in node.owners:
            held = self._nodes.get(owner.uid)
            if held is not None and held.is_deleting_dependents:
                asked.append(Wake(uid=owner.uid))
        return asked

    def _seen_at_last(self, node: Node, identity: Identity, asked: list[Asked]) -> None:
        if identity != node.identity:
            for dependent in _partition(node, identity)[1]:
                if identity.namespace and dependent.identity.namespace != identity.namespace:
                    asked += _invalid(dependent, identity.uid)
                asked.append(Wake(uid=dependent.identity.uid))
            node.identity = identity
        node.is_virtual = False

    def _take_owners(self, node: Node, owners: tuple[OwnerReference, ...], asked: list[Asked]) -> None:
        old = node.owners
        if owners is old or owners == old:
            return
        before = {owner.uid: owner for owner in old}
        after = {owner.uid: owner for owner in owners}
        removed = [owner for owner in old if owner.uid not in after]
        unblocked = [
            owner
            for owner in owners
            if owner.uid in before
            and before[owner.uid].block_owner_deletion
            and not owner.block_owner_deletion
        ]
        for owner in (*[one for one in removed if one.block_owner_deletion], *unblocked):
            if owner.uid in self._nodes:
                asked.append(Wake(uid=owner.uid))
        node.owners = owners
        self._add_to_owners(node, [owner for owner in owners if owner.uid not in before], asked)
        for owner in removed:
            held = self._nodes.get(owner.uid)
            if held is not None:
                held.dependents.pop(node.identity.uid, None)

    def _add_to_owners(self, node: Node, owners: Iterable[OwnerReference], asked: list[Asked]) -> None:
        is_suspect = False
        for reference in owners:
            owner = self._nodes.get(reference.uid)
            if owner is None:
                identity = named(reference, node.identity.namespace)
                owner = self._nodes[reference.uid] = Node(identity, (), is_virtual=True)
                owner.dependents[node.identity.uid] = node
                asked.append(Wake(uid=reference.uid))
                continue
            owner.dependents[node.identity.uid] = node
            if owner.identity.namespace and owner.identity.namespace != node.identity.namespace:
                if not owner.is_virtual and not is_suspect:
                    asked += _invalid(node, reference.uid)
                is_suspect = True
            elif not _matches(reference, owner.identity):
                is_suspect = True
        if is_suspect:
            asked.append(Wake(uid=node.identity.uid))

    def _transitions(self, node: Node, obj: KubeObject, old: KubeObject | None, asked: list[Asked]) -> None:
        if starts_with(ORPHAN_FINALIZER, obj, old):
            asked.append(Wake(uid=obj.uid, look=Look.ORPHAN))
        elif starts_with(FOREGROUND_FINALIZER, obj, old):
            node.is_deleting_dependents = True
            asked += [Wake(uid=dependent) for dependent in node.dependents]
            asked.append(Wake(uid=obj.uid))


def identity_of(obj: KubeObject) -> Identity:
    """An object's own identity."""
    return Identity(
        api_version=obj.api_version, kind=obj.kind, name=obj.name, uid=obj.uid, namespace=obj.namespace
    )


def named(reference: OwnerReference, namespace: str) -> Identity:
    """The owner that a dependent in `namespace` means."""
    return Identity(
        api_version=reference.api_version,
        kind=reference.kind,
        name=reference.name,
        uid=reference.uid,
        namespace=namespace,
    )


def starts_with(finalizer: str, obj: KubeObject, old: KubeObject | None) -> bool:
    """Whether it goes with this finalizer, and did not before (deletionStartsWithFinalizer)."""
    if not _is_going(obj) or finalizer not in obj.metadata.finalizers:
        return False
    return old is None or not _is_going(old) or finalizer not in old.metadata.finalizers


def _is_going(obj: KubeObject) -> bool:
    return obj.metadata.deletion_timestamp is not None


def _matches(reference: OwnerReference, identity: Identity) -> bool:
    return named(reference, identity.namespace) == identity


def _partition(owner: Node, identity: Identity) -> tuple[list[Node], list[Node]]:
    """The dependents that mean this very owner, and those that name it otherwise (partitionDependents)."""
    matching: list[Node] = []
    others: list[Node] = []
    for dependent in owner.dependents.values():
        if identity.namespace and dependent.identity.namespace != identity.namespace:
            others.append(dependent)
            continue
        same = [_matches(one, identity) for one in dependent.owners if one.uid == identity.uid]
        if any(same):
            matching.append(dependent)
        if not all(same):
            others.append(dependent)
    return matching, others


def _other_identity(dependents: list[Node], gone: Identity) -> Identity | None:
    """The next identity, in order, under which dependents know an owner (getAlternateOwnerIdentity)."""
    found = sorted(
        {
            named(reference, dependent.identity.namespace if gone.namespace else "")
            for dependent in dependents
            for reference in dependent.owners
            if reference.uid == gone.uid
        },
        key=str,
    )
    rest = [one for one in found if one != gone]
    after = [one for one in rest if str(one) > str(gone)]
    return next(iter(after or rest), None)


def _invalid(dependent: Node, owner_uid: str) -> list[Asked]:
    for reference in dependent.owners:
        if reference.uid == owner_uid:
            owner = named(reference, dependent.identity.namespace)
            return [InvalidOwner(dependent=dependent.identity, owner=owner)]
    return []
