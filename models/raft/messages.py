"""The vocabulary of Raft, as etcd speaks it: messages, entries, hard state, snapshots, configuration changes.

One class carries every kind of message and unused fields are zero, as in etcd-io/raft
raftpb/raft.proto: a core that speaks exactly this can be held against etcd's own scripts.
Members are small numbers here (0 means none); the shell knows their names.

Payloads are any frozen values. Their sizes, which etcd takes from the encoded bytes, are asked of the value
(`payload_size()`), and otherwise taken from its text.

Used by the core, by the etcd member that carries its messages, and by tests.
Not modelled: the encoding; its sizes are etcd's for text and configuration changes.
"""

from __future__ import annotations

import enum
from typing import Final

from attrs import field, frozen

from chaoskube.sim import canonical

NONE: Final = 0
"""No member: nobody voted for, no leader known."""
LOCAL_APPEND_THREAD: Final = 2**64 - 1
"""Where MsgStorageAppend goes: whoever writes the log of this member (etcd-io/raft raft.go)."""
LOCAL_APPLY_THREAD: Final = 2**64 - 2
"""Where MsgStorageApply goes: whoever applies committed entries of this member."""


class MessageType(enum.IntEnum):
    """Kinds of message, with etcd's names and numbers (raftpb/raft.proto)."""

    MSG_HUP = 0
    MSG_BEAT = 1
    MSG_PROP = 2
    MSG_APP = 3
    MSG_APP_RESP = 4
    MSG_VOTE = 5
    MSG_VOTE_RESP = 6
    MSG_SNAP = 7
    MSG_HEARTBEAT = 8
    MSG_HEARTBEAT_RESP = 9
    MSG_UNREACHABLE = 10
    MSG_SNAP_STATUS = 11
    MSG_CHECK_QUORUM = 12
    MSG_TRANSFER_LEADER = 13
    MSG_TIMEOUT_NOW = 14
    MSG_READ_INDEX = 15
    MSG_READ_INDEX_RESP = 16
    MSG_PRE_VOTE = 17
    MSG_PRE_VOTE_RESP = 18
    MSG_STORAGE_APPEND = 19
    MSG_STORAGE_APPEND_RESP = 20
    MSG_STORAGE_APPLY = 21
    MSG_STORAGE_APPLY_RESP = 22
    MSG_FORGET_LEADER = 23

    @property
    def label(self) -> str:
        """The name as etcd prints it: `MsgAppResp`."""
        return _LABELS[self]


_LABELS: Final = {kind: "".join(part.capitalize() for part in kind.name.split("_")) for kind in MessageType}


class EntryType(enum.IntEnum):
    """Kinds of log entry."""

    ENTRY_NORMAL = 0
    ENTRY_CONF_CHANGE = 1
    ENTRY_CONF_CHANGE_V2 = 2

    @property
    def label(self) -> str:
        """The name as etcd prints it: `EntryConfChangeV2`."""
        return "".join(part.capitalize() for part in self.name.split("_"))


class ConfChangeType(enum.IntEnum):
    """What one change does to one member."""

    ADD_NODE = 0
    REMOVE_NODE = 1
    UPDATE_NODE = 2
    ADD_LEARNER_NODE = 3


class ConfChangeTransition(enum.IntEnum):
    """How several changes are made: directly, or by way of a joint configuration left by itself or on request."""

    AUTO = 0
    JOINT_IMPLICIT = 1
    JOINT_EXPLICIT = 2


@frozen(kw_only=True)
class ConfChangeSingle:
    """One change of one member."""

    type: ConfChangeType
    node_id: int


@frozen(kw_only=True)
class ConfChangeV2:
    """Changes of the configuration, made together; without any, a joint configuration is left."""

    transition: ConfChangeTransition = ConfChangeTransition.AUTO
    changes: tuple[ConfChangeSingle, ...] = ()
    context: object = None

    def as_v2(self) -> ConfChangeV2:
        """Itself."""
        return self

    @property
    def is_joint(self) -> bool:
        """Does it go by way of a joint configuration? (raftpb/confchange.go EnterJoint)"""
        return self.transition is not ConfChangeTransition.AUTO or len(self.changes) > 1

    @property
    def is_auto_leave(self) -> bool:
        """Is the joint configuration left as soon as it holds, without being asked?"""
        return self.transition is not ConfChangeTransition.JOINT_EXPLICIT

    @property
    def is_leave_joint(self) -> bool:
        """Does it leave a joint configuration? (raftpb/confchange.go LeaveJoint)"""
        return self.transition is ConfChangeTransition.AUTO and not self.changes

    def payload_size(self) -> int:
        """The bytes that etcd would send for it."""
        size = 0 if self.transition is ConfChangeTransition.AUTO else 2
        return size + sum(5 + _varint(one.node_id) for one in self.changes) + _field_size(self.context)


