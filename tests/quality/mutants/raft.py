"""Mutants of Raft's core."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from chaoskube.bug import patched
from chaoskube.models.raft import election, receiving
from chaoskube.models.raft.messages import Message, MessageType
from chaoskube.models.raft.state import RaftState
from tests.quality.mutant import mutant


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
