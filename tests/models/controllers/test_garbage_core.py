"""What the garbage collector does about one object (garbagecollector.go)."""

from __future__ import annotations

import pytest
from attrs import evolve

from chaoskube.models.controllers.garbage_core import (
    AbsentOwners,
    Collect,
    Keep,
    Owner,
    decide,
    is_settled,
    judge,
    may_ignore_version,
)
from chaoskube.models.controllers.garbage_graph import Graph, Node
from chaoskube.models.objects import ConfigMap, OwnerReference
from tests.models.controllers.test_garbage_graph import graph_of, made


def reference(uid: str) -> OwnerReference:
    """A reference to the ConfigMap of that uid."""
    return made("x", uid).metadata.owner_references[0]


def node_of(graph: Graph, uid: str) -> Node:
    """A node that is there."""
    node = graph.node(uid)
    assert node is not None
    return node


CHILD = made("child", "a", "b")
PLAIN = node_of(graph_of(CHILD), "child")


@pytest.mark.parametrize(
    ("owner", "worth"),
    [
        (None, Owner.DANGLING),
        (evolve(made("a"), metadata=evolve(made("a").metadata, uid="another")), Owner.DANGLING),
        (made("a"), Owner.SOLID),
        (made("a", going=True, finalizers=("orphan",)), Owner.SOLID),
        (made("a", going=True, finalizers=("foregroundDeletion",)), Owner.WAITING),
        (made("a", finalizers=("foregroundDeletion",)), Owner.SOLID),
    ],
)
def test_what_a_reference_is_worth(owner: ConfigMap | None, worth: Owner) -> None:
    """An owner of that name with another uid is not the owner: the name was taken again."""
    assert judge(reference("a"), owner) is worth


@pytest.mark.parametrize(
    ("worths", "verdict"),
    [
        ((), Keep()),
        ((Owner.SOLID, Owner.SOLID), Keep()),
        ((Owner.SOLID, Owner.DANGLING), Keep(without=("b",))),
        ((Owner.WAITING, Owner.SOLID), Keep(without=("a",))),
        ((Owner.DANGLING, Owner.DANGLING), Collect(policy="Background")),
        ((Owner.WAITING, Owner.DANGLING), Collect(policy="Background")),
    ],
)
def test_one_solid_owner_keeps_an_object(worths: tuple[Owner, ...], verdict: Keep | Collect) -> None:
    """gc-owner-references: `both` loses the owner that goes and stays."""
    owners = list(zip((reference("a"), reference("b")), worths, strict=False))

    assert decide(PLAIN, CHILD, owners) == verdict


def test_what_has_dependents_goes_in_the_foreground_with_its_owner() -> None:
    """gc-foreground: the ReplicaSet waits for its pods as the Deployment waits for it."""
    graph = graph_of(CHILD, made("grandchild", "child"))
    owners = [(reference("a"), Owner.WAITING)]

    assert decide(node_of(graph, "child"), CHILD, owners) == Collect(policy="Foreground")
    graph.observe(made("grandchild", "child", going=True, finalizers=("foregroundDeletion",)))
    node_of(graph, "grandchild").is_deleting_dependents = True
    assert decide(node_of(graph, "child"), CHILD, owners) == Collect(policy="Foreground", unblock=True)


@pytest.mark.parametrize(
    ("finalizers", "policy"),
    [(("orphan",), "Orphan"), (("foregroundDeletion",), "Foreground"), (("x",), "Background")],
)
def test_an_object_that_says_how_it_goes_goes_so(finalizers: tuple[str, ...], policy: str) -> None:
    """Its finalizers stand for an earlier wish."""
    live = made("child", "a", finalizers=finalizers)

    assert decide(PLAIN, live, [(reference("a"), Owner.DANGLING)]) == Collect(policy=policy)


def test_what_goes_already_is_left_alone_unless_it_waits_for_dependents() -> None:
    """Being deleted is a one-way street."""
    going = graph_of(made("child", "a", going=True))
    waiting = graph_of(made("child", "a", going=True, finalizers=("foregroundDeletion",)))

    assert is_settled(node_of(going, "child"))
    assert not is_settled(node_of(waiting, "child"))
    assert not is_settled(PLAIN)


def test_absent_owners_are_remembered_up_to_a_bound() -> None:
    """As cluster-wide or of that namespace; the one asked for longest ago is forgotten first."""
    absent = AbsentOwners(entries_max=2)
    graph = graph_of(made("child", "a"))
    absent.add(node_of(graph, "a").identity)
    absent.add(node_of(graph_of(made("child", "b")), "b").identity)

    assert absent.has(reference("a"), "ns") and not absent.has(reference("a"), "other")
    absent.add(node_of(graph_of(made("child", "c")), "c").identity)
    assert not absent.has(reference("b"), "ns") and absent.has(reference("a"), "ns")


def test_a_version_that_moved_on_matters_only_with_the_owners() -> None:
    """A status was written meanwhile: the delete goes on. Another owner: it is looked at again."""
    seen = evolve(CHILD, metadata=evolve(CHILD.metadata, resource_version="1"))
    later = evolve(CHILD, metadata=evolve(CHILD.metadata, resource_version="2"))
    reowned = evolve(later, metadata=evolve(later.metadata, owner_references=()))
    replaced = evolve(later, metadata=evolve(later.metadata, uid="another"))

    assert may_ignore_version(later, seen)
    assert not may_ignore_version(seen, seen)
    assert not may_ignore_version(reowned, seen)
    assert not may_ignore_version(replaced, seen)