@frozen(kw_only=True)
class ConfChange:
    """One change of one member, as it was before joint configurations; `context` is the caller's."""

    type: ConfChangeType
    node_id: int
    context: object = None
    id: int = 0

    def as_v2(self) -> ConfChangeV2:
        """The same in the newer form."""
        return ConfChangeV2(
            changes=(ConfChangeSingle(type=self.type, node_id=self.node_id),), context=self.context
        )

    def payload_size(self) -> int:
        """The bytes that etcd would send for it."""
        return 3 + _varint(self.node_id) + _field_size(self.context)


@frozen(kw_only=True)
class ConfState:
    """Who belongs to the cluster and in which part; sorted ids, as `ProgressTracker.conf_state` makes it."""

    voters: tuple[int, ...] = ()
    learners: tuple[int, ...] = ()
    voters_outgoing: tuple[int, ...] = ()
    learners_next: tuple[int, ...] = ()
    auto_leave: bool = False


@frozen(kw_only=True)
class SnapshotMetadata:
    """The entry up to which a snapshot holds everything, and the configuration there."""

    conf_state: ConfState = field(factory=ConfState)
    index: int = 0
    term: int = 0


@frozen(kw_only=True)
class Snapshot:
    """All that entries up to a place have led to. `data` is the caller's."""

    metadata: SnapshotMetadata = field(factory=SnapshotMetadata)
    data: object = None
    _text: list[str] = field(factory=list, init=False, eq=False, repr=False)

    def digest_text(self) -> str:
        """Deterministic text, made once."""
        if not self._text:
            self._text.append(f"{canonical(self.metadata)}:{canonical(self.data)}")
        return self._text[0]


def payload_size(data: object) -> int:
    """How many bytes `data` counts for."""
    if data is None:
        return 0
    if isinstance(data, str):
        return len(data.encode())
    if isinstance(data, bytes):
        return len(data)
    ask = getattr(data, "payload_size", None)
    size = ask() if ask is not None else len(canonical(data))
    assert isinstance(size, int)
    return size


def _varint(number: int) -> int:
    return max(1, -(-number.bit_length() // 7))


def _field_size(data: object) -> int:
    """A field of bytes in a protocol buffer: tag, length, content; nothing when it is not set."""
    if data is None:
        return 0
    size = payload_size(data)
    return 1 + _varint(size) + size


@frozen(kw_only=True)
class Entry:
    """One place in the log. `data` is opaque; None is the empty entry of a new leader.

    In an entry of a configuration change it is the `ConfChange` or `ConfChangeV2`; None there leaves a joint one.
    """

    term: int
    index: int
    type: EntryType = EntryType.ENTRY_NORMAL
    data: object = None
    _text: list[str] = field(factory=list, init=False, eq=False, repr=False)

    def digest_text(self) -> str:
        """Deterministic text, made once: an entry travels to every peer and every disk."""
        if not self._text:
            self._text.append(f"{self.term}/{self.index}/{int(self.type)}:{canonical(self.data)}")
        return self._text[0]

    def payload_size(self) -> int:
        """The bytes of its data (etcd-io/raft util.go payloadSize)."""
        return payload_size(self.data)

    def encoded_size(self) -> int:
        """The bytes of the whole entry (etcd-io/raft util.go entsSize)."""
        size = 2 + _varint(self.term) + _varint(self.index) + _field_size(self.data)
        return size if self.type is EntryType.ENTRY_NORMAL else size + 2


@frozen(kw_only=True)
class HardState:
    """What must be on disk before anybody may rely on it."""

    term: int = 0
    vote: int = NONE
    commit: int = 0

    def digest_text(self) -> str:
        """Deterministic text for the journal's digest."""
        return f"hs:{self.term}/{self.vote}/{self.commit}"


@frozen(kw_only=True)
class ReadState:
    """A read index that a quorum has confirmed, for the request that carried `context`."""

    index: int
    context: object


@frozen(kw_only=True)
class Message:
    """One message between members, or from a member to itself."""

    type: MessageType
    to: int = NONE
    from_: int = NONE
    term: int = 0
    log_term: int = 0
    index: int = 0
    entries: tuple[Entry, ...] = ()
    commit: int = 0
    reject: bool = False
    reject_hint: int = 0
    context: object = None
    vote: int = NONE
    snapshot: Snapshot | None = None
    responses: tuple[Message, ...] = ()
    _text: list[str] = field(factory=list, init=False, eq=False, repr=False)

    def digest_text(self) -> str:
        """Deterministic text, made once: heartbeats are sent again as the same object."""
        if not self._text:
            self._text.append(self._make_text())
        return self._text[0]

    def _make_text(self) -> str:
        text = (
            f"{int(self.type)}:{self.from_}>{self.to}@{self.term} {self.log_term}/{self.index} c{self.commit}"
            f" {int(self.reject)}{self.reject_hint}"
        )
        if self.entries:
            text += "".join([f"[{entry.digest_text()}]" for entry in self.entries])
        if self.context is not None:
            text += f" {canonical(self.context)}"
        if self.vote:
            text += f" v{self.vote}"
        if self.snapshot is not None:
            text += f" s{self.snapshot.digest_text()}"
        return text + "".join([f"({response.digest_text()})" for response in self.responses])
