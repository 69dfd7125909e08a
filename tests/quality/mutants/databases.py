"""Mutants of the example operator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaoskube.bug import patched
from chaoskube.models.client.operator import Loop
from chaoskube.models.objects import GenericObject, KubeObject
from chaoskube.scenarios.operators import database
from chaoskube.scenarios.operators.database import member_of, members_wanted
from tests.quality.mutant import mutant

Objects = Iterable[KubeObject]


@mutant("operator-deletes-only-what-is-not-wanted", scenario="database-operator")
def members_are_counted_from_one() -> Iterator[None]:
    """The operator takes the last member that is wanted for the first that is not."""

    def surplus(wanted: GenericObject, pods: Objects) -> tuple[KubeObject, ...]:
        too_many = [pod for pod in pods if member_of(pod) + 1 >= max(members_wanted(wanted), 1)]
        return tuple([pod for pod in too_many if pod.metadata.deletion_timestamp is None])

    with patched(database, "pods_to_delete", surplus):
        yield


@mutant("no-claim-is-left-behind", scenario="database-operator")
def claims_go_with_their_pods() -> Iterator[None]:
    """The operator deletes the claim of a member while it sees the pod go, and at no other time."""

    def seen_going(wanted: GenericObject, pods: Objects, claims: Objects) -> tuple[KubeObject, ...]:
        going = {member_of(pod) for pod in pods if pod.metadata.deletion_timestamp is not None}
        return tuple([claim for claim in claims if member_of(claim) in going])

    with patched(database, "claims_to_delete", seen_going):
        yield


@mutant("databases-have-their-members", scenario="database-operator")
def departures_go_unnoticed() -> Iterator[None]:
    """The operator hears nothing of the pods that it owns."""
    with patched(Loop, "_owned_changed", lambda self, obj: None):
        yield
