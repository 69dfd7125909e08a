"""The values around the Raft core: how a member is configured, what it is, and what it owes the world.

Etcd-io/raft rawnode.go and node.go (`Ready`), raft.go (`Config`, `StateType`). Made and read by the core and by
whoever runs one.
"""

from __future__ import annotations

import enum
from typing import Final

from attrs import frozen

from chaoskube.models.raft.messages import Entry, HardState, Message, MessageType, ReadState

HELD_BACK: Final = frozenset(
    {MessageType.MSG_APP_RESP, MessageType.MSG_VOTE_RESP, MessageType.MSG_PRE_VOTE_RESP}
)
"""Messages that promise something about the sender's disk: they leave after the sync."""
FROM_LEADER: Final = frozenset({MessageType.MSG_APP, MessageType.MSG_HEARTBEAT})
"""Messages that only the leader of a term sends."""


class Role(enum.Enum):
    """What a member is at the moment."""

    FOLLOWER = "StateFollower"
    PRE_CANDIDATE = "StatePreCandidate"
    CANDIDATE = "StateCandidate"
    LEADER = "StateLeader"


@frozen(kw_only=True)
class Config:
    """Who a member is and how it behaves; the defaults are etcd's, in ticks (server/embed/config.go)."""

    id: int
    voters: tuple[int, ...]
    election_tick: int = 10
    heartbeat_tick: int = 1
    pre_vote: bool = True
    check_quorum: bool = True
    inflight_max: int = 512
    """etcd server/etcdserver/bootstrap.go maxInflightMsgs."""


@frozen(kw_only=True)
class Ready:
    """What a member owes the world, to be carried out in the order of the fields."""

    hard_state: HardState | None = None
    entries: tuple[Entry, ...] = ()
    must_sync: bool = False
    messages: tuple[Message, ...] = ()
    messages_after_append: tuple[Message, ...] = ()
    committed_entries: tuple[Entry, ...] = ()
    read_states: tuple[ReadState, ...] = ()
