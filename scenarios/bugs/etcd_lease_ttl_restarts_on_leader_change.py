"""etcd-lease-ttl-restarts-on-leader-change: a new leader gives every lease its whole time again."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd import lease
from chaoskube.models.etcd.lease import Lease


@bug(
    "etcd-lease-ttl-restarts-on-leader-change",
    cites="etcd-io/etcd#9888, PR#13508, PR#14253",
    invariants=("leases-end",),
    scenario="etcd-lease-lock",
    needs=(
        "crash",
        "crash-host",
        "crash-renaming",
        "pause",
        "partition",
        "slow-link",
        "lose",
        "reorder",
        "slow-disk",
        "move-leader",
        "bit-rot",
        "full-disk",
        "clock-drift",
    ),
    setup={"members": 3},
)
def etcd_lease_ttl_restarts_on_leader_change() -> Iterator[None]:
    """What leaders note of leases is not used: while they change often enough, the keys of the dead stay."""

    def all_of_it(one: Lease) -> int:
        return one.ttl

    with patched(lease, "seconds_to_run", all_of_it):
        yield
