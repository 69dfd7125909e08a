"""A plain rolling update loses requests, and what Kubernetes asks for mends it: on our look-alikes of real files.

`examples/poll` says nothing about starting and stopping, `manifests/no-prestop.yaml` lacks one thing only,
`examples/poll-fixed` nothing. That a hunt comes to the roll alone, and to nothing once it is mended, is what
docs/hunting.md shows and tests/docs runs; here the roll's story is understood, and each remedy applied.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from chaoskube.action import parse_step
from chaoskube.discovery import scenario_of_input
from chaoskube.run import Plan, Result, play
from chaoskube.scenario import Remedy, Scenario, Setup
from chaoskube.sim import SECOND
from chaoskube.why import Why, why

ROOT = Path(__file__).parent.parent.parent
LOST = "voluntary-disruption-loses-no-request"
ROLL = "at 0s roll deployment=default/vote version=2"


def manifests(path: str) -> Scenario:
    return scenario_of_input([str(ROOT / path)])


def rolled(scenario: Scenario, seed: int) -> Result:
    """A roll in calm."""
    return play(Plan(scenario=scenario, steps=(parse_step(ROLL),), duration_ns=30 * SECOND, seed=seed))


@pytest.fixture(scope="module")
def lost() -> Result:
    """What a roll of examples/poll comes to."""
    return rolled(manifests("examples/poll"), seed=0)


@pytest.fixture(scope="module")
def cause(lost: Result) -> Why:
    return why(lost)


def test_a_rolling_update_loses_requests(lost: Result) -> None:
    """No fault is needed."""
    assert lost.failure is not None and lost.failure.name == LOST


def test_why_names_what_makes_it_go(cause: Why) -> None:
    """The new pod counts as ready before it listens, and the old one dies before proxies know: it takes both."""
    assert cause.is_complete and cause.needed
    assert cause.remedies == (
        ("a readinessProbe on port 80 in Deployment vote", "a preStop sleep of 15 s in Deployment vote"),
    )


def test_each_named_remedy_really_makes_it_go_and_no_part_of_it_does(lost: Result, cause: Why) -> None:
    """The trace is replayed with just these fields added to the document."""
    for texts in cause.remedies:
        assert _replayed_with(lost, texts).failure is None, texts
        for text in texts if len(texts) > 1 else ():
            failure = _replayed_with(lost, (text,)).failure
            assert failure is not None and failure.name == LOST, text


def test_after_the_fix_that_kubernetes_recommends_a_roll_loses_none() -> None:
    """Under luck drawn anew."""
    fixed = manifests("examples/poll-fixed")

    for seed in range(2):
        assert rolled(fixed, seed).failure is None


def test_where_only_pre_stop_is_missing_exactly_that_is_named() -> None:
    """A probe exists, so no probe is offered; a canned answer would list all three."""
    lost = rolled(manifests("tests/scenarios/manifests/no-prestop.yaml"), seed=0)

    assert lost.failure is not None and lost.failure.name == LOST
    assert why(lost).remedies == (("a preStop sleep of 15 s in Deployment vote",),)


def _replayed_with(lost: Result, texts: tuple[str, ...]) -> Result:
    plan = lost.plan
    setup: Setup = plan.setup
    assert lost.failure is not None
    for text in texts:
        offered: list[Remedy] = list(plan.scenario.remedies(setup, lost.failure))
        setup = next(one.setup for one in offered if one.text == text)
    return play(attrs.evolve(plan, scenario=attrs.evolve(plan.scenario, setup=setup)))
