"""What is owed to the disk and the state machine, and what late answers may claim."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaoskube.models.raft.core import Raft
from chaoskube.models.raft.messages import (
    LOCAL_APPEND_THREAD,
    LOCAL_APPLY_THREAD,
    Entry,
    HardState,
    Message,
    MessageType,
)
from chaoskube.models.raft.ready import Config, Role, SoftState
from chaoskube.sim import ModelBug
from tests.models.raft.bag import Bag, elected

APPEND, APPLY = MessageType.MSG_STORAGE_APPEND, MessageType.MSG_STORAGE_APPLY


def append_from(leader: int, term: int, index: int, log_term: int, *entries: Entry) -> Message:
    return Message(
        type=MessageType.MSG_APP,
        to=1,
        from_=leader,
        term=term,
        index=index,
        log_term=log_term,
        entries=entries,
    )


def writing(raft: Raft) -> Message:
    """The next MsgStorageAppend."""
    return next(one for one in raft.ready().messages if one.type is APPEND)


def test_a_late_answer_for_an_index_that_was_written_again_claims_nothing() -> None:
    """The ABA problem: (1, index 1) goes, (2, index 1) goes, (1, index 1) comes back (rawnode.go)."""
    raft = Raft(Config(id=1, voters=(1, 2, 3), async_storage_writes=True))
    raft.step(append_from(2, 1, 0, 0, Entry(term=1, index=1, data="a")))
    first = writing(raft)
    raft.step(append_from(3, 2, 0, 0, Entry(term=2, index=1, data="b")))
    second = writing(raft)
    raft.step(append_from(2, 3, 0, 0, Entry(term=1, index=1, data="a")))
    third = writing(raft)

    for work, stable in ((first, 0), (second, 0), (third, 1)):
        raft.step(work.responses[-1])
        assert raft.log.stable == stable


def test_a_word_that_a_later_term_made_void_is_given_again() -> None:
    """Each write says where the log ends, not only what is new in it."""
    raft = Raft(Config(id=1, voters=(1, 2, 3), async_storage_writes=True))
    raft.step(append_from(2, 1, 0, 0, Entry(term=1, index=1)))
    first = writing(raft)
    raft.step(Message(type=MessageType.MSG_HEARTBEAT, to=1, from_=3, term=2))
    second = writing(raft)
    assert second.entries == ()

    raft.step(first.responses[-1])
    assert raft.log.stable == 0
    raft.step(second.responses[-1])

    assert raft.log.stable == 1


def test_the_same_holds_between_ready_and_advance() -> None:
    """The caller may step messages while its disk writes."""
    raft = Raft(Config(id=1, voters=(1, 2, 3)))
    raft.step(append_from(2, 1, 0, 0, Entry(term=1, index=1)))
    ready = raft.ready()
    raft.step(Message(type=MessageType.MSG_HEARTBEAT, to=1, from_=3, term=2))
    raft.advance(ready)
    assert raft.log.stable == 0

    raft.advance(raft.ready())

    assert raft.log.stable == 1


def test_asynchronous_writes_carry_everything_and_its_answers() -> None:
    """MsgStorageAppend and MsgStorageApply (etcd-io/raft doc.go)."""
    bag = elected(1, async_storage_writes=True)
    raft = bag.members[1]
    raft.propose("x")

    ready = raft.ready()
    assert [one.type for one in ready.messages] == [APPEND]
    work = ready.messages[0]
    assert (work.to, work.entries, work.term) == (LOCAL_APPEND_THREAD, ready.entries, 0)
    assert [one.type for one in work.responses] == [
        MessageType.MSG_APP_RESP,
        MessageType.MSG_STORAGE_APPEND_RESP,
    ]
    assert not raft.has_ready()
    for answer in work.responses:
        raft.step(answer)

    applying = raft.ready().messages[-1]
    assert (applying.type, applying.to, applying.entries) == (APPLY, LOCAL_APPLY_THREAD, work.entries)
    raft.step(applying.responses[0])
    assert raft.log.applied == 2


def test_asynchronously_nothing_is_applied_that_our_disk_lacks() -> None:
    """A state machine ahead of its log could not be rebuilt (log.go maxAppliableIndex)."""
    raft = Raft(Config(id=1, voters=(1, 2, 3), async_storage_writes=True))
    raft.step(append_from(2, 1, 0, 0, Entry(term=1, index=1)))
    raft.step(Message(type=MessageType.MSG_HEARTBEAT, to=1, from_=2, term=1, commit=1))
    ready = raft.ready()
    assert ready.committed_entries == ()

    raft.step(ready.messages[-1].responses[-1])

    assert [entry.index for entry in raft.ready().committed_entries] == [1]


def test_advance_is_not_for_asynchronous_writes() -> None:
    raft = Raft(Config(id=1, voters=(1,), async_storage_writes=True))

    with pytest.raises(ModelBug, match="advance"):
        raft.advance(raft.ready())


def test_what_must_be_synced() -> None:
    """Entries, terms and votes; a commit index alone needs no sync (rawnode.go MustSync)."""
    raft = Raft(Config(id=1, voters=(1, 2, 3)))
    raft.step(append_from(2, 1, 0, 0, Entry(term=1, index=1)))
    ready = raft.ready()
    assert ready.must_sync and ready.soft_state == SoftState(lead=2, role=Role.FOLLOWER)
    raft.advance(ready)

    raft.step(Message(type=MessageType.MSG_HEARTBEAT, to=1, from_=2, term=1, commit=1))
    ready = raft.ready()

    assert (ready.must_sync, ready.hard_state) == (False, HardState(term=1, commit=1))
    assert ready.soft_state is None


def test_the_next_page_waits_until_the_last_is_applied() -> None:
    """MaxCommittedSizePerReady bounds what is being applied at one time."""
    bag = elected(1, async_storage_writes=True, max_committed_size_per_ready=12)
    raft = bag.members[1]
    for letter in "abc":
        raft.propose(letter * 4)
    for answer in writing(raft).responses:
        raft.step(answer)

    page = raft.ready().messages[-1]
    assert [entry.data for entry in page.entries] == ["aaaa"]
    assert not raft.has_ready()
    raft.step(page.responses[0])

    assert [entry.data for entry in raft.ready().messages[-1].entries] == ["bbbb"]


@given(st.lists(st.sampled_from(("propose", "tick", "elect")), max_size=12), st.sampled_from((1, 3)))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_both_ways_of_storing_lead_to_the_same_state(doings: list[str], size: int) -> None:
    """With a network and disks that work, how the disk is spoken to must not show."""
    ends = []
    for is_async in (False, True):
        bag = Bag(size, random.Random(7), async_storage_writes=is_async)
        for number, doing in enumerate(doings):
            if doing == "propose":
                bag.members[1].propose(number)
            elif doing == "elect":
                bag.members[size].campaign()
            else:
                bag.members[1].tick()
            bag.settle()
        ends.append([(raft.term, raft.role, raft.log.committed) for raft in bag.members.values()])
        ends[-1].append(tuple(map(tuple, bag.applied.values())))  # type: ignore[arg-type]  # only compared

    assert ends[0] == ends[1]
