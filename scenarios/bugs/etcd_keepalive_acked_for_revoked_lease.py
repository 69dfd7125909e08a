"""etcd-keepalive-acked-for-revoked-lease: a keep-alive is answered by who believes to lead, without asking anybody."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.lease_keeper import LeaseKeeper, _Question


@bug(
    "etcd-keepalive-acked-for-revoked-lease",
    cites="etcd-io/etcd PR#20615, PR#20616",
    invariants=("keep-alives-are-true", "leases-do-not-end-early"),
    scenario="etcd-lease-lock",
    needs=("slow-disk", "pause", "partition", "slow-link", "lose", "reorder", "clock-drift"),
    setup={"members": 3},
)
def etcd_keepalive_acked_for_revoked_lease() -> Iterator[None]:
    """A leader that was deposed, or is behind, promises time for a lease that the others have ended."""

    def answer_at_once(self: LeaseKeeper, question: _Question) -> None:
        self._confirmed(question, None)

    with patched(LeaseKeeper, "_answer_as_leader", answer_at_once):
        yield
