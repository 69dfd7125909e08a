"""What an action may be told: one declaration gives every form that an argument takes.

`down: int = duration("0.1s", "1s", "60s")` in an action's class says how the argument is drawn by the
hunt (from the run's own random stream), drawn by Hypothesis (as a strategy), written in a trace, read
back, and made simpler. Names of things (processes, nodes, deployments) come from the scenario's subject,
simplest first, so the harness needs no knowledge of them.

Called by `action.py` (fields, text), `generate.py` (draws), `strategies.py`, `passes.py` (simpler values).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import attrs

from chaoskube.sim import SECOND, UsageError, seconds, show

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
Names = Callable[[str], Sequence[str]]
"""The names that a kind of target has now, simplest first (a subject's `targets`)."""

_ARGUMENT = "chaoskube.argument"
SET_SIZE_MAX = 64
LONG_LIST = 12
"""Of more names than this, the first few are drawn most of the time."""


class CannotApply(UsageError):
    """An action cannot be done in this world at this time; the message says why."""


class Argument(Generic[T]):
    """One argument of an action in all its forms; subclasses say what its values are."""

    shown_always = True

    def draw(self, rng: Random, names: Names) -> T:
        """A value from the run's own stream."""
        raise NotImplementedError

    def strategy(self, names: Names) -> SearchStrategy[T]:
        """The same values for Hypothesis, simplest first."""
        raise NotImplementedError

    def text(self, value: T) -> str:
        """The value as it stands in a trace."""
        return str(value)

    def parse(self, text: str) -> T:
        """The value that stands in a trace; UsageError says what was expected."""
        raise NotImplementedError

    def simpler(self, value: T, names: Names) -> Iterator[T]:
        """Simpler values to try instead, the simplest first."""
        raise NotImplementedError

    def check(self, value: T, names: Names) -> str | None:
        """Why the value does not fit this world now, or None."""
        return None


@attrs.frozen
class Target(Argument[str]):
    """The name of one thing of a kind."""

    kind: str

    def draw(self, rng: Random, names: Names) -> str:
        """The first names are the ones that matter most; they are drawn more often."""
        return draw_name(_some(names, self.kind), rng)

    def strategy(self, names: Names) -> SearchStrategy[str]:
        from hypothesis import strategies as st

        return st.sampled_from(_some(names, self.kind))

    def parse(self, text: str) -> str:
        return text

    def simpler(self, value: str, names: Names) -> Iterator[str]:
        for name in names(self.kind):
            if name == value:
                return
            yield name

    def check(self, value: str, names: Names) -> str | None:
        known = names(self.kind)
        return None if value in known else f"there is no {self.kind} {value!r}{_near(value, known)}"


@attrs.frozen
class Group(Argument[tuple[str, ...]]):
    """Some things of one kind, in the subject's order; empty only where `or_none` allows it."""

    kind: str
    or_none: bool = False

    @property
    def shown_always(self) -> bool:  # type: ignore[override]  # a group that may be empty is left out then
        return not self.or_none

    def draw(self, rng: Random, names: Names) -> tuple[str, ...]:
        known = _some(names, self.kind)
        if self.or_none and rng.random() < 0.75:
            return ()
        size = 1 if rng.random() < 0.5 else rng.randint(1, max(1, len(known) // 2))
        chosen = sorted(rng.sample(range(len(known)), size))
        return tuple(known[index] for index in chosen)

    def strategy(self, names: Names) -> SearchStrategy[tuple[str, ...]]:
        from hypothesis import strategies as st

        known = _some(names, self.kind)
        most = min(SET_SIZE_MAX, max(1, len(known) // 2))
        least = 0 if self.or_none else 1
        indexes = st.lists(st.integers(0, len(known) - 1), min_size=least, max_size=most, unique=True)
        return indexes.map(lambda some: tuple(known[index] for index in sorted(some)))

    def text(self, value: tuple[str, ...]) -> str:
        return ",".join(value)

    def parse(self, text: str) -> tuple[str, ...]:
        value = tuple(name for name in text.split(",") if name)
        if not value and not self.or_none:
            raise UsageError(f"at least one {self.kind} must be named")
        if len(set(value)) < len(value):
            raise UsageError(f"{text!r} names one {self.kind} twice")
        return value

    def simpler(self, value: tuple[str, ...], names: Names) -> Iterator[tuple[str, ...]]:
        if self.or_none and value:
            yield ()
        if len(value) > 1:
            yield from ((name,) for name in value)
            yield from (value[:index] + value[index + 1 :] for index in range(len(value)))
        elif value:
            yield from ((name,) for name in Target(self.kind).simpler(value[0], names))

    def check(self, value: tuple[str, ...], names: Names) -> str | None:
        problems = (Target(self.kind).check(name, names) for name in value)
        return next((problem for problem in problems if problem), None)


@attrs.frozen
class Duration(Argument[int]):
    """A time span in nanoseconds, between two bounds; shorter is simpler."""

    least_ns: int
    usual_ns: int
    most_ns: int

    def draw(self, rng: Random, names: Names) -> int:
        """Short spans are as likely as long ones: uniform in the exponent, two digits kept."""
        low, high = (self.least_ns, self.usual_ns) if rng.random() < 0.5 else (self.usual_ns, self.most_ns)
        drawn = int(max(low, 1) * (high / max(low, 1)) ** rng.random())
        return min(max(_two_digits(drawn), self.least_ns), self.most_ns)

    def strategy(self, names: Names) -> SearchStrategy[int]:
        from hypothesis import strategies as st

        unit = self.least_ns or self.usual_ns
        return st.integers(self.least_ns // unit, self.most_ns // unit).map(lambda count: count * unit)

    def text(self, value: int) -> str:
        return show(value)

    def parse(self, text: str) -> int:
        value = seconds(text)
        if value > 1000 * self.most_ns:
            raise UsageError(f"{text} is out of bounds; up to {show(self.most_ns)} makes sense here")
        return value

    def simpler(self, value: int, names: Names) -> Iterator[int]:
        """The shortest, the usual, then halves; then rounder values of about the same size."""
        seen = {value}
        halves = [value // 2, value * 3 // 4, value * 9 // 10]
        rounder = [value // unit * unit for unit in (60 * SECOND, 10 * SECOND, SECOND, SECOND // 10)]
        for candidate in [self.least_ns, self.usual_ns, *map(_two_digits, halves), *rounder]:
            if self.least_ns <= candidate < value and candidate not in seen:
                seen.add(candidate)
                yield candidate


@attrs.frozen
class Integer(Argument[int]):
    """A whole number between two bounds; closer to `simplest` is simpler."""

    least: int
    most: int
    simplest: int

    def draw(self, rng: Random, names: Names) -> int:
        """The ends are where things break."""
        return (
            rng.choice((self.least, self.most)) if rng.random() < 0.4 else rng.randint(self.least, self.most)
        )

    def strategy(self, names: Names) -> SearchStrategy[int]:
        from hypothesis import strategies as st

        above = st.integers(self.simplest, self.most)
        if self.least == self.simplest:
            return above
        return above | st.integers(self.least, self.simplest - 1).map(
            lambda value: self.least + self.simplest - 1 - value
        )

    def parse(self, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise UsageError(f"{text!r} is not a whole number") from None
        if not self.least <= value <= self.most:
            raise UsageError(f"{value} is out of bounds; it must be from {self.least} to {self.most}")
        return value

    def simpler(self, value: int, names: Names) -> Iterator[int]:
        step = 1 if value > self.simplest else -1
        far = abs(value - self.simplest)
        seen = set()
        for distance in (0, far // 2, far - 1):
            candidate = self.simplest + step * distance
            if 0 <= distance < far and candidate not in seen:
                seen.add(candidate)
                yield candidate


@attrs.frozen
class Choice(Argument[str]):
    """One of some words, the first the simplest; left out of the text when it is the first."""

    words: tuple[str, ...]
    shown_always = False

    def draw(self, rng: Random, names: Names) -> str:
        return rng.choice(self.words)

    def strategy(self, names: Names) -> SearchStrategy[str]:
        from hypothesis import strategies as st

        return st.sampled_from(self.words)

    def parse(self, text: str) -> str:
        if text not in self.words:
            raise UsageError(f"{text!r} must be one of {', '.join(self.words)}{_near(text, self.words)}")
        return text

    def simpler(self, value: str, names: Names) -> Iterator[str]:
        yield from self.words[: self.words.index(value)]


@attrs.frozen
class Flag(Argument[bool]):
    """Yes or no; no is simpler, and left out of the text."""

    shown_always = False

    def draw(self, rng: Random, names: Names) -> bool:
        return rng.random() < 0.5

    def strategy(self, names: Names) -> SearchStrategy[bool]:
        from hypothesis import strategies as st

        return st.booleans()

    def text(self, value: bool) -> str:
        return "yes" if value else "no"

    def parse(self, text: str) -> bool:
        if text not in ("yes", "no"):
            raise UsageError(f"{text!r} must be yes or no")
        return text == "yes"

    def simpler(self, value: bool, names: Names) -> Iterator[bool]:
        if value:
            yield False


@attrs.frozen
class Word(Argument[str]):
    """A text out of a corpus of believable ones, simplest first; a trace may hold any other text."""

    corpus: str

    def draw(self, rng: Random, names: Names) -> str:
        words = _corpus(self.corpus)
        return rng.choice(words[:8]) if rng.random() < 0.5 else rng.choice(words)

    def strategy(self, names: Names) -> SearchStrategy[str]:
        from hypothesis import strategies as st

        return st.sampled_from(_corpus(self.corpus))

    def parse(self, text: str) -> str:
        if not text:
            raise UsageError(f"a {self.corpus} must not be empty")
        return text

    def simpler(self, value: str, names: Names) -> Iterator[str]:
        words = _corpus(self.corpus)
        yield from words[: words.index(value) if value in words[:8] else 1]


def draw_name(known: Sequence[str], rng: Random) -> str:
    """One of these names, the first more often than the last."""
    bias = 3 if len(known) > LONG_LIST else 1.5
    return known[int(len(known) * rng.random() ** bias)]


def target(kind: str) -> str:
    """An argument that names one thing of this kind."""
    return cast(str, _field(Target(kind)))


def group(kind: str, *, or_none: bool = False) -> tuple[str, ...]:
    """An argument that names some things of this kind."""
    return cast(tuple[str, ...], _field(Group(kind, or_none), () if or_none else attrs.NOTHING))


def duration(least: str, usual: str, most: str) -> int:
    """An argument that is a time span, in ns inside and like `5s` in text."""
    bounds = [seconds(text) for text in (least, usual, most)]
    if bounds != sorted(bounds) or not bounds[1]:
        raise UsageError(f"duration({least!r}, {usual!r}, {most!r}) must be given in growing order")
    return cast(int, _field(Duration(*bounds), bounds[1]))


def integer(least: int, most: int, *, simplest: int | None = None) -> int:
    """An argument that is a whole number."""
    first = least if simplest is None else simplest
    if not least <= first <= most:
        raise UsageError(f"integer({least}, {most}, simplest={first}) must be given in growing order")
    return cast(int, _field(Integer(least, most, first), first))


def choice(*words: str) -> str:
    """An argument that is one of these words, the simplest first."""
    return cast(str, _field(Choice(words), words[0]))


def flag() -> bool:
    """An argument that is yes or no."""
    return cast(bool, _field(Flag(), False))


def word(corpus: str) -> str:
    """An argument out of one of `corpus.py`'s lists: `image`, `name`, ..."""
    return cast(str, _field(Word(corpus)))


def declared(cls: type) -> dict[str, Argument[object]]:
    """The arguments that an action's class declares, by name, in order."""
    fields = attrs.fields(cls)
    undeclared = [field.name for field in fields if _ARGUMENT not in field.metadata]
    if undeclared:
        raise UsageError(
            f"{cls.__name__}.{undeclared[0]} must be declared with target(...), duration(...) "
            "or another of chaoskube.arguments"
        )
    return {field.name: field.metadata[_ARGUMENT] for field in fields}


def _field(argument: Argument[T], default: object = attrs.NOTHING) -> object:
    return attrs.field(default=default, metadata={_ARGUMENT: argument})


def _some(names: Names, kind: str) -> Sequence[str]:
    known = names(kind)
    if not known:
        raise CannotApply(f"there is no {kind} here")
    return known


def _near(text: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(text, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(known[:8])}" if known else "; there is none at all"


def _two_digits(value: int) -> int:
    """The value with its first two digits only: 12345 -> 12000."""
    unit: int = 10 ** max(0, len(str(value)) - 2)
    return value // unit * unit


def _corpus(name: str) -> tuple[str, ...]:
    from chaoskube.corpus import words

    return words(name)
