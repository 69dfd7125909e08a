"""What the rules about the example operator say of clusters that are written by hand: each way to break one, and to keep it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve

from chaoskube.invariant import Invariant
from chaoskube.models.objects import GenericObject, KubeObject, ObjectMeta, decode, freeze
from chaoskube.scenarios.operators.database import (
    MEMBER_LABEL,
    NAME_LABEL,
    UID_LABEL,
    database_operator,
)
from chaoskube.scenarios.operators.database_rules import (
    databases_have_their_members,
    no_claim_is_left_behind,
    operator_deletes_only_what_is_not_wanted,
)
from chaoskube.sim import World
from tests.invariants.clusters import Case

PLURAL = "shop.example/databases"


@pytest.fixture
def world() -> Iterator[World]:
    """A world in which nothing happens by itself."""
    with World() as made:
        yield made


def database(uid: str = "u1", *, members: int = 2, deleted: bool = False) -> GenericObject:
    """The Database `orders`."""
    metadata = ObjectMeta(
        name="orders", namespace="default", uid=uid, deletion_timestamp=1 if deleted else None
    )
    content = freeze({"spec": {"members": members}})
    return GenericObject(api_version="shop.example/v1", kind="Database", metadata=metadata, content=content)


def child(kind: str, number: int, uid: str = "u1", **status: Any) -> KubeObject:
    """The pod or the claim of a member."""
    labels = {NAME_LABEL: "orders", UID_LABEL: uid, MEMBER_LABEL: str(number)}
    name = f"orders-{number}" if kind == "Pod" else f"data-orders-{number}"
    metadata = {"name": name, "namespace": "default", "uid": f"{kind}-{number}", "labels": labels}
    return decode({"apiVersion": "v1", "kind": kind, "metadata": metadata, "status": status})


def after_deleting(world: World, gone: KubeObject, *databases: GenericObject, user: str = "") -> list[str]:
    """What is said when the operator deletes this, after these versions of the Database."""
    case = Case(world, operator_deletes_only_what_is_not_wanted)
    for version in databases:
        case.put(version, plural=PLURAL)
    before = case.put(gone)
    case.remove(before)
    case.written(user or database_operator.user, "delete", before, None)
    return case.said


@pytest.mark.parametrize("kind", ["Pod", "PersistentVolumeClaim"])
def test_a_member_that_is_wanted_must_stay(world: World, kind: str) -> None:
    """Its pod and its data."""
    said = after_deleting(world, child(kind, 1), database())

    (message,) = said
    assert message.startswith(
        f"{kind} default/{child(kind, 1).name} was deleted, and Database default/orders"
    )
    assert message.endswith("(uid u1) wants 2 members, this one (number 1) among them")


@pytest.mark.parametrize(
    ("gone", "versions"),
    [
        (child("Pod", 2), (database(),)),
        (child("Pod", 1), (database(members=1), database(members=2))),
        (child("Pod", 0), (database(deleted=True),)),
        (child("Pod", 0), ()),
        (child("Pod", 0, uid="u0"), (database(),)),
        (child("Pod", 0, phase="Failed"), (database(),)),
    ],
    ids=["surplus", "surplus once", "its Database goes", "no Database", "another Database's", "ended"],
)
def test_what_is_not_wanted_or_was_not_may_go(
    world: World, gone: KubeObject, versions: tuple[GenericObject, ...]
) -> None:
    """A cache may be late: then it shows a size that once was."""
    assert after_deleting(world, gone, *versions) == []


def test_an_earlier_database_of_the_name_excuses_nothing(world: World) -> None:
    """It was being deleted, or smaller; the member is its successor's."""
    earlier = database("u0", members=0, deleted=True)

    assert len(after_deleting(world, child("Pod", 0), earlier, database())) == 1


def test_others_may_delete_what_they_like(world: World) -> None:
    """The rule is about the operator."""
    assert after_deleting(world, child("Pod", 0), database(), user="alice") == []


def in_the_end(world: World, rule: Invariant, *objects: KubeObject) -> list[str]:
    """What is said in the end of a store with these in it."""
    case = Case(world, rule)
    for obj in objects:
        case.put(obj, plural=PLURAL if obj.kind == "Database" else "")
    return case.in_the_end()


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (child("PersistentVolumeClaim", 0, uid="u0"), "claim default/data-orders-0 is of a Database that is gone"),
        (
            child("PersistentVolumeClaim", 2),
            "claim default/data-orders-2 is of member 2; default/orders wants 2",
        ),
    ],
    ids=["an earlier Database's", "a member's that is not wanted"],
)  # fmt: skip
def test_a_claim_that_nobody_wants_is_told(world: World, claim: KubeObject, why: str) -> None:
    """It costs money, and holds what a later member would read."""
    wanted = child("PersistentVolumeClaim", 1)

    assert in_the_end(world, no_claim_is_left_behind, database(), wanted, claim) == [why]


def test_claims_that_are_wanted_and_strangers_claims_are_fine(world: World) -> None:
    """What carries no uid of a Database is none of its business."""
    wanted = child("PersistentVolumeClaim", 1)
    stranger = child("PersistentVolumeClaim", 7)
    stranger = evolve(stranger, metadata=evolve(stranger.metadata, labels=type(stranger.metadata.labels)()))

    assert in_the_end(world, no_claim_is_left_behind, database(), wanted, stranger) == []


RUNS: dict[str, Any] = {"phase": "Running"}
STUCK: dict[str, Any] = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False"}]}


@pytest.mark.parametrize(
    ("pods", "count"),
    [
        ((child("Pod", 0, **RUNS),), "1 running of 1"),
        ((child("Pod", 0, **RUNS), child("Pod", 1, phase="Pending")), "1 running of 2"),
        ((child("Pod", 0, **RUNS), child("Pod", 1, uid="u0", **RUNS)), "1 running of 1"),
        (tuple([child("Pod", number, **RUNS) for number in range(3)]), "3 running of 3"),
    ],
    ids=["one is missing", "one does not run", "one is an earlier Database's", "one too many"],
)
def test_a_database_without_its_members_is_told(
    world: World, pods: tuple[KubeObject, ...], count: str
) -> None:
    """Neither fewer nor more."""
    assert in_the_end(world, databases_have_their_members, database(), *pods) == [
        f"default/orders wants 2 members and has {count}"
    ]


def test_a_member_that_no_node_takes_is_not_the_operators_fault(world: World) -> None:
    """And a Database that goes needs none."""
    both = child("Pod", 0, **RUNS), child("Pod", 1, **STUCK)

    assert in_the_end(world, databases_have_their_members, database(), *both) == []
    assert in_the_end(world, databases_have_their_members, database(deleted=True)) == []
