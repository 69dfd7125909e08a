"""What may happen to an etcd cluster, and what must hold in it whatever happens.

All faults of the harness but two. A lying disk loses what a majority acknowledged, and no promise of Raft survives that;
doubled datagrams don't exist between etcd's peers, which talk over TCP. Bits may rot on any member: every record
has a checksum, so a member that meets one stops, and is as good as crashed until somebody puts the good copy back. Clocks may
drift: elections only get slower, and leases are held to the slowest and fastest clock there was. Wall clocks
mean nothing to etcd.
"""

from __future__ import annotations

from chaoskube.action import Action
from chaoskube.faults.bit_rot import BitRot
from chaoskube.faults.clock_drift import ClockDrift
from chaoskube.faults.clock_jump import ClockJump
from chaoskube.faults.crash import Crash
from chaoskube.faults.crash_host import CrashHost
from chaoskube.faults.crash_renaming import CrashRenaming
from chaoskube.faults.full_disk import FullDisk
from chaoskube.faults.lose import Lose
from chaoskube.faults.partition import Partition
from chaoskube.faults.pause import Pause
from chaoskube.faults.reorder import Reorder
from chaoskube.faults.slow_disk import SlowDisk
from chaoskube.faults.slow_link import SlowLink
from chaoskube.invariant import Invariant, collect
from chaoskube.invariants import etcd, etcd_watch, raft
from chaoskube.scenarios.etcd import stability

FAULTS: tuple[type[Action], ...] = (
    Crash,
    CrashHost,
    CrashRenaming,
    Pause,
    Partition,
    SlowLink,
    Lose,
    Reorder,
    SlowDisk,
    FullDisk,
    BitRot,
    ClockDrift,
    ClockJump,
)
INVARIANTS: tuple[Invariant, ...] = (*collect([etcd, etcd_watch, raft]), *stability.INVARIANTS)
"""Of two that one event breaks the first is told: what clients lose before what Raft did wrong."""
