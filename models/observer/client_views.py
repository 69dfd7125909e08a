"""What each client's cache was told and holds, held against what etcd held: the caches as a god sees them.

Clients mention what reaches their caches (`client/views.py`). Here each view has a place in the history of its kind; what
doesn't fit is mentioned at once as a ViewConflict, in words, so that an invariant only has to look. A view ends with its
process's life: the next begins anew, and may begin with an older state.

Of custom objects only their keys and revisions are compared: what is read may have defaults, or another version, that
what is stored has not.

Not modelled: two definitions, one after the other, that give one name to different kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from attrs import define, field, frozen

from chaoskube.models.apiserver.api import DELETED, MODIFIED
from chaoskube.models.apiserver.selection import predicate
from chaoskube.models.client.views import (
    ChangeHeard,
    StateHeard,
    StoreChanged,
    VersionHeard,
    View,
    ViewClosed,
)
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.crd import CustomResourceDefinition
from chaoskube.models.objects.resources import CustomVersion, Resource, Resources
from chaoskube.models.observer.history import GroupKind, History, KindHistory, group_kind, same_content
from chaoskube.models.stored import Change, Stored
from chaoskube.sim import SECOND, Entry, Journal, ProcessStopped, UsageError

BACKWARDS = "backwards"
GAP = "gap"
UNKNOWN_STATE = "unknown state"
STORE = "store"
FORGOTTEN = "forgotten"


@frozen(kw_only=True)
class ViewConflict:
    """A client was told what cannot be: `rule` says which of the promises it breaks, `words` how."""

    rule: str
    words: str


@define(eq=False, kw_only=True)
class _Known:
    """A view, and how far it has come."""

    by: str
    view: View
    history: KindHistory
    is_custom: bool
    matches: Callable[[KubeObject], bool] | None
    seen: int = 0
    place: int = 0
    """How many changes of its kind it is past."""
    store: dict[str, int] = field(factory=dict)
    updates: dict[str, int] = field(factory=dict)
    """The last update that it was told of each object."""
    is_checked: bool = False
    """The store was found right, and nothing has touched it since."""

    def has(self, obj: KubeObject | None) -> bool:
        """Does an object belong in this view?"""
        if obj is None or (self.view.namespace and obj.namespace != self.view.namespace):
            return False
        return self.matches is None or self.matches(obj)

    def concerns(self, change: Change) -> bool:
        """Is a change seen here?"""
        return self.has(change.before) or self.has(change.after)

    @property
    def name(self) -> str:
        """`kubelet@node-1's cache of pods`."""
        return f"{self.by}'s cache of {self.view.resource}"


@frozen(kw_only=True)
class Behind:
    """A cache that doesn't show an object as it is: since when, and which."""

    by: str
    resource: str
    key: str
    since: int
    """When the object became what the cache doesn't show."""


