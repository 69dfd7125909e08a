"""One run: its endings, its order, and that it is the same each time."""

from __future__ import annotations

import attrs
import pytest

from chaoskube.action import Step, parse_action, parse_step
from chaoskube.arguments import CannotApply
from chaoskube.bug import Bug
from chaoskube.invariant import Invariant, always, eventually, violation_type
from chaoskube.run import Plan, Result, Session, play
from chaoskube.scenario import DIED, UNSETTLED, VIOLATED, Scenario
from chaoskube.sim import FaultEnded, FaultStarted, ModelBug, UsageError, seconds
from tests.harness.toys.toy import Observer, Served, replicas_agree, toy_forgets, toy_scenario

SHORTEST = (
    "at 0s partition hosts=host-0 lasting=500ms",
    "at 0s toy-write",
    "at 100ms toy-read server=reg-1 times=1",
)


def plan(*lines: str, scenario: Scenario | None = None, bug: Bug | None = None) -> Plan:
    """A plan of these lines in the toy."""
    steps = tuple(parse_step(line) for line in lines)
    return Plan(scenario=scenario or toy_scenario(), steps=steps, duration_ns=seconds("10s"), bug=bug)


def failure_of(result: Result) -> tuple[str, str]:
    assert result.failure is not None
    return result.failure.kind, result.failure.name


def with_rules(*rules: Invariant, **setup: object) -> Scenario:
    return attrs.evolve(toy_scenario(**setup), invariants=rules)


def test_a_calm_run_passes() -> None:
    """Without a disturbance nothing is lost: otherwise no trace would mean anything."""
    result = play(plan("at 0s toy-write", "at 200ms toy-read server=reg-1 times=1"))

    assert result.failure is None
    assert result.reached == ("something-is-read",)


def test_a_violation_ends_the_run_where_it_happens() -> None:
    """What would come later is no part of the run or of its trace."""
    result = play(plan(*SHORTEST, "at 5s toy-write"))

    assert failure_of(result) == (VIOLATED, "reads-are-fresh")
    assert result.failure is not None and result.failure.at == seconds("100ms")
    assert [step.text() for step in result.plan.steps] == list(SHORTEST)


def test_the_same_plan_gives_the_same_digest_whatever_ran_before() -> None:
    """A run depends on its plan alone."""
    first = play(plan(*SHORTEST)).digest
    play(plan("at 1s crash process=reg-2 down=1s"))

    assert play(plan(*SHORTEST)).digest == first


def test_the_digest_tells_runs_apart() -> None:
    """A moved action is another run."""
    moved = (*SHORTEST[:2], "at 101ms toy-read server=reg-1 times=1")

    assert play(plan(*SHORTEST)).digest != play(plan(*moved)).digest


@pytest.mark.parametrize(
    ("trouble", "kind", "name", "says"),
    [
        ("raises", DIED, "component-error", "reg-1 raised ValueError: what a day"),
        ("livelock", DIED, "livelock", "time stands still"),
        ("stuck", DIED, "stuck", "nothing can ever run again"),
        ("restless", UNSETTLED, "unsettled", "it never rests"),
    ],
)
def test_a_world_that_cannot_go_on_is_an_outcome_with_a_reason(
    trouble: str, kind: str, name: str, says: str
) -> None:
    """Never a hang, never a traceback."""
    result = play(plan("at 0s crash process=reg-1 down=1s", scenario=toy_scenario(trouble=trouble)))

    assert failure_of(result) == (kind, name)
    assert result.failure is not None and says in result.failure.message


def test_a_world_that_is_never_built_is_told_all_the_same() -> None:
    """There is no subject then to tell of anything."""
    result = play(plan("at 0s toy-write", scenario=toy_scenario(trouble="stillborn")), story=True)

    assert failure_of(result) == (DIED, "component-error")
    assert result.told == ()


def test_a_workload_that_never_comes_up_is_the_users_to_mend() -> None:
    """The reason is the subject's own."""
    with pytest.raises(UsageError, match="not up after .* the kettle is not on"):
        play(plan(scenario=attrs.evolve(toy_scenario(trouble="cold"), warm_ns=seconds("5s"))))


