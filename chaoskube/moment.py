"""Moments: what an action can be aimed at, by meaning: a write of a component, an event that reaches it.

    WRITE = moment("write", before=WriteSent, after=WriteAnswered, paired_by="number", told_by=("verb", "resource"))
    EVENT = stream_moment("event", label="watch/{}")

A moment of the first kind is told by two journal events of one process: the one that is written just before it
happens, and the one just after, before anybody has looked at what came of it (one of the two may be missing). `told_by`
are the attributes whose values may stand before its name in an aim: `2nd delete pods write`. One of the second kind is
a message that reaches a process on a stream with this label: `5th pods event at kubelet@node-1`.

The harness knows none but `message`, whatever a stream carries; models' moments are registered in scenarios, and found as
those are. `aim.py` names them, `sight.py` waits for them.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from chaoskube.sim import Catalogue, UsageError

BEFORE = "before"
AFTER = "after"


@frozen(kw_only=True)
class Moment:
    """A kind of moment in a component's life. Either journal events tell of it, or a stream's label."""

    name: str
    before: type | None = None
    after: type | None = None
    paired_by: str = ""
    """The attribute by which the event after belongs to the one before."""
    told_by: tuple[str, ...] = ()
    label: str = ""
    """Of a stream: what stands for `{}` is the one word that may stand before the name."""

    @property
    def is_of_stream(self) -> bool:
        """A message on a stream, not journal events."""
        return bool(self.label)

    @property
    def sides(self) -> tuple[str, ...]:
        """Where one can act: before it, after it."""
        if self.is_of_stream:
            return (BEFORE, AFTER)
        known = ((BEFORE, self.before), (AFTER, self.after))
        return tuple(side for side, event in known if event is not None)

    def stream_label(self, kinds: tuple[str, ...]) -> str:
        """The label that a stream moment means with these words before its name."""
        return self.label.replace("{}", "/".join(kinds))

    def kind_of_label(self, label: str) -> str | None:
        """The word that makes this label of the moment's, or None when it is another's."""
        head, found, tail = self.label.partition("{}")
        if not found or not (label.startswith(head) and label.endswith(tail)):
            return None
        return label[len(head) : len(label) - len(tail)] or None

    def is_meant(self, event: object, kinds: Iterable[str]) -> bool:
        """Does a journal event carry each of these words?"""
        return all(any(getattr(event, name) == kind for name in self.told_by) for kind in kinds)


moments: Catalogue[Moment] = Catalogue("moment")


def moment(
    name: str,
    *,
    before: type | None = None,
    after: type | None = None,
    paired_by: str = "",
    told_by: tuple[str, ...] = (),
) -> Moment:
    """Register what journal events tell of."""
    if before is None and after is None:
        raise UsageError(f"moment {name!r} needs the journal event before it, the one after it, or both")
    return moments.register(
        name, Moment(name=name, before=before, after=after, paired_by=paired_by, told_by=told_by)
    )


def stream_moment(name: str, *, label: str) -> Moment:
    """Register messages on streams whose label looks like this: `watch/{}`."""
    if "{}" not in label:
        raise UsageError(
            f"moment {name!r}: label={label!r} must have {{}} where the word before the name goes"
        )
    return moments.register(name, Moment(name=name, label=label))


MESSAGE = stream_moment("message", label="{}")
