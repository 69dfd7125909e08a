"""raft-rejoin-disrupts-leader: whoever hears nothing raises the term, and everybody follows any higher term."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.raft import election
from chaoskube.models.raft.election import Campaign
from chaoskube.models.raft.state import RaftState


@bug(
    "raft-rejoin-disrupts-leader",
    cites="Raft dissertation, 9.6 (Pre-Vote); etcd-io/raft commit 3c7359d",
    invariants=("a-whole-majority-keeps-its-leader", "a-whole-majority-writes"),
    scenario="etcd-register",
    needs=("partition",),
    setup={"pre_vote": True, "members": 3, "traffic": "mixed"},
)
def raft_rejoin_disrupts_leader() -> Iterator[None]:
    """A member that can send and not receive asks for votes for ever, and deposes a leader that works each time."""

    def campaign_at_once(raft: RaftState) -> Campaign:
        return Campaign.ELECTION

    def never(raft: RaftState) -> bool:
        return False

    with patched(election, "first_campaign", campaign_at_once), patched(election, "is_in_lease", never):
        yield
