"""raft-applied-cursor-skips-page: with one page handed out to be applied, everything committed counts as handed out."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.raft.log import RaftLog


@bug(
    "raft-applied-cursor-skips-page",
    cites="etcd-io/etcd PR#10063 (raft commit 8ecce32); cockroachdb/cockroach#28918",
    invariants=("terms-and-commits-only-grow", "members-have-one-state", "one-content-a-revision"),
    scenario="etcd-register",
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
        "bit-rot",
    ),
    setup={"members": 3, "message_bytes": 400},
    bounds={"members": 1, "time_outs": 1, "requests": 2, "crashes": 1, "reads": 0},
)
def raft_applied_cursor_skips_page() -> Iterator[None]:
    """Committed entries leave in pages; the cursor jumps to the commit index, and the later pages are never applied."""
    accept_applying = RaftLog.accept_applying

    def accept_all(self: RaftLog, index: int, size: int, *, allow_unstable: bool) -> None:
        accept_applying(self, self.committed, size, allow_unstable=allow_unstable)

    with patched(RaftLog, "accept_applying", accept_all):
        yield
