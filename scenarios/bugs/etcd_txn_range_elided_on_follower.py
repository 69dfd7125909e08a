"""etcd-txn-range-elided-on-follower: members drop the reads of a transaction that nobody waits for at their place."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.applying import Applier
from chaoskube.models.etcd.messages import Range, RequestOp, Txn
from chaoskube.models.etcd.proposals import Proposal
from chaoskube.models.etcd.state import Applied


@bug(
    "etcd-txn-range-elided-on-follower",
    cites="etcd-io/etcd#18667, commit cb56c8ad0",
    invariants=("members-have-one-state", "one-content-a-revision"),
    scenario="etcd-register",
)
def etcd_txn_range_elided_on_follower() -> Iterator[None]:
    """A transaction that reads a compacted revision fails where it was asked for, and takes effect elsewhere."""
    outcome = Applier.outcome

    def without_reads(operations: tuple[RequestOp, ...]) -> tuple[RequestOp, ...]:
        return tuple(one for one in operations if not isinstance(one, Range))

    def outcome_without_reads(self: Applier, proposal: Proposal) -> Applied:
        request = proposal.request
        if isinstance(request, Txn) and not self._member.proposals.is_awaited(proposal.id):
            short = attrs.evolve(
                request, success=without_reads(request.success), failure=without_reads(request.failure)
            )
            proposal = Proposal(proposal.id, short, proposal.is_own)
        return outcome(self, proposal)

    with patched(Applier, "outcome", outcome_without_reads):
        yield
