"""Mutants of Raft's core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from chaoskube.bug import patched
from chaoskube.models.etcd import wal
from chaoskube.models.raft import election, membership, reads, receiving, roles
from chaoskube.models.raft.log import RaftLog
from chaoskube.models.raft.messages import Entry, Message, MessageType
from chaoskube.models.raft.state import RaftState
from chaoskube.models.raft.tracker import ProgressTracker
from chaoskube.sim import Disk
from tests.quality.mutant import mutant


@mutant("a-read-index-covers-what-was-acknowledged", scenario="etcd-register")
def reads_need_not_see_the_newest_entry() -> Iterator[None]:
    """Whoever is asked how far a read must be names the entry before."""
    answer = reads._answer

    def answer_one_less(raft: RaftState, request: Message, index: int) -> None:
        answer(raft, request, index - 1)

    with patched(reads, "_answer", answer_one_less):
        yield


@mutant("one-leader-a-term", scenario="etcd-register")
def refusals_count_as_votes() -> Iterator[None]:
    """A candidate takes every answer for a vote."""
    step_candidate = election.step_candidate

    def step_hopefully(raft: RaftState, message: Message) -> bool:
        is_vote = message.type is MessageType.MSG_VOTE_RESP
        return step_candidate(raft, evolve(message, reject=False) if is_vote else message)

    with patched(election, "step_candidate", step_hopefully):
        yield


@mutant("one-vote-a-term", scenario="etcd-register")
def votes_for_everybody() -> Iterator[None]:
    """A member never looks whether it has voted in this term already."""
    with patched(election, "can_vote", lambda raft, message: True):
        yield


@mutant("committed-entries-never-change", scenario="etcd-register")
def heartbeats_commit_everything() -> Iterator[None]:
    """A follower that hears a heartbeat takes all that it holds for committed, whatever the heartbeat says."""
    handle_heartbeat = receiving.handle_heartbeat

    def handle_boldly(raft: RaftState, message: Message) -> None:
        handle_heartbeat(raft, evolve(message, commit=raft.log.last_index))

    with patched(receiving, "handle_heartbeat", handle_boldly):
        yield


@mutant("leader-append-only", scenario="etcd-register")
def new_leaders_tidy_up() -> Iterator[None]:
    """A new leader begins by throwing away what earlier leaders left and what it doesn't know to be committed."""
    become_leader = roles.become_leader

    def become_tidy_leader(raft: RaftState) -> None:
        log = raft.log
        del log.entries[log.committed - log.offset :]
        log.stable, log.in_progress = min(log.stable, log.committed), min(log.in_progress, log.committed)
        become_leader(raft)

    with patched(roles, "become_leader", become_tidy_leader):
        yield


@mutant("log-matching", scenario="etcd-register")
def what_is_there_stays() -> Iterator[None]:
    """A follower that has any entry at an index keeps it, and appends only what comes after its own end."""

    def append_the_rest(
        self: RaftLog, previous: int, previous_term: int, entries: Sequence[Entry]
    ) -> int | None:
        if previous > self.last_index:
            return None
        self.append([entry for entry in entries if entry.index > self.last_index])
        return previous + len(entries)

    with patched(RaftLog, "maybe_append", append_the_rest):
        yield


@mutant("leader-completeness", scenario="etcd-lease-lock")
def lengths_do_not_matter() -> Iterator[None]:
    """A member votes for whoever's log ends in its own last term, however much shorter it is."""

    def is_of_this_term(self: RaftLog, last_index: int, last_term: int) -> bool:
        return last_term >= self.last_term

    with patched(RaftLog, "is_up_to_date", is_of_this_term):
        yield


@mutant("who-can-win-has-what-is-committed", scenario="etcd-register")
def one_copy_is_enough() -> Iterator[None]:
    """A leader takes for committed what it has on its own disk."""

    def committed_here(self: ProgressTracker) -> int:
        return max(progress.match for progress in self.progress.values())

    with patched(ProgressTracker, "committed", committed_here):
        yield


@mutant("terms-and-commits-only-grow", scenario="etcd-register")
def ends_of_logs_are_taken_for_torn() -> Iterator[None]:
    """A member that starts cuts the last record off its log, torn or not."""
    verified = wal._verified

    def cut_first(disk: Disk) -> tuple[wal.WriteAheadLog, list[wal.Content]]:
        records = disk.read(wal.FILE)
        if len(records) > 1:
            disk.truncate(wal.FILE, len(records) - 1)
        return verified(disk)

    with patched(wal, "_verified", cut_first):
        yield


@mutant("configurations-overlap", scenario="etcd-membership")
def changes_do_not_wait() -> Iterator[None]:
    """A leader takes a change of members while another is under way."""
    with patched(membership, "is_change_pending", lambda raft: False):
        yield
