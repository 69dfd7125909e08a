"""`etcdctl lease revoke`."""

from __future__ import annotations

import attrs

from chaoskube.action import Action, Stage, operation
from chaoskube.arguments import CannotApply, integer
from chaoskube.models.etcd.messages import LeaseRevoke as LeaseRevokeRequest
from chaoskube.scenarios.etcd.operations import by_operator, cluster_of


@operation("lease-revoke")
@attrs.frozen(kw_only=True)
class LeaseRevoke(Action):
    """End a lease that somebody else keeps alive: the one at this `place`, of those that there are, oldest first."""

    place: int = integer(0, 3)

    def _leases(self, stage: Stage) -> list[int]:
        alive = cluster_of(stage).observer.etcd.leases.alive.values()
        return [one.id for one in sorted(alive, key=lambda one: (one.granted_at, one.id))]

    def ready(self, stage: Stage) -> None:
        """Not without a lease there."""
        count = len(self._leases(stage))
        if count <= self.place:
            raise CannotApply(f"there are {count} leases")

    def do(self, stage: Stage) -> None:
        """`etcdctl lease revoke ID`."""
        by_operator(stage, LeaseRevokeRequest(self._leases(stage)[self.place]))
