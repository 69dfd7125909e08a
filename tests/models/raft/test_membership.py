"""Changes of members: taken one at a time, in force when applied, and what follows at once."""

from __future__ import annotations

import random

import pytest

from chaoskube.bug import patched
from chaoskube.models.raft import membership
from chaoskube.models.raft.confchange import ConfChangeError
from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.membership import change_of, entry_of
from chaoskube.models.raft.messages import (
    ConfChange,
    ConfChangeSingle,
    ConfChangeTransition,
    ConfChangeType,
    ConfChangeV2,
    ConfState,
    EntryType,
    Message,
    MessageType,
)
from chaoskube.models.raft.ready import Config, Role
from tests.models.raft.bag import Bag
from tests.models.raft.scenes import lead, pass_on, store

ADD, REMOVE, LEARN = ConfChangeType.ADD_NODE, ConfChangeType.REMOVE_NODE, ConfChangeType.ADD_LEARNER_NODE


def one(kind: ConfChangeType, member: int) -> ConfChange:
    return ConfChange(type=kind, node_id=member)


def several(
    *changes: tuple[ConfChangeType, int], transition: ConfChangeTransition = ConfChangeTransition.AUTO
) -> ConfChangeV2:
    return ConfChangeV2(
        transition=transition,
        changes=tuple(ConfChangeSingle(type=kind, node_id=member) for kind, member in changes),
    )


def founded(size: int = 3, *, newcomers: int = 2, **options: object) -> Bag:
    """A bootstrapped cluster led by member 1."""
    bag = Bag(size, random.Random(1), newcomers=newcomers, **options)
    bag.settle()
    bag.members[1].campaign()
    bag.settle()
    assert bag.members[1].role is Role.LEADER
    return bag


def state_of(bag: Bag, member: int = 1) -> ConfState:
    return bag.members[member].tracker.conf_state()


def test_a_bootstrapped_member_begins_with_its_peers_in_the_log() -> None:
    """Etcd-io/raft bootstrap.go: term 1, committed, applied by the caller like any other."""
    raft = Raft.bootstrap(Config(id=1), {1: "one", 2: "two"})

    ready = raft.ready()

    assert ready.hard_state is not None and (ready.hard_state.term, ready.hard_state.commit) == (1, 2)
    assert ready.entries == ready.committed_entries
    assert [(entry.index, entry.term, entry.type, entry.data) for entry in ready.entries] == [
        (place, 1, EntryType.ENTRY_CONF_CHANGE, ConfChange(type=ADD, node_id=place, context=name))
        for place, name in ((1, "one"), (2, "two"))
    ]
    assert raft.tracker.conf_state() == ConfState(voters=(1, 2))


def test_a_newcomer_catches_up_and_counts() -> None:
    bag = founded()

    assert bag.members[1].propose_conf_change(one(ADD, 4))
    bag.settle()
    bag.tick_all()

    assert state_of(bag).voters == (1, 2, 3, 4)
    assert bag.applied[4] == bag.applied[1]
    assert state_of(bag, 4) == state_of(bag)


def test_a_learner_gets_entries_and_counts_for_nothing() -> None:
    bag = founded(1, newcomers=1)
    bag.members[1].propose_conf_change(one(LEARN, 2))
    bag.settle()
    bag.tick_all()
    assert (state_of(bag).learners, bag.applied[2]) == ((2,), bag.applied[1])

    bag.members[1].propose("alone")
    for _ in range(3):
        bag.carry_out(1)
        bag.sync(1)

    assert bag.applied[1][-1] == "alone"


def test_a_second_change_before_the_first_is_applied_becomes_an_empty_entry() -> None:
    """The planted bug raft-confchange-before-own-term-commit is one patch of `is_change_pending`."""
    assert what_is_left_of_two_changes() == [EntryType.ENTRY_CONF_CHANGE, EntryType.ENTRY_NORMAL]
    with patched(membership, "is_change_pending", lambda raft: False):
        assert what_is_left_of_two_changes() == [EntryType.ENTRY_CONF_CHANGE] * 2


def what_is_left_of_two_changes() -> list[EntryType]:
    leader = founded().members[1]
    leader.propose_conf_change(one(ADD, 4))
    leader.propose_conf_change(one(ADD, 5))
    return [entry.type for entry in leader.log.entries[-2:]]


def two_changes_at_once() -> None:
    """1 asks for 4 and 5 in one go, and only 2 hears of it; then 1, 4, 5 on one side and 2, 3 on the other."""
    bag = founded(pre_vote=False, check_quorum=False)
    leader = bag.members[1]
    leader.propose_conf_change(one(ADD, 4))
    leader.propose_conf_change(one(ADD, 5))
    store(bag, 1)
    pass_on(bag, 1, 2)
    store(bag, 1)
    leader.propose("x")
    for _ in range(6):
        store(bag, 1)
        for member in (4, 5):
            pass_on(bag, 1, member)
        leader.tick()
    bag.flight.clear()
    lead(bag, 2, 3)
    for _ in range(4):
        pass_on(bag, 2, 3)
        store(bag, 2)


def test_two_changes_at_once_could_have_quorums_that_do_not_overlap() -> None:
    """Each moves one voter, both together two: what 1, 4, 5 commit is unknown to 2 and 3 (Raft thesis, 4.1)."""
    two_changes_at_once()
    with (
        patched(membership, "is_change_pending", lambda raft: False),
        pytest.raises(AssertionError, match="'x'"),
    ):
        two_changes_at_once()