def test_eventually_must_hold_within_its_bound_once_faults_stop() -> None:
    """The lost write is never repaired, so 20 s after healing the promise is broken."""
    result = play(plan(*SHORTEST[:2], scenario=with_rules(replicas_agree)))

    assert failure_of(result) == (VIOLATED, "replicas-agree")
    assert result.failure is not None and result.failure.at == seconds("30s")


def test_an_invariant_that_raises_something_else_is_one_sentence() -> None:
    """A mistake in a rule must not look like a violation, nor like a bug of the component that recorded."""

    @always(on=[Served])
    def wrong(seen: Observer) -> None:
        """A rule with a slip in it."""
        raise KeyError("web")

    with pytest.raises(UsageError, match=r"invariant wrong raised KeyError: 'web' at .* on Served by reg-1"):
        play(plan(SHORTEST[2], scenario=with_rules(wrong)))


def test_an_invariant_asks_for_nothing_unknown() -> None:
    """A parameter that nobody fills is told when the rule is defined."""
    with pytest.raises(UsageError, match="asks for 'cluster'"):

        @eventually(within="1s")
        def wrong(cluster: object) -> None:
            """A rule with a foreign parameter."""


def test_each_invariant_has_one_violation_class() -> None:
    """Hypothesis tells failures apart by class."""
    assert violation_type("a-rule") is violation_type("a-rule")
    assert violation_type("a-rule") is not violation_type("b-rule")


def test_faults_end_in_the_journal_after_their_time_or_when_all_is_healed() -> None:
    """An observer knows when a fault was active."""
    with Session(toy_scenario()) as session:
        session.warm_up()
        session.apply(parse_action("crash process=reg-1 down=1s"))
        session.apply(parse_action("partition hosts=host-1 lasting=60s"))
        session.finish(seconds("5s"))
        events = [(entry.at - session.began, entry.event) for entry in session.world.journal.entries]

    kinds = (FaultStarted, FaultEnded)
    told = [(at, type(event).__name__, event.verb) for at, event in events if isinstance(event, kinds)]
    assert told == [
        (0, "FaultStarted", "crash"),
        (0, "FaultStarted", "partition"),
        (seconds("1s"), "FaultEnded", "crash"),
        (seconds("5s"), "FaultEnded", "partition"),
    ]


def test_an_action_that_cannot_be_applied_touches_nothing() -> None:
    """So a run in which it was tried equals one in which it was not."""
    with Session(toy_scenario()) as session:
        session.warm_up()
        session.apply(parse_action("crash process=reg-1 down=1s"))
        with pytest.raises(CannotApply, match="reg-1 is down already"):
            session.apply(parse_action("crash process=reg-1 down=1s"))
        with pytest.raises(CannotApply, match="no process 'reg-7'; did you mean"):
            session.apply(parse_action("crash process=reg-7 down=1s"))
        tried = session.finish(seconds("5s"))

    assert [skipped.reason for skipped in tried.skipped][:1] == ["reg-1 is down already"]
    assert play(plan("at 0s crash process=reg-1 down=1s")).failure is None
    again = play(attrs.evolve(plan("at 0s crash process=reg-1 down=1s"), duration_ns=seconds("5s")))
    assert tried.digest == again.digest


def test_an_action_with_an_error_of_its_own_is_our_bug() -> None:
    """It is neither a violation nor the user's mistake."""
    with Session(toy_scenario()) as session:
        session.warm_up()
        session.subject.observer.acknowledged = None  # type: ignore[attr-defined]  # break the toy on purpose
        with pytest.raises(ModelBug, match="action 'toy-write' raised TypeError"):
            session.apply(parse_action("toy-write"))


def test_a_planted_bug_lives_for_one_world() -> None:
    """It is taken out when the world is closed."""
    story = ("at 0s toy-write", "at 200ms toy-read server=reg-1 times=1")

    assert failure_of(play(plan(*story, bug=toy_forgets)))[1] == "reads-are-fresh"
    assert play(plan(*story)).failure is None


def test_steps_read_back_as_they_are_written() -> None:
    """A trace's line is the action."""
    for line in (*SHORTEST, "at 12.5s crash process=reg-1 down=5s unsynced=torn"):
        step = parse_step(line)
        assert isinstance(step, Step)
        assert step.text() == line
