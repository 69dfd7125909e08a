"""An object's list of managers (metadata.managedFields), worked out when somebody reads it.

Every write changes the list, hardly anybody looks at it, and working it out costs more than the write. So a write only
notes what it changed, on top of the list as it was (`later`); reading the entries settles the notes in their order, once.
A write that sets again what the one before it set, by the same manager, only moves its time (a lease is renewed), and
needs no note of its own. After NOTES_MAX notes a list settles, so that old versions of an object don't live for ever.

Two lists are equal when the entries that somebody set on purpose (an apply, a body) are: a note says who made a
difference that stands elsewhere in the object, so it makes none itself. Times alone make none either: a server-side
apply that changes nothing is not written (apiserver pkg/endpoints/handlers/fieldmanager/equality.go).
Source: staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/managedfields.go.

Held by ObjectMeta; made by updating.py, applying.py and the codec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from attrs import frozen

from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.managed.field_set import NOTHING, FieldSet
from chaoskube.models.objects.times import parse_time, second, time_text
from chaoskube.sim import UsageError

APPLY: Final = "Apply"
UPDATE: Final = "Update"
NOTES_MAX: Final = 4
_FIELDS_TYPE: Final = "FieldsV1"

Identity: TypeAlias = tuple[str, str, str, str]


@frozen(kw_only=True)
class Entry:
    """What one manager manages, by one way of writing."""

    manager: str
    operation: str
    api_version: str
    fields: FieldSet = NOTHING
    subresource: str = ""
    time: int | None = None

    @property
    def identity(self) -> Identity:
        """What tells managers apart; an applier is the same in every version of the API."""
        version = "" if self.operation == APPLY else self.api_version
        return (self.manager, self.operation, version, self.subresource)


Entries: TypeAlias = tuple[Entry, ...]


class Note(Protocol):
    """What a write did to the managers."""

    def __call__(self, entries: Entries) -> Entries:
        """The managers after it."""

    def repeats(self, earlier: Note) -> Note | None:
        """One note for the earlier write and this one right after it, if this one says nothing new; else None."""


class Managers:
    """The managers of one version of an object."""

    __slots__ = ("_base", "_count", "_entries", "_note")

    def __init__(self, entries: Entries = ()) -> None:
        self._entries = entries
        self._base: Managers | None = None
        self._note: Note | None = None
        self._count = 0

    @property
    def entries(self) -> Entries:
        """Who manages what, in the order of the API."""
        if self._note is not None:
            self._settle()
        return self._entries

    def later(self, note: Note) -> Managers:
        """These after one more write, which is worked out when it is asked for."""
        result = Managers()
        both = note.repeats(self._note) if self._note is not None else None
        if both is not None:
            result._base, result._note, result._count = self._base, both, self._count
            return result
        if self._count >= NOTES_MAX:
            self._settle()
        result._base, result._note, result._count = self, note, self._count + 1
        return result

    def _settle(self) -> None:
        notes: list[Note] = []
        node = self
        while node._note is not None and node._base is not None:
            notes.append(node._note)
            node = node._base
        entries = node._entries
        for note in reversed(notes):
            entries = note(entries)
        self._entries = entries
        self._base = self._note = None
        self._count = 0

    def _set_on_purpose(self) -> Managers:
        node = self
        while node._base is not None:
            node = node._base
        return node

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Managers):
            return NotImplemented
        one, two = self._set_on_purpose(), other._set_on_purpose()
        if one is two:
            return True
        if self._note is not None or other._note is not None:
            one, two = (self, other)
        return _without_times(one.entries) == _without_times(two.entries)

    def __hash__(self) -> int:
        return 0  # equal lists may be settled or not; nobody looks an object up by its managers

    def __repr__(self) -> str:
        return f"Managers({self.entries!r})"

    def encode(self) -> list[Tree]:
        """As metadata.managedFields has it."""
        return [_encode(entry) for entry in self.entries]

    @staticmethod
    def decode(value: object) -> Managers | None:
        """From metadata.managedFields; None when it isn't usable, which counts as not given.

        An empty list, or one with an empty entry, is a list with nobody in it: how a client forgets all managers.
        """
        if not isinstance(value, (list, tuple)):
            return None
        if not value or len(value) == 1 and value[0] == {}:
            return Managers()
        try:
            return Managers(in_order([_decode(entry) for entry in value]))
        except (ValueError, UsageError):
            return None


def in_order(entries: Sequence[Entry]) -> Entries:
    """Sorted as the API shows them: appliers first, then by time, then by name."""
    return tuple(
        sorted(
            entries,
            key=lambda entry: (
                entry.operation,
                entry.time or 0,
                entry.manager,
                entry.api_version,
                entry.subresource,
            ),
        )
    )


def _without_times(entries: Entries) -> dict[Identity, tuple[str, FieldSet]]:
    return {entry.identity: (entry.api_version, entry.fields) for entry in entries}


def _encode(entry: Entry) -> Tree:
    tree: Tree = {
        "manager": entry.manager,
        "operation": entry.operation,
        "apiVersion": entry.api_version,
        "fieldsType": _FIELDS_TYPE,
        "fieldsV1": entry.fields.encode(),
    }
    if entry.time is not None:
        tree["time"] = time_text(entry.time)
    if entry.subresource:
        tree["subresource"] = entry.subresource
    return tree


def _decode(tree: Mapping[str, Any]) -> Entry:
    if not isinstance(tree, Mapping) or tree.get("operation") not in (APPLY, UPDATE):
        raise ValueError("operation must be `Apply` or `Update`")
    if not tree.get("apiVersion"):
        raise ValueError("apiVersion must not be empty")
    if tree.get("fieldsType") != _FIELDS_TYPE:
        raise ValueError(f"fieldsType {tree.get('fieldsType')!r} must be {_FIELDS_TYPE}")
    time, fields = tree.get("time"), tree.get("fieldsV1") or {}
    if not isinstance(fields, Mapping):
        raise ValueError(f"fieldsV1 must be a mapping, is {fields!r}")  # noqa: TRY004  # as all else that is malformed
    return Entry(
        manager=str(tree.get("manager", "")),
        operation=str(tree["operation"]),
        api_version=str(tree["apiVersion"]),
        fields=FieldSet.decode(fields),
        subresource=str(tree.get("subresource", "")),
        time=None if time is None else second(parse_time(str(time))),
    )
