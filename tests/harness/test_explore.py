"""The exhaustive search sees every state, merges only what is the same, and finds the shortest way to a violation.

It is held against a naive search in this file, that keeps whole members, knows no numbers and renames by brute force.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import permutations

import pytest
from attrs import evolve, frozen

from chaoskube.exploration import Bounds, Packet, check
from chaoskube.explore import BUDGETS, explore
from chaoskube.exploring import bounds_of, lines
from chaoskube.sim import UsageError
from tests.harness.toys.lock import Holders, Lock, Locker, lock


@frozen(kw_only=True)
class Whole:
    """A state with everything in it."""

    members: tuple[Locker, ...]
    bag: tuple[Packet, ...]
    history: Holders
    used: tuple[int, ...] = (0,) * len(BUDGETS)

    def key(self, order: tuple[int, ...]) -> Hashable:
        names = {place + 1: to + 1 for place, to in enumerate(order)}
        moved = sorted((order[place], member.key(names)) for place, member in enumerate(self.members))
        bag = sorted((names[one.to], names[one.sender], str(one.message)) for one in self.bag)
        return (tuple(moved), tuple(bag), self.history.key(names), self.used)

    def spent(self, budget: str) -> Whole:
        place = BUDGETS.index(budget)
        return evolve(self, used=(*self.used[:place], self.used[place] + 1, *self.used[place + 1 :]))

    def may(self, budget: str, bounds: Bounds) -> bool:
        limit: int = getattr(bounds, budget)
        return self.used[BUDGETS.index(budget)] < limit


def following(state: Whole, bounds: Bounds) -> Iterator[Whole]:
    """Every state after one step, the slow way."""
    for place, packet in enumerate(state.bag):
        rest = evolve(state, bag=state.bag[:place] + state.bag[place + 1 :])
        yield from put_in(state, rest, packet.to - 1, "receive", packet.sender, packet.message, bounds=bounds)
        if state.may("duplicates", bounds):
            again = state.spent("duplicates")
            yield from put_in(
                state, again, packet.to - 1, "receive", packet.sender, packet.message, bounds=bounds
            )
        if state.may("drops", bounds):
            yield rest.spent("drops")
    for place in range(len(state.members)):
        if state.may("time_outs", bounds):
            yield from put_in(state, state.spent("time_outs"), place, "time_out", bounds=bounds)
        if state.members[place].is_writing:
            yield from put_in(state, state, place, "finish", bounds=bounds)
        if state.may("crashes", bounds):
            yield from put_in(state, state.spent("crashes"), place, "lose_power", bounds=bounds)


def put_in(
    before: Whole, state: Whole, place: int, method: str, *arguments: object, bounds: Bounds
) -> Iterator[Whole]:
    member = before.members[place].copy()
    was_writing = member.is_writing
    if method == "finish":
        member.sync()
    elif method == "lose_power":
        member.restart()
    elif not getattr(member, method)(*arguments):
        return
    if method == "finish" or not was_writing:
        if member.is_writing and state.may("crashes", bounds):
            crashed = member.copy()
            crashed.restart()
            yield put_back(state.spent("crashes"), place, crashed)
        if member.is_writing and state.may("slow_writes", bounds):
            yield put_back(state.spent("slow_writes"), place, member.copy())
        if member.is_writing:
            member.sync()
    names = {number: number for number in range(1, 5)}
    if member.packets or member.events or member.key(names) != before.members[place].key(names):
        yield put_back(state, place, member)


def put_back(state: Whole, place: int, member: Locker) -> Whole:
    output = member.take()
    history = state.history
    for event in output.events:
        history = history.after(place + 1, event)
    members = (*state.members[:place], member, *state.members[place + 1 :])
    return evolve(state, members=members, bag=(*state.bag, *output.packets), history=history)


def naive(model: Lock, bounds: Bounds) -> tuple[int, int, int | None]:
    """How many states, how many when names don't count, and the depth of the first violation (where it stops)."""
    members, history = model.begin(bounds.members)
    first = Whole(members=tuple(members), bag=(), history=history)
    orders = list(permutations(range(bounds.members)))
    same = orders[0]
    level, seen, classes, depth = [first], {first.key(same)}, {min(map(repr, map(first.key, orders)))}, 0
    while level and depth < bounds.depth:
        after = []
        depth += 1
        for state in level:
            for one in following(state, bounds):
                if len(one.history.members) > 1:
                    return len(seen), len(classes), depth
                if one.key(same) not in seen:
                    seen.add(one.key(same))
                    classes.add(min(repr(one.key(order)) for order in orders))
                    after.append(one)
        level = after
    return len(seen), len(classes), None


SMALL = (
    Bounds(members=2, depth=50, time_outs=2),
    Bounds(members=2, depth=50, time_outs=2, drops=1, duplicates=1, crashes=1),
    Bounds(members=2, depth=50, time_outs=2, slow_writes=2, crashes=1),
    Bounds(members=3, depth=7, time_outs=2, slow_writes=1),
    Bounds(members=3, depth=50, time_outs=1, crashes=1),
    Bounds(members=3, depth=5, time_outs=3, crashes=1, duplicates=1),
    Bounds(members=3, depth=50, time_outs=2),
    Bounds(members=4, depth=6, time_outs=2),
)
SHOWN = [str(number) for number in range(len(SMALL))]


