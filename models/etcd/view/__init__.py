"""What happened in an etcd cluster, put together from the journal: for invariants and reports alone.

`EtcdView` has a part for each subject: `raft` (leaders, votes, logs, members), `store` (revisions, entries, who is how
far), `watches`, `leases` and `calls` (what clients were told). Each keeps what was known *before* the event that is
being recorded, plus a conflict in words as soon as two events do not fit together: an invariant only has to look.

Made by the observer (`EtcdView(world.journal)`) and by tests; no component may import it. The events that an
invariant may wake on are re-exported here.
"""

from __future__ import annotations

from chaoskube.models.etcd.events import (
    Acknowledged,
    Applied,
    CallAnswered,
    CallMade,
    Compacted,
    KeepAliveAnswered,
    LeaseEnded,
    LeaseGranted,
    MemberListChanged,
    Recovered,
    Restored,
    SnapshotInstalled,
    SnapshotSaved,
    WatchDelivered,
    WatchEnded,
    WatchOpened,
    WatchProgressed,
)
from chaoskube.models.etcd.view.calls import CallsView
from chaoskube.models.etcd.view.leases import LeasesView, is_early, overdue
from chaoskube.models.etcd.view.raft import RaftView
from chaoskube.models.etcd.view.store import StoreView
from chaoskube.models.etcd.view.watch_rules import Rule
from chaoskube.models.etcd.view.watches import WatchesView
from chaoskube.models.raft.events import (
    Appended,
    BecameLeader,
    Committed,
    ConfigApplied,
    ReadConfirmed,
    SteppedDown,
    TermChanged,
    Voted,
)
from chaoskube.sim import Journal

__all__ = [
    "Acknowledged",
    "Appended",
    "Applied",
    "BecameLeader",
    "CallAnswered",
    "CallMade",
    "Committed",
    "Compacted",
    "ConfigApplied",
    "EtcdView",
    "KeepAliveAnswered",
    "LeaseEnded",
    "LeaseGranted",
    "MemberListChanged",
    "RaftView",
    "ReadConfirmed",
    "Recovered",
    "Restored",
    "Rule",
    "SnapshotInstalled",
    "SnapshotSaved",
    "SteppedDown",
    "TermChanged",
    "Voted",
    "WatchDelivered",
    "WatchEnded",
    "WatchOpened",
    "WatchProgressed",
    "is_early",
    "overdue",
]


class EtcdView:
    """One cluster: its consensus, its store, and what its clients saw."""

    def __init__(self, journal: Journal) -> None:
        self.raft = RaftView(journal)
        self.store = StoreView(journal)
        self.raft.on_joined.append(self.store.forget_member)
        self.watches = WatchesView(journal, self.store)
        self.leases = LeasesView(journal, self.raft, self.store)
        self.calls = CallsView(journal, self.store)

    @property
    def revision(self) -> int:
        """The newest that any member has made."""
        return self.store.revision

    @property
    def applied(self) -> dict[str, int]:
        """The newest revision of each member."""
        return self.store.applied

    def erased(self, member: str) -> None:
        """Somebody emptied this member's disk: it has promised nothing."""
        self.raft.forget_member(member)
