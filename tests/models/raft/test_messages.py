"""The vocabulary: etcd's names and numbers, sizes as etcd counts them, and texts that hide nothing."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.models.raft.messages import (
    ConfChange,
    ConfChangeSingle,
    ConfChangeTransition,
    ConfChangeType,
    ConfChangeV2,
    ConfState,
    Entry,
    EntryType,
    Message,
    MessageType,
    Snapshot,
    SnapshotMetadata,
    payload_size,
)

ADD = ConfChangeType.ADD_NODE
AUTO, IMPLICIT, EXPLICIT = ConfChangeTransition


def test_names_and_numbers_are_those_of_raft_proto() -> None:
    """What is printed is held against etcd's own scripts."""
    assert [kind.value for kind in MessageType] == list(range(24))
    assert MessageType.MSG_STORAGE_APPEND_RESP.label == "MsgStorageAppendResp"
    assert MessageType(13).label == "MsgTransferLeader"
    assert [kind.label for kind in EntryType] == ["EntryNormal", "EntryConfChange", "EntryConfChangeV2"]


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        # Tag and number for term and index; then tag, length, content.
        (Entry(term=1, index=1), 4),
        (Entry(term=1, index=1, data="foo"), 9),
        (Entry(term=300, index=128, data=b"x" * 200), (1 + 2) + (1 + 2) + (1 + 2 + 200)),
        (Entry(term=1, index=2, type=EntryType.ENTRY_CONF_CHANGE_V2), 6),
        (
            Entry(term=1, index=2, type=EntryType.ENTRY_CONF_CHANGE, data=ConfChange(type=ADD, node_id=3)),
            4 + 2 + 2 + 4,
        ),
    ],
)
def test_an_entry_counts_as_many_bytes_as_etcd_would_send(entry: Entry, size: int) -> None:
    """Pages and appends are cut by these sizes (etcd-io/raft util.go entsSize)."""
    assert entry.encoded_size() == size


def test_a_payload_may_say_its_own_size() -> None:
    """Else it counts as long as its text."""

    class Big:
        def payload_size(self) -> int:
            return 1000

    assert [payload_size(data) for data in (None, "é", b"ab", Big(), (1, 2))] == [0, 2, 2, 1000, 5]


@pytest.mark.parametrize(
    ("transition", "count", "is_joint", "is_auto_leave", "is_leave"),
    [
        (AUTO, 0, False, True, True),
        (AUTO, 1, False, True, False),
        (AUTO, 2, True, True, False),
        (IMPLICIT, 1, True, True, False),
        (EXPLICIT, 0, True, False, False),
        (EXPLICIT, 1, True, False, False),
    ],
)
def test_which_changes_go_by_way_of_a_joint_configuration(
    transition: ConfChangeTransition, count: int, is_joint: bool, is_auto_leave: bool, is_leave: bool
) -> None:
    """Raftpb/confchange.go EnterJoint and LeaveJoint."""
    changes = tuple(ConfChangeSingle(type=ADD, node_id=place) for place in range(1, count + 1))
    change = ConfChangeV2(transition=transition, changes=changes)

    assert (change.is_joint, change.is_leave_joint) == (is_joint, is_leave)
    assert not change.is_joint or change.is_auto_leave == is_auto_leave


def test_every_field_of_a_message_shows_in_its_text() -> None:
    """The journal's digest stands on it: two messages that differ must not look the same."""
    snapshot = Snapshot(
        metadata=SnapshotMetadata(conf_state=ConfState(voters=(1,)), index=2, term=1), data="s"
    )
    plain = Message(type=MessageType.MSG_APP, to=1)
    changes: list[dict[str, object]] = [
        {"type": MessageType.MSG_SNAP},
        {"to": 2},
        {"from_": 2},
        {"term": 2},
        {"log_term": 2},
        {"index": 2},
        {"entries": (Entry(term=1, index=1),)},
        {"commit": 2},
        {"reject": True},
        {"reject_hint": 2},
        {"context": "c"},
        {"vote": 2},
        {"snapshot": snapshot},
        {"snapshot": evolve(snapshot, data="t")},
        {"responses": (plain,)},
    ]

    texts = {evolve(plain, **one).digest_text() for one in changes}  # type: ignore[arg-type]  # any field

    assert len(texts | {plain.digest_text()}) == len(changes) + 1
