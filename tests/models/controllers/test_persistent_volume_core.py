"""Which volume a claim gets, and what is written into both."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.models.controllers.persistent_volume_core import (
    AVAILABLE,
    BIND_COMPLETED,
    BOUND,
    BOUND_BY_CONTROLLER,
    RELEASED,
    candidates,
    claim_for,
    claim_in,
    names,
    satisfies,
    unbound,
    volume_for,
    volume_in,
)
from chaoskube.models.objects import PersistentVolume, PersistentVolumeClaim, decode

GIB = 1024**3


def volume(
    name: str, size: str = "1Gi", modes: tuple[str, ...] = ("ReadWriteOnce",), **spec: object
) -> PersistentVolume:
    """A free volume of class manual."""
    found = decode(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "uid": f"uid-{name}", "labels": {"disk": name}},
            "spec": {
                "capacity": {"storage": size},
                "accessModes": modes,
                "storageClassName": "manual",
                **spec,
            },
            "status": {"phase": AVAILABLE},
        }
    )
    assert isinstance(found, PersistentVolume)
    return found


def claim(
    size: str = "1Gi", modes: tuple[str, ...] = ("ReadWriteOnce",), **spec: object
) -> PersistentVolumeClaim:
    """A new claim of class manual."""
    found = decode(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": "a", "uid": "c", "resourceVersion": "7"},
            "spec": {"accessModes": modes, "resources": {"requests": {"storage": size}}, "storageClassName": "manual", **spec},
            "status": {"phase": "Pending"},
        }
    )  # fmt: skip
    assert isinstance(found, PersistentVolumeClaim)
    return found


def named(found: tuple[PersistentVolume, ...]) -> list[str]:
    return [one.name for one in found]


def test_the_smallest_volume_with_room_is_taken_and_equals_are_all_named() -> None:
    """pv_helpers.go, FindMatchingVolume."""
    volumes = [volume("big", "9Gi"), volume("b", "2Gi"), volume("a", "2Gi"), volume("small", "1Gi")]

    assert named(candidates(claim("2Gi"), volumes)) == ["a", "b"]
    assert named(candidates(claim("10Gi"), volumes)) == []


def test_fewer_access_modes_come_before_less_room() -> None:
    """index.go, findByClaim: groups of access modes are asked in the order of their number."""
    volumes = [volume("two", "1Gi", ("ReadWriteOnce", "ReadOnlyMany")), volume("one", "5Gi")]

    assert named(candidates(claim(), volumes)) == ["one"]
    assert named(candidates(claim(modes=("ReadOnlyMany",)), volumes)) == ["two"]


@pytest.mark.parametrize(
    "other",
    [
        volume("v", storageClassName="fast"),
        volume("v", volumeMode="Block"),
        volume("v", claimRef={"namespace": "a", "name": "another", "uid": "x"}),
        evolve(volume("v"), status=evolve(volume("v").status, phase=RELEASED)),
        evolve(volume("v"), metadata=evolve(volume("v").metadata, deletion_timestamp=1)),
    ],
)
def test_what_is_of_another_sort_or_not_free_is_no_match(other: PersistentVolume) -> None:
    """pv_helpers.go, FindMatchingVolume: each of its reasons to go on."""
    assert candidates(claim(), [other]) == ()


def test_a_selector_chooses_among_volumes() -> None:
    assert named(candidates(claim(selector={"matchLabels": {"disk": "b"}}), [volume("a"), volume("b")])) == [
        "b"
    ]


def test_a_volume_that_names_the_claim_comes_first() -> None:
    """A user put the claim's name there; its class and phase are not asked."""
    meant = volume("z", "5Gi", claimRef={"namespace": "a", "name": "data"})

    assert named(candidates(claim(), [volume("a"), meant])) == ["z"]
    assert names(meant, claim()) and not names(volume("a"), claim())
    assert not satisfies(volume("small", "1Mi"), claim())


def test_binding_writes_each_side_and_says_who_did_it() -> None:
    """GetBindVolumeToClaim, bindClaimToVolume, updateClaimStatus: nothing changes the second time."""
    taken = volume_for(volume("v"), claim())
    bound = claim_for(claim(), taken)
    done = claim_in(bound, BOUND, taken)

    assert taken.spec.claim_ref is not None
    assert (taken.spec.claim_ref.uid, taken.spec.claim_ref.resource_version) == ("c", "7")
    assert list(taken.metadata.annotations) == [BOUND_BY_CONTROLLER]
    assert bound.spec.volume_name == "v" and set(bound.metadata.annotations) == {
        BOUND_BY_CONTROLLER,
        BIND_COMPLETED,
    }
    assert done.status.access_modes == ("ReadWriteOnce",) and done.status.capacity["storage"].value == GIB
    assert volume_for(taken, claim()) is taken and claim_for(bound, taken) is bound
    assert claim_in(done, BOUND, taken) is done


def test_what_a_user_asked_for_is_not_marked_as_the_controllers_choice() -> None:
    """The annotation tells later what may be undone."""
    meant = volume_for(volume("v", claimRef={"namespace": "a", "name": "data"}), claim())
    wished = claim_for(claim(volumeName="v"), meant)

    assert BOUND_BY_CONTROLLER not in meant.metadata.annotations
    assert set(wished.metadata.annotations) == {BIND_COMPLETED}
    assert (
        unbound(meant).spec.claim_ref is not None
        and unbound(volume_for(volume("v"), claim())).spec.claim_ref is None
    )


def test_a_phase_begins_once() -> None:
    free = volume("v")
    held = volume_in(free, BOUND, 5_000_000_000)

    assert held.status.last_phase_transition_time == 5_000_000_000
    assert volume_in(held, BOUND, 9_000_000_000) is held
