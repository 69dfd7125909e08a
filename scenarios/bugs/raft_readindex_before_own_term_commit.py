"""raft-readindex-before-own-term-commit: a new leader answers reads before an entry of its own term is committed."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.raft import reads
from chaoskube.models.raft.state import RaftState


@bug(
    "raft-readindex-before-own-term-commit",
    cites="Raft thesis, 6.4; etcd-io/etcd#12680 and PR#12762; etcd-io/raft raft.go committedEntryInCurrentTerm",
    invariants=("a-read-index-covers-what-was-acknowledged", "reads-are-linearizable"),
    scenario="etcd-register",
    needs=("partition",),
    setup={"members": 3, "apart_ms": 0, "far_ms": 100, "traffic": "reads"},
    bounds={"members": 2, "time_outs": 2, "requests": 1, "crashes": 0, "reads": 1, "depth": 14},
)
def raft_readindex_before_own_term_commit() -> Iterator[None]:
    """A new leader's commit index may be behind what its predecessor acknowledged; it lets reads be answered there."""

    def always(raft: RaftState) -> bool:
        return True

    with patched(reads, "has_committed_in_term", always):
        yield
