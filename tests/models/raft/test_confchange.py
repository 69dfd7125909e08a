"""Changes of members keep to their rules, whatever the changes are."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.raft.confchange import Changer, ConfChangeError, check_configuration, restore
from chaoskube.models.raft.messages import ConfChangeSingle, ConfChangeType
from chaoskube.models.raft.progress import Progress
from chaoskube.models.raft.tracker import ProgressTracker, TrackerConfig
from chaoskube.sim import ModelBug

CHANGES = st.lists(
    st.builds(ConfChangeSingle, type=st.sampled_from(ConfChangeType), node_id=st.integers(0, 6)), max_size=6
)
STEPS = st.lists(st.tuples(st.sampled_from(["simple", "enter", "enter-auto", "leave"]), CHANGES), max_size=8)


def take(tracker: ProgressTracker, step: str, changes: list[ConfChangeSingle]) -> bool:
    """Make one change of `tracker`; False when it was refused."""
    changer = Changer(tracker=tracker, last_index=10)
    try:
        match step:
            case "simple":
                tracker.config, tracker.progress = changer.simple(changes)
            case "leave":
                tracker.config, tracker.progress = changer.leave_joint()
            case _:
                auto_leave = step == "enter-auto"
                tracker.config, tracker.progress = changer.enter_joint(changes, auto_leave=auto_leave)
    except ConfChangeError:
        return False
    return True


def bootstrapped() -> ProgressTracker:
    """A tracker with the voters 1 to 3."""
    tracker = ProgressTracker()
    for member in (1, 2, 3):
        assert take(tracker, "simple", [ConfChangeSingle(type=ConfChangeType.ADD_NODE, node_id=member)])
    return tracker


@given(steps=STEPS)
def test_no_sequence_of_changes_breaks_the_rules_of_a_configuration(
    steps: list[tuple[str, list[ConfChangeSingle]]],
) -> None:
    """What the rules are is in `check_configuration`; it is asked after each step (confchange.go)."""
    tracker = bootstrapped()
    for step, changes in steps:
        before = copy.deepcopy((tracker.config, tracker.progress))
        if not take(tracker, step, changes):
            assert (tracker.config, tracker.progress) == before
            continue
        check_configuration(tracker.config, tracker.progress)
        members = {*tracker.config.voters.ids, *tracker.config.learners}
        assert set(tracker.progress) == members
        assert tracker.config.voters.incoming


@given(steps=STEPS)
def test_each_change_overlaps_the_one_before(steps: list[tuple[str, list[ConfChangeSingle]]]) -> None:
    """A quorum of before and a quorum of after always share a member: else two leaders could be elected.

    A simple change moves one voter; a joint one keeps the voters of before as a half (Raft thesis, 4.1 and 4.3).
    """
    tracker = bootstrapped()
    for step, changes in steps:
        before = tracker.config.voters
        if not take(tracker, step, changes):
            continue
        after = tracker.config.voters
        if step == "simple":
            assert len({*before.incoming} ^ {*after.incoming}) <= 1
        elif step == "leave":
            assert (after.incoming, after.outgoing) == (before.incoming, ())
        else:
            assert after.outgoing == before.incoming


@given(changes=CHANGES)
def test_a_joint_change_and_its_end_do_what_simple_steps_do(changes: list[ConfChangeSingle]) -> None:
    """The way does not matter to who is a voter or learner in the end (confchange/quick_test.go)."""
    joint = bootstrapped()
    if not take(joint, "enter", changes):
        return
    assert take(joint, "leave", [])
    simple = bootstrapped()
    if not all(take(simple, "simple", [change]) for change in changes):
        return

    assert simple.config == joint.config


@given(steps=STEPS)
def test_a_configuration_comes_back_from_its_snapshot(
    steps: list[tuple[str, list[ConfChangeSingle]]],
) -> None:
    """A member that starts from a snapshot must count votes as the others do (confchange/restore_test.go)."""
    tracker = bootstrapped()
    for step, changes in steps:
        take(tracker, step, changes)
    config, progress = restore(Changer(tracker=ProgressTracker(), last_index=20), tracker.conf_state())

    assert config == tracker.config
    assert set(progress) == set(tracker.progress)


@given(changes=CHANGES)
def test_a_refused_or_discarded_change_leaves_no_trace(changes: list[ConfChangeSingle]) -> None:
    """The answer is a draft until the caller adopts it."""
    tracker = bootstrapped()
    before = copy.deepcopy(tracker)
    try:
        Changer(tracker=tracker, last_index=10).enter_joint(changes, auto_leave=False)
    except ConfChangeError:
        pass

    assert tracker == before


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("leave", "can't leave a non-joint config"),
        ("simple", "removed all voters"),
    ],
)
def test_refusals_are_etcds(step: str, text: str) -> None:
    """They reach whoever asked for the change."""
    tracker = bootstrapped()
    changer = Changer(tracker=tracker, last_index=10)
    everybody = [ConfChangeSingle(type=ConfChangeType.REMOVE_NODE, node_id=member) for member in (1, 2, 3)]
    with pytest.raises(ConfChangeError, match=text):
        changer.leave_joint() if step == "leave" else changer.simple(everybody)


def test_a_new_member_is_probed_at_the_last_index_and_counts_as_active() -> None:
    """Check-quorum must not depose a leader for a member that had no time to answer (initProgress)."""
    tracker = bootstrapped()
    take(tracker, "simple", [ConfChangeSingle(type=ConfChangeType.ADD_LEARNER_NODE, node_id=4)])

    added = tracker.progress[4]
    assert (added.next, added.is_recently_active, added.is_learner) == (10, True, True)


def test_a_configuration_against_the_rules_is_our_bug() -> None:
    """Nothing that comes from outside can make one."""
    with pytest.raises(ModelBug, match="no progress for 1"):
        check_configuration(TrackerConfig(learners=(1,)), {})
    with pytest.raises(ModelBug, match="not marked as learner"):
        check_configuration(TrackerConfig(learners=(1,)), {1: Progress()})