@pytest.mark.parametrize("bounds", SMALL, ids=SHOWN)
@pytest.mark.parametrize("hurries", [False, True])
def test_it_sees_as_many_states_as_a_naive_search_with_and_without_merging(
    bounds: Bounds, hurries: bool
) -> None:
    """Fast tables and merged names leave nothing out and count nothing twice."""
    states, classes, _ = naive(Lock(hurries=hurries), evolve(bounds, crashes=0) if hurries else bounds)
    what = lock(hurries=hurries)
    limits = evolve(bounds, crashes=0) if hurries else bounds

    assert explore(what, limits, merges=False).states == states
    assert explore(what, limits).states == classes
    assert classes < states


@pytest.mark.parametrize(("forgets", "hurries"), [(True, False), (False, True)])
@pytest.mark.parametrize("merges", [False, True])
def test_a_violation_is_found_by_a_shortest_way(forgets: bool, hurries: bool, merges: bool) -> None:
    """Merging loses no violation, and no step."""
    bounds = Bounds(members=3, depth=50, time_outs=2, crashes=1)
    _, _, depth = naive(Lock(forgets=forgets, hurries=hurries), bounds)
    found = explore(lock(forgets=forgets, hurries=hurries), bounds, merges=merges).violation

    assert found is not None and depth is not None
    assert found.check == "one-holder" and len(found.steps) == depth


def test_the_right_lock_has_one_holder_whatever_crashes() -> None:
    result = explore(lock(), Bounds(members=3, depth=50, time_outs=3, crashes=2, duplicates=1))

    assert result.violation is None and result.ended_by == "everything"
    assert lines(lock(), result, quiet=True) == ["nothing found: 1 check holds in every state seen"]


def test_a_violation_reads_as_numbered_steps() -> None:
    """Whoever reads it can play it with pen and paper."""
    result = explore(lock(hurries=True), Bounds(members=3, time_outs=2, crashes=1))

    assert lines(lock(), result)[:-1] == [
        "VIOLATED one-holder: members 1 and 2 hold the lock",
        "  the rule: One member at most ever holds the lock.",
        "a shortest way there, 6 steps:",
        "  1. member 1 times out",
        "       member 1 sends ask to member 2",
        "       member 1 sends ask to member 3",
        "  2. member 2 gets ask from member 1, and loses power before this is synced",
        "       member 2 sends grant to member 1",
        "  3. member 1 gets grant from member 2",
        "       member 1 holds the lock",
        "  4. member 2 times out",
        "       member 2 sends ask to member 1",
        "       member 2 sends ask to member 3",
        "  5. member 3 gets ask from member 2",
        "       member 3 sends grant to member 2",
        "  6. member 2 gets grant from member 3",
        "       member 2 holds the lock",
    ]


@pytest.mark.parametrize(
    ("bounds", "ended_by", "said"),
    [
        (Bounds(depth=3, time_outs=3), "depth", "ended by --depth 3: longer paths were not looked at"),
        (
            Bounds(depth=50, time_outs=3, states=10),
            "states",
            "ended by --states 10: paths of 5 steps in part",
        ),
        (Bounds(depth=50, time_outs=3, seconds=0.0), "time", "ended by --for 0s: paths of 1 step"),
        (
            Bounds(depth=50, time_outs=1),
            "everything",
            "nothing is left to look at within the budgets; used up on some path: --time-outs",
        ),
    ],
)
def test_it_says_which_bound_it_hit(bounds: Bounds, ended_by: str, said: str) -> None:
    result = explore(lock(), bounds)

    assert result.ended_by == ended_by
    assert lines(lock(), result)[-1].startswith(said)


def test_a_core_that_refuses_to_go_on_is_a_violation() -> None:
    """An assertion of the core's own is one more check."""
    from chaoskube.sim import ModelBug

    class Refusing(Locker):
        def receive(self, sender: int, message: Hashable) -> bool:
            raise ModelBug("this cannot be")

    class RefusingLock(Lock):
        def begin(self, count: int) -> tuple[list[Locker], Holders]:
            return [Refusing(number=number, count=count) for number in range(1, count + 1)], Holders()

    found = explore(evolve(lock(), model=RefusingLock())).violation

    assert found is not None and (found.check, found.message) == ("the-core-goes-on", "this cannot be")
    assert [step.text for step in found.steps] == ["member 1 times out", "member 2 gets ask from member 1"]


def test_bounds_say_what_is_wrong_with_them() -> None:
    with pytest.raises(UsageError, match="members=8 must be from 1 to 7"):
        Bounds(members=8)
    with pytest.raises(UsageError, match="depth=-1 must be 0 or more"):
        Bounds(depth=-1)
    with pytest.raises(UsageError, match="there is no bound called elections=3; bounds are crashes, depth"):
        bounds_of(lock(), None, {"elections": 3}, None)


def test_a_check_needs_a_rule() -> None:
    with pytest.raises(UsageError, match="needs a docstring"):
        check(lambda seen: None)
