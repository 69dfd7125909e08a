"""Reads that wait for a quorum, against a naive count of echoes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.raft.messages import Message, MessageType
from chaoskube.models.raft.quorum import JointVoters
from chaoskube.models.raft.read_only import ReadOnly

VOTERS = JointVoters(incoming=(1, 2, 3))


def ask(number: int) -> Message:
    return Message(type=MessageType.MSG_READ_INDEX, context=number)


@given(st.lists(st.one_of(st.none(), st.tuples(st.integers(1, 3), st.integers(0, 30))), max_size=40))
def test_a_read_is_confirmed_once_a_quorum_has_echoed_a_heartbeat_sent_after_it(
    happenings: list[tuple[int, int] | None],
) -> None:
    """None asks a read; (member, lag) echoes the context of some earlier heartbeat."""
    reads = ReadOnly()
    asked = 0
    contexts: list[int] = []
    echoes: dict[int, int] = {}
    answered: list[object] = []
    for happening in happenings:
        if happening is None:
            asked += 1
            reads.add(100 + asked, ask(asked))
            context = reads.heartbeat_context()
            assert context == asked
            contexts.append(context)
        elif contexts:
            member, lag = happening
            context = contexts[-1 - lag % len(contexts)]
            reads.receive(member, context)
            echoes[member] = max(echoes.get(member, 0), context)
            answered.extend(one.request.context for one in reads.advance(VOTERS))

            quorum = sorted((echoes.get(one, 0) for one in VOTERS.incoming), reverse=True)[1]
            assert answered == list(range(1, quorum + 1))


def test_heartbeats_carry_nothing_when_no_read_waits() -> None:
    """So that idle heartbeats stay what they are."""
    reads = ReadOnly()
    assert reads.heartbeat_context() is None
    reads.add(7, ask(1))
    twin = reads.copy()
    for member in (1, 2):
        reads.receive(member, 1)

    assert [one.index for one in reads.advance(VOTERS)] == [7]
    assert (reads.heartbeat_context(), twin.heartbeat_context()) == (None, 1)


def test_both_halves_of_a_joint_configuration_must_echo() -> None:
    """A leader may have been replaced by a quorum of either."""
    reads = ReadOnly()
    reads.add(7, ask(1))
    joint = JointVoters(incoming=(1, 2, 3), outgoing=(1, 4, 5))
    for member in (1, 2):
        reads.receive(member, 1)
    assert reads.advance(joint) == []

    reads.receive(4, 1)

    assert len(reads.advance(joint)) == 1
