"""The minimiser's power: it shrinks to exactly this."""

from __future__ import annotations

import attrs
import pytest

from chaoskube.generate import generate, run_seed
from chaoskube.hunt import Limits, Quarry, hunt, result_of
from chaoskube.minimise import minimise
from chaoskube.run import Result, play
from chaoskube.sim import UsageError, seconds
from tests.harness.test_run import SHORTEST, plan
from tests.harness.toys.toy import toy_scenario

SHORTEST_BY_FAULT = {
    "partition": SHORTEST,
    "crash": (
        "at 0s crash process=reg-1 down=100ms",
        "at 0s toy-write",
        "at 100ms toy-read server=reg-1 times=1",
    ),
}


def found(hunt_seed: int) -> Result:
    """A failing run of a hunt."""
    quarry = Quarry(scenario=toy_scenario(), seed=hunt_seed)
    tally = hunt(quarry, Limits(runs=3000))
    return result_of(quarry, next(iter(tally.found.values())))


@pytest.mark.parametrize("hunt_seed", range(5))
def test_a_hunt_finds_and_the_minimiser_shrinks_to_the_shortest(hunt_seed: int) -> None:
    """A fault, a write, a read, at the earliest times, with two servers and the plainest arguments."""
    small = minimise(found(hunt_seed))

    lines = tuple(step.text() for step in small.plan.steps)
    assert lines in SHORTEST_BY_FAULT.values()
    assert small.is_minimal
    assert small.plan.seed == 0
    assert small.plan.setup == {"servers": 2}


def test_the_result_is_one_minimal_and_fails_for_anybody() -> None:
    """No single action can be left out, and an independent run shows the same."""
    small = minimise(found(1))

    again = play(small.plan)
    assert again.digest == small.result.digest
    for index in range(len(small.plan.steps)):
        fewer = small.plan.steps[:index] + small.plan.steps[index + 1 :]
        assert play(attrs.evolve(small.plan, steps=fewer)).failure is None


def test_it_can_be_stopped_at_any_time() -> None:
    """What it has then is a plan that fails."""
    result = found(1)
    small = minimise(result, budget_seconds=0)

    assert not small.is_minimal
    assert small.plan == result.plan
    assert small.result.failure == result.failure


def test_what_does_not_fail_cannot_be_minimised() -> None:
    """One sentence."""
    with pytest.raises(UsageError, match="nothing to minimise"):
        minimise(play(plan("at 0s toy-write")))


def test_it_keeps_to_the_invariant_that_broke() -> None:
    """A death that is easier to get is another failure."""
    result = play(
        plan("at 1s crash process=reg-1 down=5s", "at 2s toy-write", scenario=toy_scenario(trouble="raises"))
    )
    small = minimise(result)

    assert small.result.failure is not None and small.result.failure.name == "component-error"
    assert [step.text() for step in small.plan.steps] == ["at 0s crash process=reg-0 down=100ms"]


def test_a_run_of_the_generator_depends_on_its_seed_alone() -> None:
    """And different seeds do different things, now and then in calm."""
    one = generate(toy_scenario(), run_seed(1, 1))
    again = generate(toy_scenario(), run_seed(1, 1))
    many = [
        generate(attrs.evolve(toy_scenario(), duration_ns=seconds("5s")), run_seed(1, n)) for n in range(40)
    ]

    assert (one.plan.steps, one.digest) == (again.plan.steps, again.digest)
    assert len({run.digest for run in many}) > 30
    verbs = [{step.action.verb for step in run.plan.steps} for run in many]
    assert any(run <= {"toy-read", "toy-write"} and run for run in verbs)
    assert len({frozenset(run) for run in verbs}) > 10
