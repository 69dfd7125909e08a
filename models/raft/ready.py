"""The values around the Raft core: how a member is configured, what it is, and what it owes the world.

Etcd-io/raft rawnode.go and node.go (`Ready`, `SoftState`), raft.go (`Config`, `StateType`), status.go. Made and
read by the core and by whoever runs one.
"""

from __future__ import annotations

import enum

from attrs import frozen

from chaoskube.models.raft.log import NO_LIMIT
from chaoskube.models.raft.messages import (
    LOCAL_APPLY_THREAD,
    NONE,
    Entry,
    HardState,
    Message,
    ReadState,
    Snapshot,
)
from chaoskube.models.raft.tracker import TrackerConfig
from chaoskube.sim import UsageError


class Role(enum.Enum):
    """What a member is at the moment."""

    FOLLOWER = "StateFollower"
    PRE_CANDIDATE = "StatePreCandidate"
    CANDIDATE = "StateCandidate"
    LEADER = "StateLeader"


class ReadOnlyOption(enum.Enum):
    """How a leader makes sure that it still leads before it answers a read."""

    SAFE = "ReadOnlySafe"
    """It asks a quorum."""
    LEASE_BASED = "ReadOnlyLeaseBased"
    """It trusts its clock: within an election time-out of hearing a quorum nobody else can lead."""


@frozen(kw_only=True)
class Config:
    """Who a member is and how it behaves; the defaults are etcd's, in ticks (server/embed/config.go).

    `voters` and `learners` are the configuration at index 0; a snapshot brings its own instead. `seed` is all
    the luck there is: the randomised election time-outs are a function of it.
    """

    id: int
    voters: tuple[int, ...] = ()
    learners: tuple[int, ...] = ()
    seed: int = 0
    election_tick: int = 10
    heartbeat_tick: int = 1
    pre_vote: bool = True
    check_quorum: bool = True
    read_only_option: ReadOnlyOption = ReadOnlyOption.SAFE
    max_inflight_msgs: int = 512
    """etcd server/etcdserver/bootstrap.go maxInflightMsgs."""
    max_inflight_bytes: int = 0
    """No bound when 0; soft: the append that reaches it is still sent."""
    max_size_per_msg: int = NO_LIMIT
    """Bytes of the entries in one append; 0 means one entry at a time. etcd's server takes 1 MiB."""
    max_committed_size_per_ready: int = 0
    """Bytes of the entries that are being applied at one time; 0 means `max_size_per_msg`."""
    max_uncommitted_entries_size: int = 0
    """Bytes of payload that a leader takes before they are committed; no bound when 0."""
    async_storage_writes: bool = False
    """The disk and the state machine are spoken to by messages, not by `advance`."""
    disable_proposal_forwarding: bool = False
    disable_conf_change_validation: bool = False
    step_down_on_removal: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse what etcd-io/raft refuses (raft.go Config.validate)."""
        for is_wrong, why in (
            (self.id == NONE, "cannot use none as id"),
            (self.id >= LOCAL_APPLY_THREAD, "cannot use local target as id"),
            (self.heartbeat_tick <= 0, "heartbeat tick must be greater than 0"),
            (self.election_tick <= self.heartbeat_tick, "election tick must be greater than heartbeat tick"),
            (self.max_inflight_msgs <= 0, "max inflight messages must be greater than 0"),
            (
                0 < self.max_inflight_bytes < self.max_size_per_msg,
                "max inflight bytes must be >= max message size",
            ),
            (
                self.read_only_option is ReadOnlyOption.LEASE_BASED and not self.check_quorum,
                "CheckQuorum must be enabled when ReadOnlyOption is ReadOnlyLeaseBased",
            ),
        ):
            if is_wrong:
                raise UsageError(f"raft member {self.id}: {why}")


@frozen(kw_only=True)
class SoftState:
    """What a member believes and needs not remember."""

    lead: int
    role: Role


@frozen(kw_only=True)
class Ready:
    """What a member owes the world, to be carried out in the order of the fields.

    With asynchronous storage writes `messages` hold all that has to be done; the other fields only say it again,
    and `messages_after_append` is empty.
    """

    soft_state: SoftState | None = None
    hard_state: HardState | None = None
    entries: tuple[Entry, ...] = ()
    snapshot: Snapshot | None = None
    must_sync: bool = False
    messages: tuple[Message, ...] = ()
    messages_after_append: tuple[Message, ...] = ()
    committed_entries: tuple[Entry, ...] = ()
    read_states: tuple[ReadState, ...] = ()


@frozen(kw_only=True)
class Status:
    """What a member says of itself when asked."""

    id: int
    term: int
    vote: int
    commit: int
    lead: int
    role: Role
    applied: int
    lead_transferee: int
    config: TrackerConfig
