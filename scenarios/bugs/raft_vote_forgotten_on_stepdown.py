"""raft-vote-forgotten-on-stepdown: becoming a follower clears the vote even when the term stays."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.raft import roles
from chaoskube.models.raft.messages import NONE
from chaoskube.models.raft.state import RaftState


@bug(
    "raft-vote-forgotten-on-stepdown",
    cites="ktoso/akka-raft#56 and #47; camunda/camunda#5356; etcd-io/raft raft.go reset: only a new term clears it",
    invariants=("one-vote-a-term", "who-can-win-has-what-is-committed"),
    scenario="etcd-register",
    needs=("crash", "crash-host", "crash-renaming", "full-disk", "bit-rot"),
    setup={"members": 3, "pre_vote": False},
    bounds={},
)
def raft_vote_forgotten_on_stepdown() -> Iterator[None]:
    """A candidate that steps down, or a member that comes back, is free to vote again in the same term."""
    become_follower = roles.become_follower

    def become_forgetful_follower(raft: RaftState, term: int, lead: int) -> None:
        become_follower(raft, term, lead)
        raft.vote = NONE

    with patched(roles, "become_follower", become_forgetful_follower):
        yield
