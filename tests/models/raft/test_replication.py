"""What a leader sends and takes for committed."""

from __future__ import annotations

import pytest

from chaoskube.bug import patched
from chaoskube.models.raft import replication
from chaoskube.models.raft.messages import Message, MessageType
from chaoskube.models.raft.progress import ProgressState
from tests.models.raft.bag import Bag, elected
from tests.models.raft.scenes import lead, pass_on, store

APPEND = MessageType.MSG_APP


def give_index_2_alone(bag: Bag, other: int) -> None:
    """`other` refuses what comes after index 2, then takes index 2; of index 3 it never hears."""
    leader = bag.members[1]
    for _ in range(3):
        leader.step(Message(type=MessageType.MSG_HEARTBEAT_RESP, to=1, from_=other, term=leader.term))
        store(bag, 1)
        for message in [one for one in bag.flight if one.to == other]:
            bag.flight.remove(message)
            if bag.members[other].log.last_index < 2:
                bag.members[other].step(message)
        store(bag, other)
        for message in [one for one in bag.flight if (one.from_, one.to) == (other, 1)]:
            bag.flight.remove(message)
            leader.step(message)
        store(bag, 1)


def figure_8() -> Bag:
    """The paper's figure 8, (a) to (d): an entry that a majority holds is overwritten."""
    bag = elected(5, pre_vote=False, check_quorum=False, max_size_per_msg=0)
    first = bag.members[1]
    first.propose("x")
    store(bag, 1)
    pass_on(bag, 1, 2)  # (a) index 2 of term 1 is on 1 and 2
    bag.crash(1)
    lead(bag, 5, 3, 4)  # (b) 5 leads term 2 and has index 2 of its own
    assert bag.members[5].log.term(2) == 2
    bag.crash(5)
    lead(bag, 1, 2, 3)  # (c) 1 leads term 3 and goes on with its old entry
    for other in (3, 4):
        give_index_2_alone(bag, other)
    assert [bag.members[member].log.term(2) for member in (1, 2, 3, 4)] == [1] * 4
    bag.check()
    bag.crash(1)
    lead(bag, 5, 2, 3, 4)  # (d) 5 leads again, and its index 2 replaces the other everywhere
    bag.settle()
    return bag


def test_an_entry_of_an_older_term_that_a_majority_holds_is_not_committed() -> None:
    """Raft paper, 5.4.2."""
    bag = figure_8()

    assert bag.members[2].log.term(2) == 2
    assert "x" not in bag.applied[2]
    bag.check_logs()


def test_committing_by_counting_alone_loses_what_was_committed() -> None:
    """The planted bug raft-commit-prior-term is one patch of `may_commit`."""
    with (
        patched(replication, "may_commit", lambda raft, index: index > raft.log.committed),
        pytest.raises(Exception, match=r"committed|is \(1, 'x'\)"),
    ):
        figure_8()


@pytest.mark.parametrize(("size_max", "counts"), [(0, [1, 1, 1]), (20, [2, 1]), (2**64 - 1, [3])])
def test_appends_are_cut_by_size(size_max: int, counts: list[int]) -> None:
    """MaxSizePerMsg; an entry alone may be any size (etcd-io/raft maybeSendAppend)."""
    bag = elected(2, max_size_per_msg=size_max)
    leader = bag.members[1]
    leader.tracker.progress[2].become_probe()
    leader.tracker.progress[2].is_paused = True
    for letter in "abc":
        leader.propose(letter * 4)
    leader.step(Message(type=MessageType.MSG_HEARTBEAT_RESP, to=1, from_=2, term=1))
    sent = leader.messages[-1]
    leader.step(
        Message(type=MessageType.MSG_APP_RESP, to=1, from_=2, term=1, index=sent.index + len(sent.entries))
    )

    assert [len(one.entries) for one in leader.messages if one.type is APPEND and one.entries] == counts


def test_a_leader_takes_only_so_much_that_is_not_committed() -> None:
    """MaxUncommittedEntriesSize; anything if nothing waits, and empty entries always."""
    bag = elected(3, max_uncommitted_entries_size=10)
    leader = bag.members[1]

    assert leader.propose("x" * 50)
    assert not leader.propose("y")
    assert leader.dropped == "raft proposal dropped"
    assert leader.propose(None)
    bag.settle()

    assert leader.uncommitted_size == 0
    assert leader.propose("y")


def test_what_is_in_flight_is_bounded_in_bytes() -> None:
    """MaxInflightBytes: nothing more is sent until an append is answered."""
    bag = elected(2, max_inflight_bytes=8, max_size_per_msg=8)
    leader = bag.members[1]
    for letter in "abc":
        leader.propose(letter * 4)

    sent = [one for one in leader.messages if one.type is APPEND]
    assert [entry.data for one in sent for entry in one.entries] == ["aaaa", "bbbb"]
    bag.settle()

    assert bag.applied[2][-1] == "cccc"


def test_a_follower_whose_entries_are_compacted_gets_a_snapshot_if_it_is_there() -> None:
    """Etcd-io/raft maybeSendSnapshot: none for one that has not been heard of."""
    bag = elected()
    leader = bag.members[1]
    for number in range(5):
        leader.propose(number)
    store(bag, 1)
    pass_on(bag, 1, 2)
    store(bag, 1)
    bag.flight.clear()
    bag.snapshot(1)
    progress = leader.tracker.progress[3]
    progress.become_probe()
    progress.is_recently_active = False
    assert not replication.send_append(leader, 3)

    progress.is_recently_active = True
    assert replication.send_append(leader, 3)
    assert (progress.state, leader.messages[-1].type) == (ProgressState.SNAPSHOT, MessageType.MSG_SNAP)
    bag.settle()

    assert (progress.state, bag.applied[3]) == (ProgressState.REPLICATE, bag.applied[1])
    assert bag.members[3].log.offset == 6


def test_a_heartbeat_never_tells_of_more_than_the_follower_holds() -> None:
    """It could not commit what it lacks (etcd-io/raft sendHeartbeat)."""
    bag = elected()
    leader = bag.members[1]
    leader.propose("x")
    store(bag, 1)
    pass_on(bag, 1, 2)
    store(bag, 1)
    leader.messages.clear()

    leader.tick()

    assert {one.to: one.commit for one in leader.messages if one.type is MessageType.MSG_HEARTBEAT} == {
        2: 2,
        3: 1,
    }


def test_heartbeats_that_say_the_same_are_one_object() -> None:
    """They are most of all messages; their text is made once."""
    leader = elected().members[1]
    leader.tick()
    first = leader.only_messages()
    leader.tick()

    assert all(one is other for one, other in zip(first, leader.only_messages(), strict=True))
