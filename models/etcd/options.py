"""How the members of a cluster are configured: etcd's flags, with etcd's own defaults (server/embed/config.go).

Given to `member.boot_member`; members of one cluster may differ.
"""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import in_

from chaoskube.models.etcd.mvcc import COMPACTION_BATCH
from chaoskube.models.etcd.watch import WatchLimits
from chaoskube.sim import MILLISECOND, SECOND

GIBIBYTE = 1024**3
MAX_SIZE_PER_MSG = 1024**2


@frozen(kw_only=True)
class ReplicaOptions:
    """Flags of one member."""

    pre_vote: bool = True
    read_only: Literal["safe", "lease"] = field(default="safe", validator=in_(("safe", "lease")))
    """How linearizable reads are confirmed: by a quorum each time, or by the leader's lease (raft only)."""
    progress_notify_ns: int = 600 * SECOND
    snapshot_count: int = 10_000
    """Entries applied between two snapshots."""
    catch_up_entries: int = 5_000
    """Entries kept before a snapshot, for members that are a little behind."""
    max_size_per_msg: int = MAX_SIZE_PER_MSG
    """Bytes of the entries in one append, and of a page of entries to be applied (bootstrap.go maxSizePerMsg; no flag)."""
    quota_bytes: int = 2 * GIBIBYTE
    """How large the database may get before NOSPACE; negative for any size."""
    backend_commit_ns: int = 100 * MILLISECOND
    compaction_batch: int = COMPACTION_BATCH
    lease_checkpoint_ns: int = 0
    """How often the leader tells how much time leases have left; 0 for never (feature gate LeaseCheckpoint is off)."""
    lease_checkpoint_persist: bool = False
    strict_reconfig_check: bool = True
    watch_limits: WatchLimits = field(factory=WatchLimits)
    """How much waits for slow watchers (constants, no flags)."""
