"""raft-single-voter-ack-before-sync: a leader's own copy of an entry counts before it is on its disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.raft_node import RaftNode
from chaoskube.models.raft import replication
from chaoskube.models.raft.messages import Entry
from chaoskube.models.raft.state import RaftState


@bug(
    "raft-single-voter-ack-before-sync",
    cites="etcd-io/etcd#14370; raft commit 437bcb8",
    invariants=(
        "terms-and-commits-only-grow",
        "no-acknowledged-write-is-lost",
        "committed-entries-never-change",
    ),
    scenario="etcd-register",
    needs=("crash", "crash-host", "crash-renaming", "full-disk"),
    setup={"members": 1},
    bounds={"members": 1, "time_outs": 1, "requests": 1, "crashes": 1, "reads": 0},
)
def raft_single_voter_ack_before_sync() -> Iterator[None]:
    """With one voter an entry is committed, and answered for, in the batch that has yet to be saved."""
    append_entries = replication.append_entries

    def append_and_commit(raft: RaftState, entries: tuple[Entry, ...]) -> bool:
        is_taken = append_entries(raft, entries)
        if is_taken:
            raft.tracker.progress[raft.id].maybe_update(raft.log.last_index)
            replication.maybe_commit(raft)
        return is_taken

    when_durable = RaftNode.when_durable

    def go_on_at_once(self: RaftNode, then: Callable[[], object]) -> None:
        if not self.raft.tracker.is_only_voter(self.raft.id):
            when_durable(self, then)
            return
        when_durable(self, lambda: None)
        then()

    with (
        patched(replication, "append_entries", append_and_commit),
        patched(RaftNode, "when_durable", go_on_at_once),
    ):
        yield
