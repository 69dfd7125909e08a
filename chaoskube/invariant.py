"""Invariants: what must hold, as short functions with a docstring that says the rule.

    @always(on=[BecameLeader])
    def one_leader_a_term(seen: Observer, event: Entry) -> None:
        '''A Raft term has at most one leader.'''
        assert ...

A function takes, by name, what it needs of: `seen` (the subject's observer), `event` (the journal's
entry that woke it) and `memory` (a dict of this run and this invariant). It fails with a plain assert.

- `always`: asked at each event of the kinds it names, and at no other time.
- `eventually`: asked once faults have stopped; must hold within the bound and stay so to the end.
- `sometimes`: some run of a hunt must get here (the function must pass once); a hunt that never does says so.

`run.py` asks them. Each has its own subclass of Violation, because Hypothesis tells failures apart by
type and line, and all of ours are raised from one line.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from attrs import frozen

from chaoskube.sim import Blocked, ChaoskubeError, Entry, UsageError, seconds, show

ALWAYS = "always"
EVENTUALLY = "eventually"
SOMETIMES = "sometimes"
_PARAMETERS = ("seen", "event", "memory")

if not __debug__:
    raise UsageError("chaoskube refuses to run under python -O: invariants are written with assert")


_SEEN_ALONE = ("seen",)


class Violation(ChaoskubeError, AssertionError):
    """An invariant does not hold. `violation_type` makes one subclass for each invariant."""

    invariant = ""
    story = ""
    """The whole story, where it has been told already."""


@frozen(kw_only=True)
class Invariant:
    """A named claim, its kind, and when it is asked."""

    name: str
    kind: str
    doc: str
    on: tuple[type, ...]
    within_ns: int
    function: Callable[..., object]
    wants: tuple[str, ...]

    @property
    def rule(self) -> str:
        """The rule in one sentence: the docstring's first paragraph."""
        return " ".join(self.doc.split("\n\n")[0].split())

    def ask(self, seen: object, event: Entry | None, memory: dict[str, object]) -> str | None:
        """None when it holds, else what it says; UsageError when it fails in another way."""
        try:
            if self.wants == _SEEN_ALONE:  # most want no more, and are asked hundreds of times a second
                answer = self.function(seen=seen)
            else:
                given = {"seen": seen, "event": event, "memory": memory}
                answer = self.function(**{name: given[name] for name in self.wants})
        except AssertionError as problem:
            return _first_lines(str(problem)) or f"{self.rule} ({_place(problem)})"
        except Blocked as problem:
            raise UsageError(f"invariant {self.name} does not come to an end: {problem}") from problem
        except (Exception, SystemExit) as problem:
            when = (
                f" at {show(event.at)} on {type(event.event).__name__} by {event.by or 'harness'}"
                if event
                else ""
            )
            raise UsageError(
                f"invariant {self.name} raised {type(problem).__name__}: {_first_lines(str(problem))}{when} "
                f"({_place(problem)}); an invariant may only fail with assert"
            ) from problem
        if answer is not None:
            raise UsageError(
                f"invariant {self.name} returned {answer!r:.60}; it must say what is wrong with assert, and return nothing"
            )
        return None


def always(*bare: object, on: Sequence[type] = ()) -> Callable[[Callable[..., object]], Invariant]:
    """True at every event of these types (`object` stands for every event)."""
    _check_events("always", bare, on)
    return lambda function: _make(function, ALWAYS, on, 0)


def eventually(*bare: object, within: str = "") -> Callable[[Callable[..., object]], Invariant]:
    """True within this time once faults have stopped, and from then on."""
    if bare or not within:
        raise UsageError("@eventually(within=...) must say how soon, such as @eventually(within='60s')")
    return lambda function: _make(function, EVENTUALLY, (), seconds(within))


def sometimes(*bare: object, on: Sequence[type] = ()) -> Callable[[Callable[..., object]], Invariant]:
    """Some run of a hunt must pass this at one of these events."""
    _check_events("sometimes", bare, on)
    return lambda function: _make(function, SOMETIMES, on, 0)


@cache
def violation_type(invariant: str) -> type[Violation]:
    """The Violation subclass of one invariant; the same one each time."""
    name = "Violation_" + "".join(char if char.isalnum() else "_" for char in invariant)
    return type(name, (Violation,), {"invariant": invariant, "__module__": __name__})


def collect(things: object) -> tuple[Invariant, ...]:
    """The invariants of a module (or several), in order of definition."""
    if isinstance(things, Invariant):
        return (things,)
    if isinstance(things, Mapping | str) or not isinstance(things, Iterable):
        found = vars(things).values() if hasattr(things, "__dict__") else ()
        return tuple(thing for thing in found if isinstance(thing, Invariant))
    return tuple(one for thing in things for one in collect(thing))


def _check_events(kind: str, bare: Sequence[object], on: Sequence[type]) -> None:
    if bare or not on:
        raise UsageError(
            f"@{kind}(on=[...]) must name at least one event type, such as @{kind}(on=[Written])"
        )
    for one in on:
        if not isinstance(one, type):
            raise UsageError(
                f"@{kind}(on=[{one!r}]) must name event types (classes), not {type(one).__name__}"
            )


def _make(function: Callable[..., object], kind: str, on: Sequence[type], within_ns: int) -> Invariant:
    name = function.__name__.replace("_", "-")
    wants = tuple(inspect.signature(function).parameters)
    foreign = [one for one in wants if one not in _PARAMETERS]
    if foreign:
        raise UsageError(f"invariant {name} asks for {foreign[0]!r}; it may ask for {', '.join(_PARAMETERS)}")
    if kind == EVENTUALLY and "event" in wants:
        raise UsageError(f"invariant {name} is asked at no event; take `event` out of its parameters")
    doc = inspect.getdoc(function)
    if not doc:
        raise UsageError(f"invariant {name} needs a docstring: the rule in one sentence")
    return Invariant(
        name=name, kind=kind, doc=doc, on=tuple(on), within_ns=within_ns, function=function, wants=wants
    )


def _first_lines(text: str) -> str:
    """A message without pytest's rewritten comparison below it."""
    return text.split("\nassert ")[0].split("\n  ")[0].strip()[:500]


def _place(problem: BaseException) -> str:
    frames = traceback.extract_tb(problem.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "no place"
