"""raft-confchange-before-own-term-commit: a new leader changes members before an entry of its own term is committed."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.raft import membership
from chaoskube.models.raft.state import RaftState


@bug(
    "raft-confchange-before-own-term-commit",
    cites="Ongaro, raft-dev, 'bug in single-server membership changes' (2015); atomix/copycat#23; AxonIQ/axon-server-se "
    "PR#120; etcd-io/raft raft.go becomeLeader: pendingConfIndex",
    invariants=("configurations-overlap", "committed-entries-never-change", "leader-completeness"),
    scenario="etcd-membership",
    needs=(
        "crash",
        "crash-host",
        "crash-renaming",
        "pause",
        "partition",
        "lose",
        "slow-link",
        "slow-disk",
        "full-disk",
        "move-leader",
    ),
)
def raft_confchange_before_own_term_commit() -> Iterator[None]:
    """A new leader takes a change of members while one that it found in its log isn't committed."""
    is_change_pending = membership.is_change_pending

    def is_pending_once_settled(raft: RaftState) -> bool:
        return raft.log.matches(raft.log.committed, raft.term) and is_change_pending(raft)

    with patched(membership, "is_change_pending", is_pending_once_settled):
        yield
