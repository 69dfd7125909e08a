"""Exhaustive search: everything that can happen to a few members within bounds, the shortest way first.

Breadth-first over the states of all members, a bag of messages and a history. In each state every member may get any
message that is for it (which leaves the bag, stays in it, or is lost without being seen), time out, be asked by a
client, or lose power; and each input may end in a loss of power after its first messages have left and before the
sync, or with its write still under way, for other things to happen in the meantime. Messages are never late, only not yet delivered: a bag has every order, and every loss.

What keeps it small, all of it without losing a violation:

- states that differ by the names of members are one state (`interning.py`),
- a message whose delivery would change nothing is not delivered, one that never can change anything is taken out,
- checks see members and history and not the bag, and are asked once for each combination.

The first violation found is a shortest one, in steps; the search ends there. Otherwise it ends by a bound, and says
which. Called by the command line (`exploring.py`) and by tests.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from attrs import frozen

from chaoskube.exploration import Bounds, Check, Exploration, Seen
from chaoskube.interning import (
    CRASH,
    DELIVER,
    DROP,
    LOST,
    READ,
    REQUEST,
    SLOW,
    SYNC,
    TIME_OUT,
    Outcome,
    Parts,
)

CORE_REFUSES = "the-core-goes-on"
CLOCK_EVERY = 256
"""States between two looks at the clock."""

BUDGETS = ("time_outs", "drops", "duplicates", "crashes", "slow_writes", "requests", "reads")
_TIME_OUTS, _DROPS, _DUPLICATES, _CRASHES, _SLOW_WRITES, _REQUESTS, _READS = range(7)

_FATES = {LOST: _CRASHES, SLOW: _SLOW_WRITES}

Used = tuple[int, ...]


MoveFields = tuple[str, int, int, int, str, bool]


class Move(NamedTuple):
    """One step: what happened to whom. `argument` is a packet's number or a request's."""

    kind: str
    place: int
    argument: int
    write: int = 0
    fate: str = ""
    """What became of the step's write of that number, when it did not come to its end in it."""
    keeps: bool = False
    """The packet stays in the bag: it will arrive twice."""


class State(NamedTuple):
    """Everything, in numbers of `Parts`; a plain tuple, because millions are made."""

    locals_: tuple[int, ...]
    bag: tuple[int, ...]
    """Sorted."""
    history: int
    used: Used
    """What the path has used of each budget."""


@frozen(kw_only=True)
class Step:
    """One step of a trace, in words: what was done, and what came of it."""

    text: str
    outcome: tuple[str, ...]


@frozen(kw_only=True)
class Violation:
    """A check that fails, and a shortest way there."""

    check: str
    rule: str
    message: str
    steps: tuple[Step, ...]


@frozen(kw_only=True)
class Explored:
    """What a search has covered. `ended_by`: violation, depth, states, time, or everything (within the budgets)."""

    bounds: Bounds
    states: int
    transitions: int
    depth: int
    """Every path of so many steps has been looked at."""
    ended_by: str
    seconds: float
    used_up: tuple[str, ...]
    """The budgets that some path has used up."""
    local_states: int
    violation: Violation | None = None

    @property
    def states_a_second(self) -> float:
        """New states found in a second of real time."""
        return self.states / max(self.seconds, 1e-9)


def explore(what: Exploration, bounds: Bounds | None = None, *, merges: bool = True) -> Explored:
    """Search as far as the bounds allow. Without `merges` states that differ by names alone count each."""
    return _Search(what, bounds if bounds is not None else what.bounds, merges=merges).run()


class _Found(Exception):
    """A check failed after this move from the state of this number."""

    def __init__(self, check: Check, message: str, parent: int, move: Move) -> None:
        super().__init__(message)
        self.check = check
        self.message = message
        self.parent = parent
        self.move = move


class _Full(Exception):
    """A bound was hit in the middle of a level."""


