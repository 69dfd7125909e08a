"""A plain rolling update loses requests, and what Kubernetes asks for mends it: on our look-alikes of real files.

`examples/poll` says nothing about starting and stopping, `manifests/no-prestop.yaml` lacks one thing only,
`examples/poll-fixed` nothing. The whole way is walked: hunt, minimise, why, and each remedy applied.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from chaoskube.action import FAULT, parse_step
from chaoskube.discovery import scenario_of_input
from chaoskube.hunt import Limits, Quarry, hunt, result_of
from chaoskube.minimise import Minimised, minimise
from chaoskube.run import Plan, Result, play
from chaoskube.scenario import Remedy, Scenario, Setup
from chaoskube.sim import SECOND
from chaoskube.why import Why, why

ROOT = Path(__file__).parent.parent.parent
LOST = "voluntary-disruption-loses-no-request"
HUNT_SEED = 8
RUNS_MAX = 40
ROLL = "at 0s roll deployment=default/vote version=2"


def manifests(path: str) -> Scenario:
    """The files' scenario; of what users do, only a roll is on the menu, and all faults are."""
    made = scenario_of_input([str(ROOT / path)])
    return attrs.evolve(made, menu=tuple(cls for cls in made.menu if cls.kind == FAULT or cls.verb == "roll"))


def rolled(scenario: Scenario, seed: int) -> Result:
    """A roll in calm."""
    return play(Plan(scenario=scenario, steps=(parse_step(ROLL),), duration_ns=30 * SECOND, seed=seed))


@pytest.fixture(scope="module")
def found() -> tuple[int, Result]:
    """What a small hunt of examples/poll finds first, and in which run."""
    quarry = Quarry(scenario=manifests("examples/poll"), seed=HUNT_SEED)
    tally = hunt(quarry, Limits(runs=RUNS_MAX))
    assert list(tally.found) == [LOST]
    return tally.runs, result_of(quarry, tally.found[LOST])


@pytest.fixture(scope="module")
def small(found: tuple[int, Result]) -> Minimised:
    return minimise(found[1])


@pytest.fixture(scope="module")
def cause(small: Minimised) -> Why:
    return why(small.result)


def test_a_small_hunt_finds_that_a_rolling_update_loses_requests_and_names_the_roll_alone(
    small: Minimised,
) -> None:
    assert small.is_minimal
    assert [step.text() for step in small.plan.steps] == [ROLL]
    assert small.result.failure is not None and small.result.failure.name == LOST


def test_why_names_what_makes_it_go(cause: Why) -> None:
    """The new pod counts as ready before it listens, and the old one dies before proxies know: it takes both."""
    assert cause.is_complete and cause.needed
    assert cause.remedies == (
        ("a readinessProbe on port 80 in Deployment vote", "a preStop sleep of 15 s in Deployment vote"),
    )


def test_each_named_remedy_really_makes_it_go_and_no_part_of_it_does(small: Minimised, cause: Why) -> None:
    """The trace is replayed with just these fields added to the document."""
    for texts in cause.remedies:
        assert _replayed_with(small, texts).failure is None, texts
        for text in texts if len(texts) > 1 else ():
            failure = _replayed_with(small, (text,)).failure
            assert failure is not None and failure.name == LOST, text


def test_after_the_fix_that_kubernetes_recommends_the_same_hunt_finds_nothing(
    found: tuple[int, Result],
) -> None:
    """As many runs with the same seed, and the roll alone under luck drawn anew."""
    fixed = manifests("examples/poll-fixed")

    tally = hunt(Quarry(scenario=fixed, seed=HUNT_SEED), Limits(runs=found[0] + 1))

    assert tally.found == {}
    for seed in range(2):
        assert rolled(fixed, seed).failure is None


def test_where_only_pre_stop_is_missing_exactly_that_is_named() -> None:
    """A probe exists, so no probe is offered; a canned answer would list all three."""
    lost = rolled(manifests("tests/scenarios/manifests/no-prestop.yaml"), seed=0)

    assert lost.failure is not None and lost.failure.name == LOST
    assert why(lost).remedies == (("a preStop sleep of 15 s in Deployment vote",),)


def _replayed_with(small: Minimised, texts: tuple[str, ...]) -> Result:
    plan = small.plan
    setup: Setup = plan.setup
    assert small.result.failure is not None
    for text in texts:
        offered: list[Remedy] = list(plan.scenario.remedies(setup, small.result.failure))
        setup = next(one.setup for one in offered if one.text == text)
    return play(attrs.evolve(plan, scenario=attrs.evolve(plan.scenario, setup=setup)))
