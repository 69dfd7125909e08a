"""Aims: when an action is done, by meaning. `before 2nd write of controller-manager-0`.

The nth moment of a kind (`moment.py`) in one process's life, counted from the time at which the action stands in the trace
(the story's beginning, unless the line begins with `from 12.5s`). So a trace keeps its meaning when other actions are taken
out, and a crash can fall between any two writes. Called by `action.py` (steps), `generate.py` and `machine.py` (which
draw some), `passes.py` (simpler ones).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from random import Random

import attrs
from attrs import frozen

from chaoskube.arguments import CannotApply, Names
from chaoskube.moment import AFTER, BEFORE, MESSAGE, Moment, moments
from chaoskube.sim import Entry, Network, UsageError

NTH_MAX = 100_000
NTH_DRAWN = (1, 1, 1, 2, 2, 3, 4, 6, 10)
SEEN_MIN = 2
CARRIED_MIN = 10
"""How often a moment must have come, or how many messages a stream must have carried, for the hunt to aim there."""
PROCESS = "process"
_ORDINAL = re.compile(r"([1-9]\d*)(?:st|nd|rd|th)?")
_AIM = re.compile(r"(before|after) (\S+) (.+?) (?:of|at) (\S+) (.+)")
EXAMPLE = "before 2nd write of controller-manager-0 crash process=controller-manager-0 down=2s"


@frozen(kw_only=True)
class Mark:
    """What can be aimed at: a kind of moment of one process."""

    moment: str
    process: str
    kinds: tuple[str, ...] = ()
    """Words that say which of them: of `delete pods write` the first two."""

    @property
    def definition(self) -> Moment:
        """The registered moment. Raises UsageError where there is none of this name."""
        return moments.get(self.moment)

    def text(self) -> str:
        """`pods write of controller-manager-0`, after the ordinal."""
        place = "at" if self.definition.is_of_stream else "of"
        return f"{' '.join((*self.kinds, self.moment))} {place} {self.process}"


@frozen(kw_only=True)
class Aim:
    """The nth moment from some time on, and on which side of it."""

    side: str
    nth: int
    mark: Mark

    def text(self) -> str:
        """`before 2nd write of controller-manager-0`."""
        return f"{self.side} {ordinal(self.nth)} {self.mark.text()}"

    def check(self, names: Names) -> None:
        """CannotApply when there is no such process."""
        known = names(PROCESS)
        if self.mark.process not in known:
            raise CannotApply(
                f"there is no process {self.mark.process!r} to aim at; there are {_some(known)}"
            )

    def simpler(self) -> Iterator[Aim]:
        """With fewer words; then earlier ones: the first, then half as far, then the one before."""
        if not self.mark.definition.is_of_stream:
            for place in range(len(self.mark.kinds)):
                kinds = self.mark.kinds[:place] + self.mark.kinds[place + 1 :]
                yield attrs.evolve(self, mark=attrs.evolve(self.mark, kinds=kinds))
        seen = {self.nth}
        for nth in (1, self.nth // 2, self.nth - 1):
            if 1 <= nth and nth not in seen:
                seen.add(nth)
                yield attrs.evolve(self, nth=nth)

    def at_process(self, process: str) -> Aim:
        """The same in another process's life."""
        return attrs.evolve(self, mark=attrs.evolve(self.mark, process=process))