def test_a_new_leader_takes_no_change_before_it_has_applied_what_it_found() -> None:
    """Among that may be a change of its predecessor (etcd-io/raft becomeLeader, pendingConfIndex)."""
    bag = founded(pre_vote=False, check_quorum=False)
    bag.members[2].campaign()
    for _ in range(3):
        for member in (1, 2, 3):
            bag.carry_out(member)
            bag.sync(member)
        while bag.flight:
            bag.deliver(0)
        if bag.members[2].role is Role.LEADER:
            break
    leader = bag.members[2]
    leader.log.applied -= 1

    leader.propose_conf_change(one(ADD, 4))

    assert leader.log.entries[-1].type is EntryType.ENTRY_NORMAL


@pytest.mark.parametrize(
    ("transition", "is_left_by_itself"),
    [(ConfChangeTransition.AUTO, True), (ConfChangeTransition.JOINT_EXPLICIT, False)],
)
def test_a_joint_configuration_is_left_by_itself_or_on_request(
    transition: ConfChangeTransition, is_left_by_itself: bool
) -> None:
    """The leader proposes to leave as soon as it has applied that it was entered (raft.go appliedTo)."""
    bag = founded()
    leader = bag.members[1]
    leader.propose_conf_change(several((ADD, 4), (REMOVE, 3), transition=transition))
    bag.settle()
    bag.tick_all()
    if not is_left_by_itself:
        assert state_of(bag) == ConfState(voters=(1, 2, 4), voters_outgoing=(1, 2, 3))
        assert not leader.propose_conf_change(one(ADD, 5)) or leader.log.entries[-1].data is None
        bag.settle()
        leader.propose_conf_change(None)
        bag.settle()
    bag.tick_all()

    assert state_of(bag) == state_of(bag, 2) == state_of(bag, 4) == ConfState(voters=(1, 2, 4))


def test_in_a_joint_configuration_both_groups_must_agree() -> None:
    """Neither the old members nor the new ones alone may commit (Raft paper, 6)."""
    bag = founded(1, newcomers=2)
    leader = bag.members[1]
    leader.propose_conf_change(several((ADD, 2), (ADD, 3), transition=ConfChangeTransition.JOINT_EXPLICIT))
    bag.settle()
    bag.tick_all()
    before = leader.log.committed
    leader.propose("x")
    for _ in range(3):
        bag.carry_out(1)
        bag.sync(1)
    assert leader.log.committed == before

    bag.settle()

    assert bag.applied[2][-1] == "x"


@pytest.mark.parametrize("step_down", [False, True])
def test_a_leader_that_is_removed_leads_on_or_steps_down(step_down: bool) -> None:
    """StepDownOnRemoval; without it the leader goes on until another campaigns, and takes no proposals."""
    bag = founded(3, newcomers=1, step_down_on_removal=step_down)
    leader = bag.members[1]
    leader.propose_conf_change(one(REMOVE, 1))
    bag.settle()

    assert leader.role is (Role.FOLLOWER if step_down else Role.LEADER)
    assert not leader.propose("x")
    leader.campaign()
    assert leader.role is (Role.FOLLOWER if step_down else Role.LEADER)


def test_removing_a_silent_member_commits_what_waited_for_it() -> None:
    """A smaller quorum may have it already (etcd-io/raft switchToConfig)."""
    bag = founded(2, newcomers=1)
    leader = bag.members[1]
    leader.propose_conf_change(one(REMOVE, 2))
    bag.settle()
    leader.propose("x")
    bag.settle()

    assert bag.applied[1][-1] == "x"
    assert state_of(bag).voters == (1,)


def test_a_transfer_to_a_member_that_is_removed_is_given_up() -> None:
    bag = founded()
    leader = bag.members[1]
    leader.propose_conf_change(one(REMOVE, 3))
    leader.lead_transferee = 3
    bag.settle()

    assert leader.lead_transferee == 0


def test_changes_that_break_the_rules_are_errors_when_applied() -> None:
    """They may get into the log with disable_conf_change_validation."""
    raft = Raft(Config(id=1, voters=(1, 2, 3)))

    with pytest.raises(ConfChangeError, match="can't leave a non-joint config"):
        raft.apply_conf_change(None)
    assert raft.apply_conf_change(ConfChange(type=ADD, node_id=0)) == ConfState(voters=(1, 2, 3))


def test_validation_can_be_switched_off() -> None:
    bag = founded(disable_conf_change_validation=True)
    leader = bag.members[1]
    leader.propose_conf_change(one(ADD, 4))
    leader.propose_conf_change(one(ADD, 5))

    assert [entry.type for entry in leader.log.entries[-2:]] == [EntryType.ENTRY_CONF_CHANGE] * 2


def test_a_response_of_a_stranger_is_dropped() -> None:
    """RawNode.Step: ErrStepPeerNotFound; and nobody may send what is local."""
    raft = Raft(Config(id=1, voters=(1, 2, 3)))

    assert not raft.step(Message(type=MessageType.MSG_APP_RESP, to=1, from_=9, term=1))
    assert raft.dropped == "raft: cannot step as peer not found"
    assert not raft.step(Message(type=MessageType.MSG_HUP, to=1, from_=2))
    assert raft.dropped == "raft: cannot step raft local message"


def test_entries_say_which_change_they_carry() -> None:
    for change in (one(ADD, 3), several((ADD, 3), (REMOVE, 2)), None):
        entry = entry_of(change)
        assert entry.type is (
            EntryType.ENTRY_CONF_CHANGE if isinstance(change, ConfChange) else EntryType.ENTRY_CONF_CHANGE_V2
        )
        assert change_of(entry) == (ConfChangeV2() if change is None else change.as_v2())
