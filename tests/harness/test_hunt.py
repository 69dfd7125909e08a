"""Hunts: the same with any number of workers, and in doubt when a run does not repeat."""

from __future__ import annotations

import attrs
import pytest

from chaoskube.generate import run_seed
from chaoskube.hunt import Doubt, Limits, Quarry, first_difference, hunt, never_reached, result_of, without
from chaoskube.run import play
from chaoskube.scenario import Setup
from chaoskube.sim import UsageError, World
from chaoskube.why import why
from tests.harness.test_run import SHORTEST, plan
from tests.harness.toys.toy import Acknowledged, Registers, toy_forgets, toy_scenario


def test_the_hunt_counts_what_it_lived() -> None:
    """So that progress means something."""
    tally = hunt(Quarry(scenario=toy_scenario(), seed=5), Limits(runs=20))

    assert tally.runs == 20
    assert tally.lived_ns > 20 * 20e9
    assert tally.actions > 10
    assert never_reached(toy_scenario(), attrs.evolve(tally, reached={})) == ("something-is-read",)


def test_a_planted_bug_is_found_and_nothing_without_it() -> None:
    """The bug is in the world only while it is asked for."""
    quarry = Quarry(scenario=without(toy_scenario(), ["crash", "pause", "partition"]), bug=toy_forgets)

    tally = hunt(quarry, Limits(runs=200))
    clean = hunt(attrs.evolve(quarry, bug=None), Limits(runs=200))

    assert set(tally.found) == {"reads-are-fresh"}
    assert not clean.found
    assert result_of(quarry, tally.found["reads-are-fresh"]).failure is not None


def test_a_verb_that_is_not_on_the_menu_is_a_usage_error() -> None:
    """A typo must not make a hunt pass."""
    with pytest.raises(UsageError, match="'crsh' is not on the menu of toy; there are toy-write"):
        without(toy_scenario(), ["crsh"])


def test_a_leak_puts_the_hunt_in_doubt() -> None:
    """A world that remembers the world before it can't be trusted, and the first different line is shown."""
    lives = iter(range(1_000_000))

    class Leaky(Registers):
        def __init__(self, world: World, setup: Setup) -> None:
            super().__init__(world, setup)
            world.journal.record(world.now, "reg-0", Acknowledged(value=-next(lives)))

    quarry = Quarry(scenario=attrs.evolve(toy_scenario(), build=Leaky))

    with pytest.raises(Doubt, match=r"gave two digests, .*: they part at line \d+: .*Acknowledged\(-\d\)"):
        hunt(quarry, Limits(runs=1))


def test_the_first_difference_is_shown_with_both_sides() -> None:
    """It is where to look."""
    assert first_difference(["a", "b"], ["a", "c"]) == "they part at line 2: 'b' against 'c'"
    assert first_difference(["a"], ["a", "c"]) == "one has 1 lines and the other 2"


def test_runs_have_seeds_of_their_own() -> None:
    """Neighbouring hunts share nothing."""
    seeds = {run_seed(hunt_seed, number) for hunt_seed in range(10) for number in range(100)}

    assert len(seeds) == 1000


@pytest.mark.parametrize(
    ("offers", "named"),
    [
        (["reliable", "pen"], [("a reliable",)]),
        (["pen", "paper"], [("a pen", "a paper")]),
        (["pen"], []),
    ],
)
def test_the_cause_is_what_makes_the_violation_go(offers: list[str], named: list[tuple[str, ...]]) -> None:
    """A remedy that changes nothing is never named; two that only help together are named together."""
    proven = why(play(plan(*SHORTEST, scenario=toy_scenario(offers=offers))))

    assert list(proven.remedies) == named
    assert proven.needed
    assert proven.is_complete


def test_why_says_when_its_time_is_up() -> None:
    """Nothing is named then."""
    proven = why(play(plan(*SHORTEST, scenario=toy_scenario(offers=["reliable"]))), budget_seconds=0)

    assert (proven.remedies, proven.needed, proven.is_complete) == ((), False, False)
