"""raft-vote-not-durable: term and vote are never written down, so a restart forgets them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chaoskube.bug import bug, patched
from chaoskube.models.etcd import wal
from chaoskube.models.raft.messages import Entry, HardState
from chaoskube.scenarios import raft_members


@bug(
    "raft-vote-not-durable",
    cites="wenweihu86/raft-java#57; vesoft-inc/nebula PR#3415; Raft paper, figure 2: persistent state",
    invariants=("terms-and-commits-only-grow", "one-vote-a-term"),
    scenario="etcd-register",
    needs=("crash", "crash-host", "crash-renaming", "full-disk"),
    bounds={},
)
def raft_vote_not_durable() -> Iterator[None]:
    """A member answers votes without having stored them: after a crash it votes again in the same term."""
    save, save_in_search = wal.save, raft_members.save

    def save_entries_only(
        log: wal.WriteAheadLog, hard_state: HardState | None, entries: tuple[Entry, ...]
    ) -> None:
        save(log, None, entries)

    def save_entries_only_in_search(
        member: raft_members.RaftMember, hard_state: HardState | None, entries: Sequence[Entry]
    ) -> None:
        save_in_search(member, None, entries)

    with (
        patched(wal, "save", save_entries_only),
        patched(raft_members, "save", save_entries_only_in_search),
    ):
        yield
