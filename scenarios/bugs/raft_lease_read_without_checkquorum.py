"""raft-lease-read-without-checkquorum: a leader that hears no quorum leads on, and answers reads on its word alone."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.raft import leading
from chaoskube.models.raft.state import RaftState


@bug(
    "raft-lease-read-without-checkquorum",
    cites="etcd-io/raft commit 926a44a: check-quorum is required for lease-based reads; raft.go Config.validate",
    invariants=("a-leader-without-a-quorum-steps-down",),
    scenario="etcd-register",
    needs=("crash", "crash-host", "crash-renaming", "pause", "partition"),
    setup={"members": 3, "reads": "lease", "traffic": "mixed"},
)
def raft_lease_read_without_checkquorum() -> Iterator[None]:
    """A leader that is cut off never steps down; others elect a new one, write, and it answers with the past."""

    def carry_on(raft: RaftState) -> None:
        return None

    with patched(leading, "check_quorum", carry_on):
        yield
