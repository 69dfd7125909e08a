"""A recording seen as the histories of its objects, in the order of commits.

Watch records are sorted by resource version (one counter for all kinds), so a run is a list of commits; each
object's commits, from ADDED to DELETED, are its `History`. A watch that was opened again repeats ADDED for what
is known: those repeats are dropped. Who calls it: pairing, the rules, the player's binding.
"""

from __future__ import annotations

from attrs import field, frozen

from .recording import Recording, Watched
from .trees import Tree, items, mapping, text


@frozen(kw_only=True)
class History:
    """One object of a run, from its first commit to its last."""

    kind: str
    ns: str | None
    name: str
    uid: str
    commits: tuple[Watched, ...]

    @property
    def first(self) -> Tree:
        """The object as it was first seen."""
        return self.commits[0].object

    @property
    def last(self) -> Tree:
        """The object as it was last seen."""
        return self.commits[-1].object

    @property
    def first_labels(self) -> dict[str, str]:
        """The labels it was born with."""
        return labels_of(self.first)

    @property
    def owner(self) -> Tree:
        """The controlling owner reference it was born with, empty without one."""
        return controller_of(self.first)

    def seen_at(self, rv: int) -> Tree | None:
        """The object at that revision; None before its birth and after its end."""
        seen: Tree | None = None
        for commit in self.commits:
            if commit.rv > rv:
                break
            seen = None if commit.type == "DELETED" else commit.object
        return seen


@frozen(kw_only=True)
class Run:
    """A recording as histories; `commits` are all of them in order of revision."""

    recording: Recording
    commits: tuple[Watched, ...]
    objects: tuple[History, ...] = field()

    def of_kind(self, kind: str) -> tuple[History, ...]:
        """The objects of a kind, in the order of their creation."""
        return tuple(found for found in self.objects if found.kind == kind)

    def owned_by(self, uid: str, kind: str) -> tuple[History, ...]:
        """The objects of a kind that ever had that controlling owner."""
        return tuple(
            found
            for found in self.of_kind(kind)
            if any(text(controller_of(commit.object), "uid") == uid for commit in found.commits)
        )


def as_run(recording: Recording) -> Run:
    """The recording's watch records as commits and histories."""
    order = {"ADDED": 0, "MODIFIED": 1, "DELETED": 2}
    watched = [record for record in recording.records if isinstance(record, Watched)]
    watched.sort(key=lambda found: (found.rv, order.get(found.type, 3)))
    commits: list[Watched] = []
    by_uid: dict[str, list[Watched]] = {}
    for record in watched:
        known = by_uid.setdefault(text(record.object, "metadata", "uid"), [])
        if known and (
            known[-1].rv >= record.rv or (record.type == "ADDED" and known[-1].object == record.object)
        ):
            continue
        known.append(record)
        commits.append(record)
    objects = tuple(
        History(kind=known[0].kind, ns=known[0].ns, name=known[0].name, uid=uid, commits=tuple(known))
        for uid, known in by_uid.items()
    )
    return Run(recording=recording, commits=tuple(commits), objects=objects)


def controller_of(tree: Tree) -> Tree:
    """The owner reference with `controller: true`, empty without one."""
    return next(
        (owner for owner in items(tree, "metadata", "ownerReferences") if owner.get("controller")), {}
    )


def is_deleting(tree: Tree) -> bool:
    """Whether deletionTimestamp is set."""
    return bool(text(tree, "metadata", "deletionTimestamp"))


def labels_of(tree: Tree) -> dict[str, str]:
    """The object's labels."""
    return {
        key: value for key, value in mapping(tree, "metadata", "labels").items() if isinstance(value, str)
    }
