"""What one Raft member holds in memory: the data that the rules in the other files work on.

`RaftState` is the `raft` struct of etcd-io/raft raft.go, with what rawnode.go remembers of the last Ready. The rules
are functions over it, a file an idea: `roles`, `election`, `following`, `leading`, `replication`, `reads`,
`membership`, `storage`. `core.Raft` is the door.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.raft.log import RaftLog
from chaoskube.models.raft.messages import NONE, HardState, Message, ReadState, Snapshot
from chaoskube.models.raft.read_only import ReadOnly
from chaoskube.models.raft.ready import Config, Role
from chaoskube.models.raft.tracker import ProgressTracker


@frozen(kw_only=True)
class Written:
    """What the disk was given last: the end of the log then and a received snapshot, in the `term` of then."""

    term: int
    index: int = 0
    log_term: int = 0
    snapshot: Snapshot | None = None


class RaftState:
    """One member. Attributes are for reading; the functions of this folder alone change them."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.id = config.id
        self.log = RaftLog(applying_size_max=config.max_committed_size_per_ready or config.max_size_per_msg)
        self.tracker = ProgressTracker(
            max_inflight=config.max_inflight_msgs, max_inflight_bytes=config.max_inflight_bytes
        )
        self.peers: tuple[int, ...] = ()
        """Everybody in the configuration but us, in order."""
        self.term = 0
        self.vote = NONE
        self.lead = NONE
        self.role = Role.FOLLOWER
        self.is_learner = False
        self.lead_transferee = NONE
        self.pending_conf_index = 0
        """A change of members at or before this index may not have been applied; no other is taken till then."""
        self.uncommitted_size = 0
        self.election_elapsed = 0
        self.heartbeat_elapsed = 0
        self.randomized_election_timeout = 0
        self.timeouts_drawn = 0
        self.read_only = ReadOnly()
        self.early_reads: list[Message] = []
        """Reads asked of a leader before the first commit of its term."""
        self.read_states: list[ReadState] = []
        self.messages: list[Message] = []
        self.messages_after_append: list[Message] = []
        self.dropped = ""
        """Why the last message was dropped, in etcd's words."""
        self.saved = HardState()
        self.told_lead = NONE
        self.told_role = Role.FOLLOWER
        self.is_out = False
        """A Ready is being carried out: the next is not given before `advance`."""
        self.written: Written | None = None
        """What the disk gets with the Ready that is out."""
        self.heartbeat_answer: Message | None = None

    def send(self, message: Message) -> None:
        """Let `message` go with the next Ready."""
        self.messages.append(message)

    def hold_back(self, message: Message) -> None:
        """Let `message`, which promises something about our disk, go once the disk has everything of now."""
        self.messages_after_append.append(message)

    def drop(self, why: str) -> bool:
        """Remember why a message was dropped; False, to be returned."""
        self.dropped = why
        return False
