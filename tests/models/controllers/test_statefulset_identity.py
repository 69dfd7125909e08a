"""Names, numbers, labels and claims of a StatefulSet's pods (stateful_set_utils.go)."""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.controllers.statefulset_identity import (
    claims_for,
    has_identity,
    has_storage,
    is_in_range,
    is_member,
    new_pod,
    parent_and_ordinal,
    with_identity,
    with_storage,
)
from chaoskube.models.objects import ObjectMeta, Pod, Volume
from tests.models.controllers.stateful_making import member, stateful_set


def test_a_name_tells_the_set_and_the_number() -> None:
    """The set's own name may hold dashes and digits; a number that is too big is none."""
    assert parent_and_ordinal("db-3") == ("db", 3)
    assert parent_and_ordinal("db-3-12") == ("db-3", 12)
    assert parent_and_ordinal("db") == ("", -1)
    assert parent_and_ordinal("db-x") == ("", -1)
    assert parent_and_ordinal("db-2147483648") == ("db", -1)
    assert not is_member(stateful_set(), Pod(metadata=ObjectMeta(name="db-3-0")))


def test_numbers_begin_where_the_set_says() -> None:
    """spec.ordinals.start, GA since 1.31."""
    shifted = stateful_set(2, start=5)

    assert [ordinal for ordinal in range(9) if is_in_range(shifted, ordinal)] == [5, 6]


def test_a_new_pod_is_what_was_recorded() -> None:
    """sts-create-ordered: labels, host name, subdomain and owner of db-0."""
    statefulset = stateful_set()
    pod = new_pod(statefulset, statefulset.spec.template, "db-74dc745489", 0)

    assert pod.metadata.generate_name == "db-"
    assert pod.labels == {
        "app": "web",
        "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": "db-74dc745489",
        "statefulset.kubernetes.io/pod-name": "db-0",
    }
    assert (pod.name, pod.spec.hostname, pod.spec.subdomain) == ("db-0", "db-0", "db")
    owner = pod.metadata.controller
    assert (
        owner is not None
        and owner.block_owner_deletion
        and (owner.kind, owner.uid) == ("StatefulSet", "uid-db")
    )


def test_claims_are_named_by_template_set_and_number() -> None:
    """sts-volume-claims: data-db-0, with the selector's labels; volumes of the template come after."""
    statefulset = stateful_set(claims=("data", "log"))
    pod = member(statefulset, 1)

    assert [claim.name for claim in claims_for(statefulset, 1)] == ["data-db-1", "log-db-1"]
    assert claims_for(statefulset, 1)[0].labels == {"app": "web"}
    assert [volume.name for volume in pod.spec.volumes] == ["data", "log"]
    assert has_storage(statefulset, pod)
    other = evolve(pod, spec=evolve(pod.spec, volumes=(Volume(name="log"), Volume(name="tmp"))))
    assert not has_storage(statefulset, other)
    assert [volume.name for volume in with_storage(statefulset, other).spec.volumes] == ["data", "log", "tmp"]


def test_a_pod_that_lost_its_label_gets_it_back() -> None:
    """Adopted pods are made members, too."""
    statefulset = stateful_set()
    pod = member(statefulset, 0)
    bare = evolve(
        pod, metadata=evolve(pod.metadata, labels=pod.labels.minus("statefulset.kubernetes.io/pod-name"))
    )

    assert has_identity(statefulset, pod)
    assert not has_identity(statefulset, bare)
    assert has_identity(statefulset, with_identity(statefulset, bare, 0))
