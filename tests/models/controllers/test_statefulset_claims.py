"""Who owns a claim, by the retention policy (stateful_set_utils.go)."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.models.controllers.statefulset_claims import (
    has_other_controller,
    is_stale,
    owners_fit,
    with_owners,
)
from chaoskube.models.controllers.statefulset_identity import claims_for, controller_reference
from chaoskube.models.objects import ConfigMap, KubeObject, ObjectMeta, PersistentVolumeClaim
from tests.models.controllers.stateful_making import member, stateful_set


def owned(claim: PersistentVolumeClaim, *owners: KubeObject) -> PersistentVolumeClaim:
    """The claim managed by these."""
    references = tuple(controller_reference(owner) for owner in owners)
    return evolve(claim, metadata=evolve(claim.metadata, owner_references=references))


@pytest.mark.parametrize(
    ("retention", "ordinal", "owner"),
    [
        (("Retain", "Retain"), 0, None),
        (("Retain", "Retain"), 1, None),
        (("Delete", "Retain"), 0, "StatefulSet"),
        (("Delete", "Retain"), 1, "StatefulSet"),
        (("Retain", "Delete"), 0, None),
        (("Retain", "Delete"), 1, "Pod"),
        (("Delete", "Delete"), 0, "StatefulSet"),
        (("Delete", "Delete"), 1, "Pod"),
    ],
)
def test_the_owner_is_whoever_is_to_take_the_claim_along(
    retention: tuple[str, str], ordinal: int, owner: str | None
) -> None:
    """Pod 1 is one too many in a set of one; sts-volume-claims shows Delete and Delete."""
    statefulset = stateful_set(1, claims=("data",), retention=retention)
    pod = member(statefulset, ordinal)
    claim = claims_for(statefulset, ordinal)[0]
    wanted = with_owners(statefulset, pod, claim)

    assert [one.kind for one in wanted.metadata.owner_references] == ([owner] if owner else [])
    assert owners_fit(statefulset, pod, wanted)
    assert owners_fit(statefulset, pod, claim) == (owner is None)
    for wrong in (owned(claim, statefulset, pod), owned(claim, statefulset), owned(claim, pod)):
        if wrong.metadata.owner_references != wanted.metadata.owner_references:
            assert not owners_fit(statefulset, pod, wrong)
            assert with_owners(statefulset, pod, wrong) == wanted


def test_a_claim_of_an_earlier_pod_is_stale_where_it_is_about_to_go() -> None:
    """Its garbage collection is on its way: a new pod must not be given it."""
    statefulset = stateful_set(2, claims=("data",), retention=("Retain", "Delete"))
    old, new = member(statefulset, 1, uid="old"), member(statefulset, 1, uid="new")
    claim = owned(claims_for(statefulset, 1)[0], old)

    assert is_stale(statefulset, new, claim)
    assert not is_stale(statefulset, old, claim)
    assert not is_stale(stateful_set(2, claims=("data",)), new, claim)
    assert not owners_fit(statefulset, new, claim)


def test_somebody_elses_claim_is_left_to_him() -> None:
    """Another controller manages it: ours takes only its own references away."""
    statefulset = stateful_set(1, claims=("data",), retention=("Delete", "Delete"))
    pod = member(statefulset, 0)
    other = ConfigMap(metadata=ObjectMeta(name="other", uid="other"))
    claim = owned(claims_for(statefulset, 0)[0], other)

    assert has_other_controller(statefulset, pod, claim)
    assert owners_fit(statefulset, pod, claim)
    both = owned(claim, other, statefulset)
    assert not owners_fit(statefulset, pod, both)
    assert with_owners(statefulset, pod, both) == claim
