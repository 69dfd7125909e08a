"""raft-commit-prior-term: a leader takes an entry of an older term for committed because a majority holds it."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.raft import replication
from chaoskube.models.raft.state import RaftState


@bug(
    "raft-commit-prior-term",
    cites="Ongaro and Ousterhout, USENIX ATC 2014, 5.4.2 and figure 8; etcd-io/raft raft.go maybeCommit",
    invariants=("who-can-win-has-what-is-committed", "leader-completeness", "state-machine-safety"),
    scenario="raft",
    bounds={"time_outs": 3, "requests": 0, "crashes": 0, "reads": 0, "depth": 14},
)
def raft_commit_prior_term() -> Iterator[None]:
    """A leader counts replicas of an entry that an older leader made; a newer log may still replace it."""

    def may_commit_any_term(raft: RaftState, index: int) -> bool:
        return index > raft.log.committed

    with patched(replication, "may_commit", may_commit_any_term):
        yield