def parse_aim(text: str) -> tuple[Aim, str]:
    """An aim and the rest of a line, its action. UsageError says what is wrong."""
    found = _AIM.fullmatch(text)
    if found is None:
        raise UsageError(f"{text[:80]!r} is not an aimed action; write it like: {EXAMPLE}")
    side, number, words, process, rest = found.groups()
    counted = _ORDINAL.fullmatch(number)
    if counted is None or int(counted[1]) > NTH_MAX:
        raise UsageError(f"{number!r} must be 1st, 2nd, 3rd, up to {NTH_MAX}th; write it like: {EXAMPLE}")
    *kinds, name = words.split()
    mark = Mark(moment=name, process=process, kinds=tuple(kinds))
    _check(mark, side)
    return Aim(side=side, nth=int(counted[1]), mark=mark), rest


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def marks_seen(entries: Iterable[Entry], network: Network, processes: Sequence[str]) -> dict[Mark, int]:
    """What has happened more than once and may happen again, and how often; the latest last.

    Of what each process does, the half that it did last: much of the rest belongs to its beginning, and never comes again.

    Of a moment that is told by words, the marks with its first two words (a verb and a resource, say), with each, and none;
    of streams, those that carry something now.
    """
    by_event = {one.before or one.after: one for one in moments if not one.is_of_stream}
    wanted = frozenset(processes)
    found: dict[Mark, int] = {}
    for entry in entries:
        one = by_event.get(type(entry.event))
        if one is not None and entry.by in wanted:
            for kinds in _kinds(one, entry.event):
                mark = Mark(moment=one.name, process=entry.by, kinds=kinds)
                found[mark] = found.pop(mark, 0) + 1
    marks = _latest_half({mark: count for mark, count in found.items() if count >= SEEN_MIN})
    streams = [one for one in moments if one.is_of_stream and one is not MESSAGE]
    for label, process in network.opened_streams:
        carried = network.carried(label, process) if process in wanted else 0
        if carried >= CARRIED_MIN:
            kinds_of = [(one.name, one.kind_of_label(label)) for one in streams]
            marks |= {
                Mark(moment=name, process=process, kinds=(kind,)): carried
                for name, kind in kinds_of
                if kind is not None
            }
    return marks


def _latest_half(marks: Mapping[Mark, int]) -> dict[Mark, int]:
    of_process = Counter(mark.process for mark in marks)
    passed: Counter[str] = Counter()
    kept = {}
    for mark, count in marks.items():
        passed[mark.process] += 1
        if 2 * passed[mark.process] > of_process[mark.process]:
            kept[mark] = count
    return kept


def draw_aim(marks: Mapping[Mark, int], rng: Random, is_wanted: Callable[[Mark], bool]) -> Aim | None:
    """An aim at one of the marks that are wanted, not farther away than have come already; None when there is none."""
    wanted = [mark for mark in marks if is_wanted(mark)]
    if not wanted:
        return None
    process = rng.choice(list(dict.fromkeys(mark.process for mark in wanted)))
    mark = rng.choice([one for one in wanted if one.process == process])
    nth = min(rng.choice(NTH_DRAWN), max(1, marks[mark] // 2))
    return Aim(side=rng.choice(mark.definition.sides), nth=nth, mark=mark)


def _kinds(one: Moment, event: object) -> Iterator[tuple[str, ...]]:
    words = tuple(word for name in one.told_by if (word := str(getattr(event, name))))
    yield ()
    yield from ((word,) for word in words[:2])
    if len(words) > 1:
        yield words[:2]


def _check(mark: Mark, side: str) -> None:
    one = mark.definition
    if side not in one.sides:
        raise UsageError(f"nothing can be aimed {side} a {one.name}; write {' or '.join(one.sides)}")
    if one.is_of_stream and len(mark.kinds) != 1:
        word = "watch/pods" if one is MESSAGE else "pods"
        example = f"{side} 2nd {word} {one.name} at {mark.process}"
        raise UsageError(f"one word before {one.name} must say which stream; write it like: {example}")
    if mark.kinds and not one.is_of_stream and not one.told_by:
        raise UsageError(f"a {one.name} is not told by {' '.join(mark.kinds)!r}; write {one.name} alone")


def _some(known: Sequence[str]) -> str:
    return ", ".join(known[:8]) or "none at all"


__all__ = ["AFTER", "BEFORE", "Aim", "Mark", "draw_aim", "marks_seen", "ordinal", "parse_aim"]
