"""The vocabulary of Raft, as etcd speaks it: messages, entries, hard state.

One class carries every kind of message and unused fields are zero, as in etcd-io/raft
raftpb/raft.proto: a core that speaks exactly this can be held against etcd's own scripts.
Members are small numbers here (0 means none); the shell knows their names.

Used by the core, by the etcd member that carries its messages, and by tests.
Not modelled: snapshots (MsgSnap, MsgSnapStatus), leadership transfer (MsgTransferLeader, MsgTimeoutNow),
membership entries (EntryConfChange), asynchronous storage (MsgStorageAppend and its kin).
"""

from __future__ import annotations

import enum
from typing import Final

from attrs import field, frozen

from chaoskube.sim import canonical

NONE: Final = 0
"""No member: nobody voted for, no leader known."""


class MessageType(enum.IntEnum):
    """Kinds of message, with etcd's names and numbers (raftpb/raft.proto)."""

    MSG_HUP = 0
    MSG_BEAT = 1
    MSG_PROP = 2
    MSG_APP = 3
    MSG_APP_RESP = 4
    MSG_VOTE = 5
    MSG_VOTE_RESP = 6
    MSG_HEARTBEAT = 8
    MSG_HEARTBEAT_RESP = 9
    MSG_UNREACHABLE = 10
    MSG_CHECK_QUORUM = 12
    MSG_READ_INDEX = 15
    MSG_READ_INDEX_RESP = 16
    MSG_PRE_VOTE = 17
    MSG_PRE_VOTE_RESP = 18

    @property
    def label(self) -> str:
        """The name as etcd prints it: `MsgAppResp`."""
        return _LABELS[self]


_LABELS: Final = {kind: "".join(part.capitalize() for part in kind.name.split("_")) for kind in MessageType}


class EntryType(enum.IntEnum):
    """Kinds of log entry. Not modelled: EntryConfChange, EntryConfChangeV2."""

    ENTRY_NORMAL = 0


@frozen(kw_only=True)
class Entry:
    """One place in the log. `data` is opaque; None is the empty entry of a new leader."""

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
        return text if self.context is None else f"{text} {canonical(self.context)}"
