"""The scenario api-machinery: quiet without a planted bug, and busy with what API servers and caches get wrong."""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import evolve

from chaoskube.action import parse_step
from chaoskube.generate import generate, run_seed
from chaoskube.models.apiserver.events import CacheReset, Rejected, Written
from chaoskube.models.client.events import InformerRelisted, WatchResumed
from chaoskube.run import Session
from chaoskube.scenarios.api_machinery import api_machinery
from chaoskube.scenarios.machinery.shape import SETUP, USUAL, shape_of, simpler
from chaoskube.scenarios.machinery.telling import tell
from chaoskube.sim import SECOND, Entry, UsageError, World

STORY_NS = 30 * SECOND


def journal(*lines: str, **setup: int) -> list[Entry]:
    """What happened in a run with these actions and the usual setup but for this; all invariants hold."""
    scenario = evolve(api_machinery(), setup={**USUAL, **setup})
    with Session(scenario, seed=1) as session:
        session.warm_up()
        for step in map(parse_step, lines):
            session.advance_to(step.at)
            session.apply(step.action, step.aim)
        result = session.finish(STORY_NS, settles=False)
        entries = session.world.journal.entries

    assert result.failure is None and not result.skipped
    return list(entries)


def test_nothing_is_found_where_no_bug_is_planted() -> None:
    """A false alarm costs more trust than a missed bug."""
    scenario = api_machinery()
    failures = [generate(scenario, run_seed(5, number)).failure for number in range(3)]

    assert failures == [None] * 3


def test_writers_meet_and_pods_are_bound() -> None:
    """In calm: every kind of write, conflicts among them, and bindings that came too late."""
    entries = journal()

    done = Counter(
        (one.event.resource, one.event.subresource or one.event.verb)
        for one in entries
        if isinstance(one.event, Written)
    )
    refused = Counter(one.event.code for one in entries if isinstance(one.event, Rejected))
    for resource in ("pods", "configmaps"):
        assert all(done[resource, verb] > 2 for verb in ("create", "update", "patch", "delete")), done
    assert done["pods", "binding"] > 2 and refused[409] > 2


def test_a_client_that_falls_out_of_a_small_window_lists_anew() -> None:
    """With the real window it goes on from where it was."""
    frozen = "at 1s freeze-stream stream=watch/pods@*>viewer-0 lasting=15s"
    dropped = "at 15s drop-stream stream=watch/pods@*>viewer-0"

    def of_viewer(kind: type, entries: list[Entry]) -> int:
        return sum(isinstance(one.event, kind) and one.by == "viewer-0" for one in entries)

    assert of_viewer(InformerRelisted, journal(frozen, dropped, window=4)) == 1
    usual = journal(frozen, dropped)
    assert of_viewer(InformerRelisted, usual) == 0 and of_viewer(WatchResumed, usual) == 1


def test_a_server_that_compaction_overtakes_fills_its_cache_anew() -> None:
    """Its watch of etcd was broken while history was forgotten."""
    apart = "at 2s partition hosts=control-1 lasting=8s"
    dropped = "at 3s drop-stream stream=etcd-watch/pods@*>apiserver-1"

    resets = [
        one.event
        for one in journal(apart, dropped, compact_ms=300, pace=100)
        if isinstance(one.event, CacheReset)
    ]
    assert any(one.server == "apiserver-1" for one in resets)


def test_the_story_tells_who_wrote_what() -> None:
    """And who was told to begin anew."""
    entries = journal(pace=1000)

    words = [line.words for one in entries if (line := tell(one)) is not None]
    assert any(one.startswith("alice changes configmap") for one in words)
    assert any(one.startswith("binder binds pod") for one in words)


def test_what_is_drawn_can_be_said() -> None:
    """The minimiser replaces each draw by a value, and a wrong value is named."""
    assert {name for name in SETUP if any(one[name] != SETUP[name] for one in simpler(SETUP))} == set(SETUP)
    assert not list(simpler(USUAL))
    with World() as world:
        drawn = shape_of(SETUP, world, "api-machinery")
        assert drawn.assumptions()
        with pytest.raises(UsageError, match="window=-1 must be"):
            shape_of({"window": -1}, world, "api-machinery")
        with pytest.raises(UsageError, match="no 'nodes' in its setup"):
            shape_of({"nodes": 3}, world, "api-machinery")


def test_what_leads_is_the_server_that_is_behind_and_who_may_know_more() -> None:
    """Nobody as long as no server's own watch is held back; then its clients are to meet it."""
    with Session(evolve(api_machinery(), setup=USUAL), seed=1) as session:
        session.warm_up()
        before = [session.targets(f"leading-{kind}") for kind in ("server", "watch", "process")]
        action = parse_step("at 0s freeze-stream stream='etcd-watch/secrets@*>apiserver-0' lasting=5s").action
        session.apply(action)

        assert before == [(), (), ()]
        assert session.targets("leading-server") == ("apiserver-0",)
        assert session.targets("leading-watch") == ("watch/secrets@*>viewer-0",)
        assert session.targets("leading-process") == ("viewer-0",)
        assert session.targets("leading-stream") == ()
