"""The scenario api-failover: what a client has seen is the future to a server that is behind."""

from __future__ import annotations

from attrs import evolve

from chaoskube.action import parse_step
from chaoskube.generate import generate, run_seed
from chaoskube.models.client.views import ReadRefused
from chaoskube.run import Session
from chaoskube.scenarios.api_failover import api_failover
from chaoskube.sim import SECOND, Entry

LINES = (
    "at 0s freeze-stream stream='etcd-watch/pods@*>apiserver-1' lasting=25s",
    "at 100ms steer process=viewer-0 server=apiserver-1 lasting=15s",
    "at 106ms expire-watch watch='watch/pods@*>viewer-0'",
)


def test_nothing_is_found_where_no_bug_is_planted() -> None:
    """A false alarm costs more trust than a missed bug."""
    failures = [generate(api_failover(), run_seed(5, number)).failure for number in range(3)]

    assert failures == [None] * 3


def test_a_client_that_comes_from_the_future_is_refused_and_then_takes_what_there_is() -> None:
    """The server says that the version is too large; who asks for any state is served, and all invariants hold."""
    scenario = api_failover()
    refused: list[Entry] = []
    with Session(evolve(scenario, setup={**scenario.setup, "window": 0}), seed=2) as session:
        session.world.journal.subscribe(ReadRefused, refused.append)
        session.warm_up()
        for step in map(parse_step, LINES):
            session.advance_to(step.at)
            session.apply(step.action, step.aim)
        result = session.finish(18 * SECOND)

    assert result.failure is None and not result.skipped
    assert "viewer-0" in [one.by for one in refused]
