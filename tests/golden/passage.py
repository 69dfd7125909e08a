"""What a set of objects passed through: its states after each commit, and whether a value was among them in order.

A controller works from caches, and a cache is a prefix of the commits it watches. So each value it writes must
be the function of some prefix no later than the write, and never an earlier prefix than for the value before.
Who calls it: the rules about counts, slices and scales.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from attrs import define, frozen

from .recording import Watched
from .trees import Tree, text

T = TypeVar("T")
Live = dict[str, Tree]


@frozen(kw_only=True)
class Moment(Generic[T]):
    """The value that stood after the commit of that revision."""

    rv: int
    time: float
    value: T


def moments_of(commits: Iterable[Watched], value: Callable[[Live], T]) -> list[Moment[T]]:
    """The value after each commit, `value` being asked with the objects alive then, by uid."""
    return [Moment(rv=rv, time=time, value=value(live)) for rv, time, live in _prefixes(commits)]


def _prefixes(commits: Iterable[Watched]) -> Iterator[tuple[int, float, Live]]:
    live: Live = {}
    yield 0, 0.0, live
    for commit in commits:
        uid = text(commit.object, "metadata", "uid")
        live = dict(live)
        if commit.type == "DELETED":
            live.pop(uid, None)
        else:
            live[uid] = commit.object
        yield commit.rv, commit.t, live


@define
class Passage(Generic[T]):
    """Moments in order and how far they have been used up."""

    moments: list[Moment[T]]
    used: int = 0

    def allows(self, rv: int, accepts: Callable[[T], bool]) -> bool:
        """Whether a moment before `rv`, not before the last one used, is accepted; it is used then."""
        for at in range(self.used, len(self.moments)):
            if self.moments[at].rv >= rv:
                break
            if accepts(self.moments[at].value):
                self.used = at
                return True
        return False
