"""What is wrong with metadata, in the real server's words, and how often it is said."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from chaoskube.models.objects import (
    ConfigMap,
    Deployment,
    KubeObject,
    ObjectMeta,
    OwnerReference,
    ReplicaSet,
    freeze,
)
from chaoskube.models.objects.validation import validate_create, validate_update

NAMED = ObjectMeta(name="a", namespace="default", uid="1")
TEN_SECONDS_PAST_1970 = 10_000_000_000


def said(old: KubeObject, **changes: Any) -> list[str]:
    """The causes when metadata changes like that."""
    new = evolve(old, metadata=evolve(old.metadata, **changes))
    return [str(cause) for cause in validate_update(old, new)]


def test_a_wrong_change_is_a_cause_of_each_validation() -> None:
    """registry/rest/update.go, validateCommonFields, and then the kind's own ValidateUpdate: both look."""
    assert (
        said(ConfigMap(metadata=NAMED), uid="2")
        == ['metadata.uid: Invalid value: "2": field is immutable'] * 2
    )


def test_deletion_is_not_ordered_by_an_update() -> None:
    """objectmeta.go, ValidateObjectMetaAccessorUpdate: only a DELETE sets these."""
    config = ConfigMap(metadata=NAMED)

    assert said(config, deletion_timestamp=TEN_SECONDS_PAST_1970)[0] == (
        'metadata.deletionTimestamp: Invalid value: "1970-01-01T00:00:10Z": field is immutable'
    )
    assert said(config, deletion_grace_period_seconds=5)[0] == (
        "metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable"
    )


def test_labels_are_looked_at_three_times_and_by_some_kinds_four() -> None:
    """ValidateDeploymentUpdate looks at what changed, ValidateConfigMapUpdate at the whole as well."""
    labels = {"labels": freeze({"a": "b c"})}

    assert len(said(Deployment(metadata=NAMED), **labels)) - len(said(Deployment(metadata=NAMED))) == 3
    assert len(said(ConfigMap(metadata=NAMED), **labels)) == 4


def test_a_replica_sets_spec_is_validated_twice_when_it_changes() -> None:
    """apps/replicaset/strategy.go, ValidateUpdate: ValidateReplicaSet and ValidateReplicaSetUpdate."""
    broken = ReplicaSet(metadata=NAMED)

    assert len(validate_update(broken, broken)) == 2 * len(validate_create(broken)) > 0


def test_finalizers_have_names_and_two_of_them_exclude_each_other() -> None:
    """objectmeta.go, ValidateFinalizers names the list; core/validation's rule for short ones the item."""
    both = ConfigMap(metadata=evolve(NAMED, finalizers=("orphan", "foregroundDeletion")))
    odd = ConfigMap(metadata=evolve(NAMED, finalizers=("short", "a.b/c d")))

    assert [str(cause) for cause in validate_create(both)] == [
        (
            'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion '
            "cannot be both set"
        )
    ]
    first, second = validate_create(odd)
    assert first.field == "metadata.finalizers" and first.message.startswith(
        'Invalid value: "a.b/c d": name part'
    )
    assert str(second) == (
        'metadata.finalizers[0]: Invalid value: "short": name is neither a standard finalizer name nor is it fully '
        "qualified"
    )


def test_an_event_owns_nothing() -> None:
    """objectmeta.go, BannedOwners."""
    owner = OwnerReference(api_version="v1", kind="Event", name="e", uid="2")
    owned = ConfigMap(metadata=evolve(NAMED, owner_references=(owner,)))

    assert [str(cause) for cause in validate_create(owned)] == [
        (
            'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"e","uid":"2"}: /v1, '
            "Kind=Event is disallowed from being an owner"
        )
    ]


def test_a_key_stands_in_one_of_a_config_maps_bags() -> None:
    """core/validation/validation.go, ValidateConfigMap."""
    config = ConfigMap(metadata=NAMED, data=freeze({"k": "1"}), binary_data=freeze({"k": "MQ=="}))

    assert [str(cause) for cause in validate_create(config)] == [
        'data[k]: Invalid value: "k": duplicate of key present in binaryData',
        'binaryData[k]: Invalid value: "k": duplicate of key present in data',
    ]
