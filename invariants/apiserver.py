"""The API server's writes: nothing is lost, nobody is taken for another, nobody does more than may be done.

Each write that succeeded is in the audit log (`Written`), and is held against what it changed in etcd.
"""

from __future__ import annotations

from chaoskube.invariant import always
from chaoskube.models.objects import KubeObject
from chaoskube.models.observer import Entry, Observer, Written, group_kind, same_content
from chaoskube.sim import SECOND

SYSTEM = "system:"
REMOVING = ("delete", "deletecollection")
OF_PROPAGATION = ("foregroundDeletion", "orphan")
RIGHTS_KNOWN_NS = 10 * SECOND
DELETING_NS = 15 * SECOND
"""How long a delete may be under way between a server's look and its deed."""


@always(on=[Written])
def no_update_is_lost(seen: Observer, event: Entry, memory: dict[str, object]) -> None:
    """A write that names the version it was made for changes that version, and a component's update names one.

    Else it takes back what somebody wrote meanwhile, and nobody is told. People may update without a version; a component
    may where it alone writes. Whoever takes the last finalizer off removes the object, whatever its version is by then;
    and a deletion that first marks the object goes on from its own mark.
    (staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go, GuaranteedUpdate; registry/generic/registry/store.go,
    deleteWithoutFinalizers; k/k#70674.)
    """
    written = _written(event)
    place = f"{written.resource}/{written.key}"
    last, marked = memory.get(place), memory.get(f"{place} version")
    memory[place] = written.user
    memory[f"{place} version"] = (written.user, written.requested_version, str(written.resource_version))
    change = seen.change_by(written)
    if change is None or change.before is None:
        return
    wanted = written.requested_version
    is_end = written.obj is None and (
        written.verb not in REMOVING or marked == (written.user, wanted, str(change.was))
    )
    assert not wanted or wanted == str(change.was) or is_end, (
        f"{written.user} wrote {written.resource} {written.key} for version {wanted}, and overwrote {change.was}"
    )
    blind = written.verb == "update" and not wanted and written.user.startswith(SYSTEM)
    assert not blind or last in (None, written.user), (
        f"{written.user} updates {written.resource} {written.key} without a version, over what {last} wrote"
    )


@always(on=[Written])
def a_write_is_what_is_stored(seen: Observer, event: Entry) -> None:
    """What a write is answered with at its resource version is what etcd holds at that revision.

    A version names one state, for whoever wrote it and for whoever watches. (apiserver/pkg/storage/etcd3/store.go.)
    """
    written = _written(event)
    change = seen.change_by(written)
    if change is None or written.obj is None or change.after is None:
        return
    assert same_content(written.obj, change.after), (
        f"{written.user} was told that {written.resource} {written.key} is {written.obj.digest_text()} at revision "
        f"{change.revision}; etcd holds {change.after.digest_text()}"
    )


@always(on=[Written])
def a_write_for_one_uid_changes_no_other(event: Entry) -> None:
    """A request that names a uid changes the object of that uid, or nothing.

    What was decided about an object that is gone would be done to its namesake. (k/k PR#116550: bindings;
    apiserver/pkg/storage/interfaces.go, Preconditions.)
    """
    written = _written(event)
    known = written.prev if written.prev is not None else written.obj
    assert not written.uid_asked or known is None or known.uid == written.uid_asked, (
        f"{written.user} meant {written.resource} {written.key} with uid {written.uid_asked}, and wrote the one with "
        f"uid {known.uid if known is not None else ''} ({_deed(written)})"
    )


@always(on=[Written])
def an_object_keeps_its_identity(event: Entry) -> None:
    """No write changes an object's uid or takes back that it is being deleted.

    Who owns it, and who waits for its end, would never know. (staging/src/k8s.io/apimachinery/pkg/api/validation,
    ValidateObjectMetaAccessorUpdate.)
    """
    written = _written(event)
    if written.prev is None or written.obj is None:
        return
    before, after = written.prev.metadata, written.obj.metadata
    assert before.uid == after.uid, (
        f"{written.user} changed the uid of {written.resource} {written.key} from {before.uid} to {after.uid}"
    )
    assert before.deletion_timestamp is None or after.deletion_timestamp is not None, (
        f"{written.user} took back the deletion of {written.resource} {written.key}"
    )


@always(on=[Written])
def nothing_goes_while_a_finalizer_stands(seen: Observer, event: Entry) -> None:
    """A delete removes no object that has had finalizers for 15 s; only who takes the last one away does.

    Whoever put it there still has something to clean up. A finalizer that comes while a delete is under way is too late: the
    server looks for finalizers first, and removes what it then finds. How dependents go is up to the last delete: it takes the
    finalizers of an earlier one's propagation away. (staging/src/k8s.io/apiserver/pkg/registry/generic/
    registry/store.go, Delete, deletionFinalizersForGarbageCollection and ShouldDeleteDuringUpdate.)
    """
    written = _written(event)
    if written.obj is not None or written.prev is None or written.verb not in REMOVING:
        return
    left = [one for one in written.prev.metadata.finalizers if one not in OF_PROPAGATION]
    assert not left or _had_none(seen, written.prev, event.at - DELETING_NS), (
        f"{written.user} deleted {written.resource} {written.key}, which had the finalizer {left[0]}"
    )


@always(on=[Written])
def nobody_exceeds_rbac(seen: Observer, event: Entry) -> None:
    """Nobody writes what no stored role allows.

    Judged where roles and bindings have been the same for 10 s, in calm: each server knows them through its own watch, and
    may be behind. Kubelets are judged by the node authorizer. (plugin/pkg/auth/authorizer/rbac/rbac.go.)
    """
    written = _written(event)
    rights = seen.rights
    if rights.changed_at is None or event.at - rights.changed_at < RIGHTS_KNOWN_NS:
        return
    if not seen.has_been_calm_since(event.at):
        return
    assert seen.may(written), f"{written.user} has done what no role allows: {_deed(written)}"


@always(on=[Written])
def watches_get_bookmarks(seen: Observer, event: Entry) -> None:
    """Each watch that asked for bookmarks is due one every minute, whether or not anything ever happened to its kind.

    Without them a client of a quiet kind keeps an old version, which falls out of the window of events: after the next reset it
    lists everything anew. Judged where no machine's time has run fast or slow.
    (staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go, dispatchEvents; commit 0df626818.)
    """
    late = seen.watches.late(event.by, event.at)
    assert late is None or seen.clocks_have_drifted, (
        f"{late.server} has owed a watch of {late.resource} a bookmark for {(event.at - late.since) / SECOND:.0f} s"
    )


def _had_none(seen: Observer, obj: KubeObject, since: int) -> bool:
    """Was an object without finalizers at that time or later?"""
    for change in reversed(seen.history.of(group_kind(obj)).changes):
        if change.after is not None and change.after.uid == obj.uid:
            if not change.after.metadata.finalizers:
                return True
            if change.at < since:
                return False
    return False


def _deed(written: Written) -> str:
    """`create pods/binding default/web-1`."""
    resource = f"{written.resource}/{written.subresource}" if written.subresource else written.resource
    return f"{written.verb} {resource} {written.key}"


def _written(event: Entry) -> Written:
    assert isinstance(event.event, Written), "woken by its own event only"
    return event.event