class ClientViews:
    """All caches of all clients."""

    def __init__(self, journal: Journal, history: History, stored: Stored) -> None:
        self._journal = journal
        self._history = history
        self._stored = stored
        self._views: dict[View, _Known | None] = {}
        self._unseen: set[tuple[str, str]] = set()
        journal.subscribe(StateHeard, self._state_heard)
        journal.subscribe(ChangeHeard, self._change_heard)
        journal.subscribe(VersionHeard, self._version_heard)
        journal.subscribe(StoreChanged, self._store_changed)
        journal.subscribe(ViewClosed, self._view_closed)
        journal.subscribe(ProcessStopped, self._process_stopped)

    def behind(self, now: int, patience_ns: int = 10 * SECOND) -> Iterator[Behind]:
        """Of each cache that has not shown a change for so long, the first object that is wrong there."""
        for known in self._views.values():
            if known is not None and not (known.is_checked and known.place == len(known.history.changes)):
                found = _first_wrong(known, now - patience_ns)
                known.is_checked = found is None
                if found is not None:
                    yield found

    def has_missed_one_of(self, owner: str, by: str) -> bool:
        """Has an object that this uid owns come and gone between what this process's cache showed and a list that replaced it?

        Whoever waits for a sign of it waits in vain.
        """
        return (by, owner) in self._unseen

    # -- what is heard

    def _state_heard(self, entry: Entry) -> None:
        heard = entry.event
        assert isinstance(heard, StateHeard), "subscribed to it"
        known = self._begin(entry, heard)
        if known is None:
            return
        revision = int(heard.resource_version)
        tell = partial(self._conflict, entry)
        if revision < known.seen:
            tell(BACKWARDS, f"{known.name} lists revision {revision} after it has seen {known.seen}")
        wrong = _wrong_in_list(known, heard.objects, revision)
        if wrong is not None:
            tell(UNKNOWN_STATE, f"{known.name} lists {wrong} at revision {revision}")
        place = known.history.place_after(revision)
        if known.seen:
            passed = known.history.changes[known.place : place]
            self._unseen.update((known.by, owner) for owner in _owners_of_unseen(passed))
        known.seen, known.place = revision, place

    def _change_heard(self, entry: Entry) -> None:
        heard = entry.event
        assert isinstance(heard, ChangeHeard), "subscribed to it"
        known = self._views.get(heard.view)
        if known is None:
            return
        revision = int(heard.obj.metadata.resource_version)
        what = f"{heard.obj.kind} {heard.obj.key}"
        if revision <= known.seen:
            words = (
                f"{known.name} is told that {what} is {heard.type} at revision {revision} after {known.seen}"
            )
            self._conflict(entry, BACKWARDS, words)
            return
        self._pass(entry, known, revision - 1)
        changes = known.history.changes
        change = changes[known.place] if known.place < len(changes) else None
        if change is None or change.revision != revision or not _is_told(known, change, heard):
            words = f"{known.name} is told that {what} is {heard.type} at revision {revision}, which etcd never held"
            self._conflict(entry, UNKNOWN_STATE, words)
        else:
            known.place += 1
        known.seen = revision
        if heard.type == MODIFIED:
            known.updates[heard.obj.key] = revision

    def _version_heard(self, entry: Entry) -> None:
        heard = entry.event
        assert isinstance(heard, VersionHeard), "subscribed to it"
        known = self._views.get(heard.view)
        if known is None:
            return
        revision = int(heard.resource_version)
        if revision < known.seen:
            words = f"{known.name} gets a bookmark at revision {revision} after it has seen {known.seen}"
            self._conflict(entry, BACKWARDS, words)
            return
        self._pass(entry, known, revision)
        known.seen = revision

    def _pass(self, entry: Entry, known: _Known, revision: int) -> None:
        """The view goes on to a revision: nothing that it should have been told of lies before."""
        changes = known.history.changes
        while known.place < len(changes) and changes[known.place].revision <= revision:
            change = changes[known.place]
            known.place += 1
            if known.concerns(change):
                words = f"{known.name} is never told that {change.words()} at revision {change.revision}"
                self._conflict(entry, GAP, words)

    def _store_changed(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, StoreChanged), "subscribed to it"
        known = self._views.get(event.view)
        if known is None:
            return
        known.is_checked = False
        for key, obj in event.now:
            if obj is None:
                known.store.pop(key, None)
                continue
            revision = int(obj.metadata.resource_version)
            before = known.store.get(key, 0)
            if not before and known.updates.get(key) == revision:
                words = f"{known.name} takes an update of {obj.kind} {key} at revision {revision}, and has not kept what it was before"
                self._conflict(entry, FORGOTTEN, words)
            if revision < before:
                words = f"{known.name} goes back with {obj.kind} {key} from revision {before} to {revision}"
                self._conflict(entry, STORE, words)
            known.store[key] = revision

    def _view_closed(self, entry: Entry) -> None:
        assert isinstance(entry.event, ViewClosed), "subscribed to it"
        self._views.pop(entry.event.view, None)

    def _process_stopped(self, entry: Entry) -> None:
        for view in [one for one, known in self._views.items() if known is not None and known.by == entry.by]:
            del self._views[view]

    # -- views

    def _begin(self, entry: Entry, heard: StateHeard) -> _Known | None:
        if heard.view not in self._views:
            self._views[heard.view] = self._known(entry.by, heard.view)
        return self._views[heard.view]

    def _known(self, by: str, view: View) -> _Known | None:
        resource = self._resource(view.resource)
        if resource is None:
            return None
        return _Known(
            by=by,
            view=view,
            history=self._history.of((resource.group, resource.kind)),
            is_custom=resource.custom is not None,
            matches=predicate(resource, view.label_selector, view.field_selector),
        )

    def _resource(self, name: str) -> Resource | None:
        """The resource of that name: a built-in one, or one of the definitions that are stored."""
        try:
            return Resources().resource_of(name)
        except UsageError:
            plural = name.partition(".")[0]
            for one in self._stored.all(CustomResourceDefinition):
                names, group = one.spec.names, one.spec.group
                if names.plural == plural and (name == plural or name.endswith(f".{group}")):
                    return _custom(plural, names.kind, group)
            return None

    def _conflict(self, entry: Entry, rule: str, words: str) -> None:
        self._journal.mention(entry.at, entry.by, ViewConflict(rule=rule, words=words))


