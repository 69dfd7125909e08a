"""What the garbage collector does about one object, given what live reads say of its owners. Pure.

A reference is *dangling* when its owner doesn't exist (or is another object of that name), *waiting* when the owner
goes in the foreground and waits for its dependents, else *solid*. One solid owner keeps the object, and what isn't
solid is taken off it. Without one it goes: in the foreground if an owner waits and it has dependents itself, else by
the finalizer it carries, else in the background.

Source: pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem, classifyReferences, deleteObject).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attrs import frozen

from chaoskube.models.apiserver.api import BACKGROUND, FOREGROUND, ORPHAN
from chaoskube.models.controllers.garbage_graph import (
    FOREGROUND_FINALIZER,
    ORPHAN_FINALIZER,
    Identity,
    Node,
    named,
)
from chaoskube.models.objects import KubeObject, OwnerReference

ABSENT_MAX = 500


class Owner(Enum):
    """What a reference is worth."""

    SOLID = "solid"
    DANGLING = "dangling"
    WAITING = "waiting"


class AbsentOwners:
    """The owners that were found not to exist, the last 500."""

    def __init__(self, *, entries_max: int = ABSENT_MAX) -> None:
        self._max = entries_max
        self._known: dict[Identity, None] = {}

    def add(self, identity: Identity) -> None:
        """It does not exist."""
        self._known.pop(identity, None)
        self._known[identity] = None
        if len(self._known) > self._max:
            del self._known[next(iter(self._known))]

    def has(self, reference: OwnerReference, namespace: str) -> bool:
        """Whether the owner that somebody in `namespace` means is known to be absent, namespaced or not."""
        for place in ("", namespace):
            key = named(reference, place)
            if key in self._known:
                del self._known[key]
                self._known[key] = None
                return True
        return False


@frozen(kw_only=True)
class Keep:
    """It stays, without the references to these owners."""

    without: tuple[str, ...] = ()


@frozen(kw_only=True)
class Collect:
    """It goes, by this policy; `unblock` first: it waits for dependents that wait for it."""

    policy: str
    unblock: bool = False


def judge(reference: OwnerReference, owner: KubeObject | None) -> Owner:
    """What a reference is worth when a live read of its owner said `owner`."""
    if owner is None or owner.uid != reference.uid:
        return Owner.DANGLING
    is_going = owner.metadata.deletion_timestamp is not None
    if is_going and FOREGROUND_FINALIZER in owner.metadata.finalizers:
        return Owner.WAITING
    return Owner.SOLID


def is_settled(node: Node) -> bool:
    """Whether there is nothing to decide: it goes already, and not in the foreground."""
    return node.is_going and not node.is_deleting_dependents


def decide(node: Node, live: KubeObject, owners: Sequence[tuple[OwnerReference, Owner]]) -> Keep | Collect:
    """What to do about the object `live` with these owners."""
    if not owners:
        return Keep()
    lost = tuple([one.uid for one, worth in owners if worth is Owner.DANGLING])
    waiting = tuple([one.uid for one, worth in owners if worth is Owner.WAITING])
    if any(worth is Owner.SOLID for _, worth in owners):
        return Keep(without=(*lost, *waiting))
    if waiting and node.dependents:
        unblock = any(one.is_deleting_dependents for one in node.dependents.values())
        return Collect(policy=FOREGROUND, unblock=unblock)
    if ORPHAN_FINALIZER in live.metadata.finalizers:
        return Collect(policy=ORPHAN)
    if FOREGROUND_FINALIZER in live.metadata.finalizers:
        return Collect(policy=FOREGROUND)
    return Collect(policy=BACKGROUND)


def may_ignore_version(live: KubeObject, seen: KubeObject) -> bool:
    """Whether a delete that came too late may go on: the same object, and its owners did not change."""
    return (
        live.uid == seen.uid
        and live.resource_version != seen.resource_version
        and live.metadata.owner_references == seen.metadata.owner_references
    )
