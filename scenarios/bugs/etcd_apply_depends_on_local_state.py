"""etcd-apply-depends-on-local-state: what is checked when an entry is applied doesn't come with a snapshot."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.replica import Replica
from chaoskube.models.etcd.state import State


@bug(
    "etcd-apply-depends-on-local-state",
    cites="etcd-io/etcd#14571, #11651, PR#14648: there it was the permissions",
    invariants=("members-have-one-state", "one-content-a-revision", "keep-alives-are-true"),
    scenario="etcd-lease-lock",
    needs=(
        "crash",
        "crash-host",
        "crash-renaming",
        "pause",
        "partition",
        "slow-link",
        "lose",
        "bit-rot",
        "full-disk",
    ),
    setup={"snapshots": 30},
)
def etcd_apply_depends_on_local_state() -> Iterator[None]:
    """A member that takes a snapshot goes on with the leases that it knew: it refuses what the others carry out."""
    new_state = Replica._new_state

    def state_with_old_leases(self: Replica) -> State:
        state = new_state(self)
        if hasattr(self, "state"):
            state.lessor = self.state.lessor
            state.lessor.backend = self.backend
        return state

    with patched(Replica, "_new_state", state_with_old_leases):
        yield