def _owners_of_unseen(passed: Sequence[Change]) -> Iterator[str]:
    """Who owns what was made and removed in these changes."""
    made = {change.after.uid for change in passed if change.before is None and change.after is not None}
    for change in passed:
        if change.after is None and change.before is not None and change.before.uid in made:
            yield from (one.uid for one in change.before.metadata.owner_references or ())


def _is_told(known: _Known, change: Change, heard: ChangeHeard) -> bool:
    """Is this what the change made, or (deleted, or gone from the view) what it took away?"""
    one = change.before if heard.type == DELETED else change.after
    return one is not None and one.key == heard.obj.key and (known.is_custom or same_content(one, heard.obj))


def _custom(plural: str, kind: str, group: str) -> Resource:
    """As much of a custom resource as a view needs."""
    version = f"{group}/v1"
    told = CustomVersion(definition=f"{plural}.{group}", stored_as=version, list_kind=f"{kind}List")
    return Resource(plural=plural, kind=kind, api_version=version, namespaced=True, custom=told)


def _wrong_in_list(known: _Known, objects: tuple[KubeObject, ...], revision: int) -> str | None:
    """What a list shows that was not so at its revision, or leaves out; None when it is right."""
    held = {key: at for key, (at, obj) in known.history.state_at(revision).items() if known.has(obj)}
    for obj in objects:
        at = held.pop(obj.key, None)
        told = int(obj.metadata.resource_version)
        if at is None:
            return f"{obj.kind} {obj.key}, which was not there,"
        if at != told:
            return f"{obj.kind} {obj.key} of revision {told}, which had become {at},"
    return f"everything but {next(iter(held))}" if held else None


def _first_wrong(known: _Known, since: int) -> Behind | None:
    """The first object that this cache has shown wrong since then or longer."""
    now = known.history.now
    for key, (revision, obj) in now.items():
        if known.store.get(key) != revision and known.has(obj):
            at = _when(known.history, revision)
            if at <= since:
                return Behind(by=known.by, resource=known.view.resource, key=key, since=at)
    for key in known.store:
        held = now.get(key)
        if held is None or not known.has(held[1]):
            at = max((one.at for one in known.history.changes if one.obj.key == key), default=0)
            if at <= since:
                return Behind(by=known.by, resource=known.view.resource, key=key, since=at)
    return None


def _when(history: KindHistory, revision: int) -> int:
    return history.changes[history.place_after(revision) - 1].at


__all__ = ["Behind", "ClientViews", "GroupKind", "ViewConflict", "group_kind"]
