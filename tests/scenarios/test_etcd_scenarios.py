"""The etcd scenarios: quiet without a planted bug, busy enough to mean something, and their operations do what they say."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from attrs import evolve

from chaoskube.action import parse_step
from chaoskube.discovery import bug_named, load
from chaoskube.generate import generate, run_seed
from chaoskube.models.raft.events import Committed
from chaoskube.run import Plan, Result, Session, play
from chaoskube.scenario import Scenario, Setup, Subject
from chaoskube.scenarios import menus
from chaoskube.scenarios.etcd.cluster import EtcdCluster
from chaoskube.scenarios.etcd.operations.move_leader import MoveLeader
from chaoskube.scenarios.etcd.shape import SETUP, shape_of, simpler
from chaoskube.scenarios.etcd_disaster import etcd_disaster
from chaoskube.scenarios.etcd_lease_lock import etcd_lease_lock
from chaoskube.scenarios.etcd_membership import etcd_membership
from chaoskube.scenarios.etcd_register import etcd_register
from chaoskube.scenarios.etcd_watch import etcd_watch
from chaoskube.sim import MILLISECOND, SECOND, Entry, FaultStarted, UsageError, World
from chaoskube.sim.calm import LINK_BETWEEN_HOSTS

SCENARIOS = [etcd_register(), etcd_watch(), etcd_lease_lock(), etcd_membership(), etcd_disaster()]
CALM = {"members": 3, "pre_vote": True, "snapshots": 10_000}
each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=[one.name for one in SCENARIOS])


def played(scenario: Scenario, *lines: str, **setup: object) -> Result:
    """A run of three members with these actions."""
    fixed = evolve(scenario, setup={**scenario.setup, **CALM, **setup})
    steps = tuple(parse_step(line) for line in lines)
    return play(Plan(scenario=fixed, steps=steps, duration_ns=scenario.duration_ns))


@each_scenario
def test_nothing_is_found_where_no_bug_is_planted(scenario: Scenario) -> None:
    """A false alarm costs more trust than a missed bug."""
    failures = [generate(scenario, run_seed(5, number)).failure for number in range(4)]

    assert failures == [None] * 4


@each_scenario
def test_operations_of_etcd_are_on_etcd_menus_alone(scenario: Scenario) -> None:
    """Nobody can defragment a Deployment."""
    own = {action.verb for action in scenario.menu} - {action.verb for action in menus.faults()}

    assert own and not own & {action.verb for action in menus.everything()}
    assert "lying-disk" not in {action.verb for action in scenario.menu}


@pytest.mark.parametrize("members", [1, 2, 4, 7])
def test_clusters_of_any_size_work(members: int) -> None:
    """Odd and even."""
    assert played(etcd_register(), members=members).failure is None


@pytest.mark.parametrize(
    ("setup", "says"),
    [
        ({"members": 0}, "etcd-x: members=0 must be a whole number from 1 to 7, or any"),
        ({"members": 8}, "members=8 must be"),
        ({"members": True}, "members=True must be"),
        ({"members": ["etcd-0", "etcd-0"]}, "members=['etcd-0', 'etcd-0'] must be"),
        ({"members": None}, "members=None must be"),
        ({"pre_vote": "no"}, "pre_vote='no' must be true, false or either"),
        ({"reads": "fast"}, "reads='fast' must be safe or lease"),
        ({"snapshots": 0}, "snapshots=0 must be a whole number from 1 to 10000, or either"),
        ({"checkpoints": 2.5}, "checkpoints=2.5 must be a whole number from 0 to 3600"),
        ({"traffic": "wild"}, "traffic='wild' must be mixed, puts, reads, deletes or either"),
        ({"far_ms": "either"}, "far_ms='either' must be a whole number from 0 to 100"),
        ({"commit_ms": 0}, "commit_ms=0 must be a whole number from 1 to 60000, or either"),
        ({"checkpoints": ""}, "checkpoints='' must be"),
        ({"member": 3}, "etcd-x has no 'member' in its setup; there are members, snapshots,"),
    ],
)
def test_a_setup_that_makes_no_sense_is_refused_in_one_sentence(setup: dict[str, object], says: str) -> None:
    """The value that is wrong, and what would be right; a name that nobody knows was meant to be another."""
    with World(seed=1) as world, pytest.raises(UsageError, match=re.escape(says)):
        shape_of({**SETUP, **setup}, world, "etcd-x")


def test_a_simpler_setup_says_what_was_drawn() -> None:
    """A trace without luck in its setup is easier to read."""
    made = list(simpler(SETUP))

    assert {"members": 3} in [{"members": one["members"]} for one in made]
    assert any(one["pre_vote"] is True for one in made)
    assert list(simpler({"members": 1, "pre_vote": True})) == []
    assert list(simpler({"members": 1, "pre_vote": True, "far_ms": 5})) == [
        {"members": 1, "pre_vote": True, "far_ms": 0}
    ]


@pytest.mark.parametrize(
    ("apart_ms", "near", "far"), [(0, LINK_BETWEEN_HOSTS, 30), (40, 40 * MILLISECOND, 70)]
)
def test_the_last_member_can_be_farther_away(apart_ms: int, near: int, far: int) -> None:
    """Whatever happens to a leader, that one is behind."""
    with World(seed=1) as world:
        EtcdCluster(world, {**SETUP, **CALM, "apart_ms": apart_ms, "far_ms": 30}, "etcd-register")

        link = world.network.link
        assert link("control-0", "control-1").latency_ns == near
        assert {link("control-2", "control-0").latency_ns, link("control-1", "control-2").latency_ns} == {
            far * MILLISECOND
        }


def test_a_leader_can_be_cut_off_when_it_alone_knows_what_is_committed() -> None:
    """The moment is the leader's own: its word that the entry is committed is on its way, and never arrives."""
    load()
    fixed = evolve(etcd_register(), setup={**SETUP, **CALM, "traffic": "mixed"})
    known: dict[str, int] = {}
    with Session(fixed, seed=1) as session:
        session.warm_up()
        (leader,) = session.targets("leading-process")
        host = f"control-{leader.removeprefix('etcd-')}"
        step = parse_step(f"before 3rd acknowledgement of {leader} partition hosts={host} lasting=20s")

        def committed(entry: Entry) -> None:
            event = entry.event
            assert isinstance(event, Committed)
            known[entry.by] = event.first + len(event.terms) - 1

        session.world.journal.subscribe(Committed, committed)

        def cut_off(_entry: Entry) -> None:
            known["then"] = known[leader]

        session.world.journal.subscribe(FaultStarted, cut_off)
        session.apply(step.action, step.aim)
        while "then" not in known:
            session.advance_to(session.now + SECOND // 10)
        session.advance_to(session.now + SECOND // 2)

    then = known.pop("then")
    assert known.pop(leader) == then
    assert set(known.values()) == {then - 1}


def test_upkeep_is_no_excuse_for_a_leader_that_is_deposed() -> None:
    """Members that hear each other keep their leader, however often somebody compacts."""
    load()
    fixed = evolve(etcd_register(), setup={**SETUP, **CALM, "traffic": "mixed"})
    lines = ["at 1s partition hosts=control-0 way=in lasting=20s"]
    lines += [f"at {second}s compact back=5" for second in range(3, 20, 3)]
    steps = tuple(parse_step(line) for line in lines)
    plan = Plan(scenario=fixed, steps=steps, duration_ns=20 * SECOND)

    found = play(evolve(plan, bug=bug_named("raft-rejoin-disrupts-leader"))).failure

    assert found is not None and found.name == "a-whole-majority-keeps-its-leader"
    assert play(plan).failure is None


def kinds_in(scenario: Scenario, *lines: str) -> Counter[str]:
    """How often each kind of event was recorded in a run."""
    counts: Counter[str] = Counter()

    def counting(world: World, setup: Setup) -> Subject:
        world.journal.subscribe(object, lambda entry: counts.update([type(entry.event).__name__]))
        return scenario.build(world, setup)

    result = played(evolve(scenario, build=counting), *lines)
    assert result.failure is None and result.skipped == ()
    return counts


def test_a_backup_becomes_a_new_cluster() -> None:
    """With a bump or without: what is promised of each still holds, and the clients go on."""
    for bump in ("yes", "no"):
        counts = kinds_in(
            etcd_disaster(), "at 2s snapshot-save member=etcd-1", f"at 6s snapshot-restore bump={bump}"
        )

        assert counts["Restored"] == 3
        assert counts["BecameLeader"] >= 2


def test_members_come_and_go() -> None:
    """A learner is added, promoted, and a first member removed."""
    counts = kinds_in(
        etcd_membership(),
        "at 1s member-add member=etcd-3 learner=yes",
        "at 5s member-promote member=etcd-3",
        "at 9s member-remove member=etcd-0",
    )

    assert counts["ConfigApplied"] >= 3 + 3 * 3
    assert counts["MemberStopped"] == 1


def test_nobody_asks_two_members_at_once_to_remove_the_last_two() -> None:
    """Each would let it be done, and who applies the second panics."""
    result = played(
        etcd_membership(),
        "at 1s member-remove member=etcd-0",
        "at 9s member-remove member=etcd-1",
        "at 9s member-remove member=etcd-2",
        members=3,
    )

    assert result.failure is None
    assert [one.reason for one in result.skipped] == [
        "everybody else who votes is being removed: nobody would be left with etcd-2 gone"
    ]


def test_leadership_is_handed_over() -> None:
    """To whoever was named; two of three don't lead, and one of them takes over."""
    scenario = evolve(etcd_lease_lock(), setup={**etcd_lease_lock().setup, **CALM})
    with Session(scenario) as session:
        session.warm_up()
        leader = next(iter(leading(session)))
        session.apply(MoveLeader(member=next(one for one in session.targets("etcd-member") if one != leader)))
        session.advance_to(2 * SECOND)

        assert list(leading(session)) != [leader]


def leading(session: Session) -> dict[str, int]:
    """Who leads, and which term."""
    assert isinstance(session.subject, EtcdCluster)
    return session.subject.observer.etcd.raft.leading


def test_history_is_compacted_and_databases_are_written_anew() -> None:
    """The operator's requests reach the members."""
    counts = kinds_in(
        etcd_watch(),
        "at 3s compact back=2 physical=yes",
        "at 5s defrag member=etcd-0",
        "at 7s compact back=0",
    )

    assert counts["Compacted"] >= 6
    assert counts["OperationEnded"] == 3


def test_locks_are_taken_and_leases_end() -> None:
    """Otherwise the lock's invariants would say nothing."""
    counts = kinds_in(etcd_lease_lock())

    assert counts["LockHeld"] > 10
    assert counts["LeaseEnded"] >= counts["LeaseGranted"] - 9
