"""What hunts draw for etcd scenarios: leaders are aimed at, appends may be small, one-way cuts are real."""

from __future__ import annotations

from collections import Counter
from itertools import count, pairwise
from random import Random

from attrs import evolve

from chaoskube.action import parse_step
from chaoskube.faults.crash import Crash
from chaoskube.generate import RELAPSE_NS, draw_shape, generate
from chaoskube.models.etcd.view import CallMade
from chaoskube.run import Plan, Session, play
from chaoskube.scenarios.etcd_register import etcd_register
from chaoskube.sim import SECOND

CALM = {"members": 3, "pre_vote": True, "snapshots": 10_000}


def test_a_hunt_can_aim_at_the_leader() -> None:
    """Its process and its host, as they are called in actions."""
    with Session(evolve(etcd_register(), setup=CALM), seed=1) as session:
        session.warm_up()
        (leader,) = session.targets("leading-process")

        assert session.targets("leading-host") == (f"control-{leader[-1]}",)
        assert leader in session.targets("process") and session.targets("leading-deployment") == ()


def test_some_runs_aim_and_some_draw_volleys_over_all_targets() -> None:
    """And most of them do neither."""
    shapes = [draw_shape(etcd_register(), Random(seed)) for seed in range(100)]

    assert {shape.aim for shape in shapes} == {0.0, 0.5, 1.0}
    assert {shape.volley_max for shape in shapes} == {1, 2, 4}
    assert all(shape.targets_max is None for shape in shapes if shape.volley_max > 1)


def test_in_some_runs_what_has_just_recovered_is_hit_again() -> None:
    """One fault at a time, the next soon after the one before, on the same target; never without faults or in volleys."""
    shapes = [draw_shape(etcd_register(), Random(seed)) for seed in range(100)]
    crashes = evolve(etcd_register(), menu=(Crash,))
    number = next(one for one in count() if draw_shape(crashes, Random(f"generate/{one}")).relapses)
    steps = generate(crashes, number).plan.steps
    chained = [
        (one.at + one.action.down, other.at, one.action.process == other.action.process)
        for one, other in pairwise(steps)
        if isinstance(one.action, Crash) and isinstance(other.action, Crash)
    ]

    assert 15 < sum(shape.relapses for shape in shapes) < 45
    assert all(shape.volley_max == 1 for shape in shapes if shape.relapses)
    assert all(shape.duration_ns == crashes.duration_ns for shape in shapes if shape.relapses)
    assert any(0 <= at - end < RELAPSE_NS and is_same for end, at, is_same in chained)


def test_traffic_is_what_the_setup_wants() -> None:
    """As etcd's robustness suite has it: writes alone, deletions among them, and compactions all the time."""
    for traffic, compact_ms, wanted in (
        ("puts", 0, {"Put"}),
        ("deletes", 0, {"Put", "DeleteRange"}),
        ("deletes", 500, {"Put", "DeleteRange", "Range", "Compact"}),
    ):
        setup = {**CALM, "traffic": traffic, "compact_ms": compact_ms, "commit_ms": 1000}
        with Session(evolve(etcd_register(), setup=setup), seed=1) as session:
            session.warm_up()
            session.advance_to(5 * SECOND)
            made = [one.event for one in session.world.journal.entries if isinstance(one.event, CallMade)]
        asked = Counter(type(one.request).__name__ for one in made)

        assert set(asked) == wanted
        assert asked["Put"] + asked["DeleteRange"] > 20
        assert not compact_ms or asked["Compact"] >= 4


def test_small_appends_and_pages_change_nothing_but_the_time() -> None:
    """One entry a message, and one a page."""
    scenario = evolve(etcd_register(), setup={**CALM, "message_bytes": 1})
    crash = parse_step("at 5s crash process=etcd-1 down=5s")

    assert play(Plan(scenario=scenario, steps=(crash,), duration_ns=scenario.duration_ns)).failure is None


def test_who_can_send_and_not_receive_disturbs_nobody() -> None:
    """Pre-vote is on: the others refuse to vote while they hear their leader."""
    scenario = evolve(etcd_register(), setup=CALM)
    cut = parse_step("at 2s partition hosts=control-1 way=in lasting=16s")

    assert play(Plan(scenario=scenario, steps=(cut,), duration_ns=scenario.duration_ns)).failure is None
