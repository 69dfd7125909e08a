"""op-acts-on-stale-deletion-by-name: an operator takes for a Database's members whatever bears its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.objects import GenericObject, KubeObject
from chaoskube.scenarios.operators import database


def _by_name(wanted: GenericObject, candidates: Iterable[KubeObject]) -> tuple[KubeObject, ...]:
    return tuple(candidates)


@bug(
    "op-acts-on-stale-deletion-by-name",
    cites="Sieve (OSDI 2022), figure 5; rabbitmq/cluster-operator issue 648",
    invariants=("operator-deletes-only-what-is-not-wanted",),
    scenario="operator-failover",
    needs=("freeze-stream", "delay-stream"),
)
def op_acts_on_stale_deletion_by_name() -> Iterator[None]:
    """A late view shows an earlier Database of the same name that is being deleted, and the members of the new one go."""
    with patched(database, "children_of", _by_name):
        yield