class _Search:
    """One search under way."""

    def __init__(self, what: Exploration, bounds: Bounds, *, merges: bool) -> None:
        self._what = what
        self._bounds = bounds
        self._limits = tuple(getattr(bounds, name) for name in BUDGETS)
        self._parts = Parts(what.model, bounds.members, merges=merges)
        self._numbers: dict[bytes, int] = {}
        self._parents = array("q")
        self._moves: list[MoveFields | None] = []
        self._known_moves: dict[MoveFields, MoveFields] = {}
        self._used: set[Used] = set()
        self._checked: set[tuple[tuple[int, ...], int]] = set()
        self._transitions = 0
        self._began = time.monotonic()

    def run(self) -> Explored:
        """Level by level."""
        depth, ended_by, found = 0, "everything", None
        try:
            level = [(0, self._begin())]
            while level:
                if depth >= self._bounds.depth:
                    ended_by = "depth"
                    break
                level = self._next_level(level)
                depth += 1
        except _Found as problem:
            ended_by, found = "violation", self._told(problem)
        except _Full as problem:
            ended_by = str(problem)
        return Explored(
            bounds=self._bounds,
            states=len(self._numbers),
            transitions=self._transitions,
            depth=depth,
            ended_by=ended_by,
            seconds=time.monotonic() - self._began,
            used_up=tuple(
                name.replace("_", "-")
                for place, (name, limit) in enumerate(zip(BUDGETS, self._limits, strict=True))
                if limit and any(used[place] >= limit for used in self._used)
            ),
            local_states=len(self._parts.locals),
            violation=found,
        )

    # -- states

    def _begin(self) -> State:
        members, history = self._what.model.begin(self._bounds.members)
        state = State(
            locals_=tuple(self._parts.local(place, member) for place, member in enumerate(members)),
            bag=(),
            history=self._parts.history(history),
            used=(0,) * len(BUDGETS),
        )
        self._check(state.locals_, state.history, -1, Move("begin", 0, 0))
        self._is_new(state, -1, None)
        return state

    def _next_level(self, level: list[tuple[int, State]]) -> list[tuple[int, State]]:
        found: list[tuple[int, State]] = []
        seen: set[State] = set()  # as they came: it spares most of them the renaming
        for count, (number, state) in enumerate(level):
            if count % CLOCK_EVERY == 0:
                self._look_at_the_clock()
            for kind, place, argument, used, keeps in self._inputs(state):
                for outcome in self._parts.outcomes(place, state.locals_[place], kind, argument):
                    spent = used
                    if outcome.fate:
                        budget = _FATES[outcome.fate]
                        if used[budget] >= self._limits[budget]:
                            continue
                        spent = _spent(used, budget)
                    self._transitions += 1
                    move = (kind, place, argument, outcome.write, outcome.fate, keeps)
                    after = self._after(state, outcome, spent, number, move)
                    if after not in seen:
                        seen.add(after)
                        if self._is_new(after, number, move):
                            found.append((len(self._numbers) - 1, after))
        return found

    def _look_at_the_clock(self) -> None:
        limit = self._bounds.seconds
        if limit is not None and time.monotonic() - self._began >= limit:
            raise _Full("time")

    def _is_new(self, state: State, parent: int, move: MoveFields | None) -> bool:
        canonical = self._parts.canonical(state.locals_, state.bag, state.history)
        key = array("I", (*state.used, *canonical)).tobytes()
        if key in self._numbers:
            return False
        if len(self._numbers) >= self._bounds.states:
            raise _Full("states")
        self._numbers[key] = len(self._numbers)
        self._parents.append(parent)
        self._moves.append(None if move is None else self._known_moves.setdefault(move, move))
        if state.used not in self._used:
            self._used.add(state.used)
        return True

    # -- moves

    def _inputs(self, state: State) -> Iterator[tuple[str, int, int, Used, bool]]:
        """Every input that can come next: kind, place, argument, budgets then used, and if its packet stays."""
        used, limits = state.used, self._limits
        packets = self._parts.packets
        for packet in dict.fromkeys(state.bag):
            place = packets[packet].to - 1
            yield DELIVER, place, packet, used, False
            if used[_DUPLICATES] < limits[_DUPLICATES]:
                yield DELIVER, place, packet, _spent(used, _DUPLICATES), True
            if used[_DROPS] < limits[_DROPS]:
                yield DROP, place, packet, _spent(used, _DROPS), False
        for kind, budget in ((TIME_OUT, _TIME_OUTS), (REQUEST, _REQUESTS), (READ, _READS), (CRASH, _CRASHES)):
            if used[budget] < limits[budget]:
                spent = _spent(used, budget)
                argument = spent[budget] if kind in (REQUEST, READ) else 0
                for place in range(len(state.locals_)):
                    yield kind, place, argument, spent, False
        if used[_SLOW_WRITES]:
            for place in range(len(state.locals_)):
                yield SYNC, place, 0, used, False

    def _after(self, state: State, outcome: Outcome, used: Used, number: int, move: MoveFields) -> State:
        kind, place, argument, _, _, keeps = move
        locals_, bag, history, _ = state
        parts = self._parts
        if outcome.error is not None:
            raise _Found(_core_goes_on(), outcome.error, number, Move(*move))
        rest = list(bag)
        if kind in (DELIVER, DROP) and not keeps:
            rest.remove(argument)
        local, packets, is_ignored = outcome.local, parts.packets, parts.is_ignored
        if local != locals_[place]:
            locals_ = (*locals_[:place], local, *locals_[place + 1 :])
            to = place + 1
            rest = [one for one in rest if packets[one].to != to or not is_ignored(local, one)]
        if outcome.packets:
            rest += [one for one in outcome.packets if not is_ignored(locals_[packets[one].to - 1], one)]
            rest.sort()
        if outcome.events:
            history = parts.after(history, place, outcome.events)
        if (locals_, history) not in self._checked:
            self._check(locals_, history, number, Move(*move))
        return State(locals_, tuple(rest), history, used)

    def _check(self, locals_: tuple[int, ...], history: int, parent: int, move: Move) -> None:
        self._checked.add((locals_, history))
        seen = Seen(
            members=tuple([self._parts.locals[local] for local in locals_]),
            history=self._parts.histories[history],
        )
        for check in self._what.checks:
            try:
                check.function(seen)
            except AssertionError as problem:
                message = str(problem).splitlines()[0] if str(problem) else check.rule
                raise _Found(check, message, parent, move) from None

    # -- telling

    def _told(self, found: _Found) -> Violation:
        moves = [found.move]
        number = found.parent
        while number > 0:
            move = self._moves[number]
            assert move is not None, "only the first state has no move"
            moves.append(Move(*move))
            number = self._parents[number]
        steps = self._retold(list(reversed(moves))) if found.parent >= 0 else ()
        return Violation(check=found.check.name, rule=found.check.rule, message=found.message, steps=steps)

    def _retold(self, moves: list[Move]) -> tuple[Step, ...]:
        """Walk the path again, with words."""
        members, _ = self._what.model.begin(self._bounds.members)
        locals_ = [self._parts.local(place, member) for place, member in enumerate(members)]
        steps = []
        for move in moves:
            outcomes = self._parts.outcomes(move.place, locals_[move.place], move.kind, move.argument)
            outcome = next(
                (one for one in outcomes if (one.write, one.fate) == (move.write, move.fate)), None
            )
            steps.append(Step(text=self._text(move), outcome=self._outcome_text(move, outcome)))
            if outcome is not None:
                locals_[move.place] = outcome.local
        return tuple(steps)

    def _text(self, move: Move) -> str:
        who = f"member {move.place + 1}"
        which = "this is synced" if move.write < 2 else f"write {move.write} of this is synced"
        fate = {LOST: f", and loses power before {which}", SLOW: f"; it takes long until {which}"}.get(
            move.fate, ""
        )
        if move.kind in (DELIVER, DROP):
            packet = self._parts.packets[move.argument]
            what = f"{self._what.model.message_text(packet.message)} from member {packet.sender}"
            if move.kind == DROP:
                return f"lost on its way to {who}: {what}"
            return f"{who} gets {what}{' (which will come again)' if move.keeps else ''}{fate}"
        said = {
            TIME_OUT: "times out",
            REQUEST: f"gets request {move.argument}",
            READ: f"gets read {move.argument}",
            CRASH: "loses power and starts again",
            SYNC: "has synced what it wrote",
        }
        return f"{who} {said[move.kind]}{fate}"

    def _outcome_text(self, move: Move, outcome: Outcome | None) -> tuple[str, ...]:
        if outcome is None:
            return ()
        who = f"member {move.place + 1}"
        told = [self._what.model.event_text(event) for event in outcome.events]
        sent = Counter(
            f"{self._what.model.message_text(packet.message)} to member {packet.to}"
            for packet in (self._parts.packets[one] for one in outcome.packets)
        )
        return (
            *[f"{who} {text}" for text in told if text is not None],
            *[f"{who} sends {text}{f', {count} times' if count > 1 else ''}" for text, count in sent.items()],
        )


def _core_goes_on() -> Check:
    return Check(
        name=CORE_REFUSES,
        rule="Nothing that can happen to a member makes its core stop at a state that cannot be.",
        function=lambda seen: None,
    )


@cache
def _spent(used: Used, budget: int) -> Used:
    counts = list(used)
    counts[budget] += 1
    return tuple(counts)
