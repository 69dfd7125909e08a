"""op-edge-triggered-cleanup: an operator cleans up after a pod when it sees it go, and at no other time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.objects import GenericObject, KubeObject
from chaoskube.scenarios.operators import database
from chaoskube.scenarios.operators.database import member_of, members_wanted


def _on_the_edge(
    wanted: GenericObject, pods: Iterable[KubeObject], claims: Iterable[KubeObject]
) -> tuple[KubeObject, ...]:
    going = {member_of(pod) for pod in pods if pod.metadata.deletion_timestamp is not None}
    return tuple(
        [
            claim
            for claim in claims
            if member_of(claim) >= members_wanted(wanted)
            and member_of(claim) in going
            and claim.metadata.deletion_timestamp is None
        ]
    )


@bug(
    "op-edge-triggered-cleanup",
    cites="Sieve (OSDI 2022), figure 6; instaclustr/cassandra-operator issue 398",
    invariants=("no-claim-is-left-behind",),
    scenario="database-operator",
    needs=("scale-custom", "recreate-custom"),
)
def op_edge_triggered_cleanup() -> Iterator[None]:
    """The claim of a member goes only while its pod is seen with a deletion timestamp: who misses that leaks it."""
    with patched(database, "claims_to_delete", _on_the_edge):
        yield
