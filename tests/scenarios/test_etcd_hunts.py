"""What hunts draw for etcd scenarios: leaders are aimed at, appends may be small, one-way cuts are real."""

from __future__ import annotations

from random import Random

from attrs import evolve

from chaoskube.action import parse_step
from chaoskube.generate import draw_shape
from chaoskube.run import Plan, Session, play
from chaoskube.scenarios.etcd_register import etcd_register

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
