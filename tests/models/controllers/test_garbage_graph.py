"""Whom a change of the graph of owners makes the collector look at (graph_builder.go)."""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.controllers.garbage_graph import Asked, Graph, InvalidOwner, Look, Wake, identity_of
from chaoskube.models.objects import ConfigMap, KubeObject, ObjectMeta, OwnerReference


def made(
    name: str,
    *owners: str,
    namespace: str = "ns",
    finalizers: tuple[str, ...] = (),
    going: bool = False,
    blocks: bool = False,
) -> ConfigMap:
    """A ConfigMap owned by the ConfigMaps of these names; its uid is its name."""
    references = tuple(
        OwnerReference(api_version="v1", kind="ConfigMap", name=one, uid=one, block_owner_deletion=blocks)
        for one in owners
    )
    return ConfigMap(
        metadata=ObjectMeta(
            name=name,
            namespace=namespace,
            uid=name,
            owner_references=references,
            finalizers=finalizers,
            deletion_timestamp=1 if going else None,
        )
    )


def graph_of(*objects: KubeObject) -> Graph:
    """A graph that has seen these."""
    graph = Graph()
    for obj in objects:
        graph.observe(obj)
    return graph


def looked_at(asked: list[Asked]) -> list[str]:
    """The uids to look at, in order."""
    return [one.uid for one in asked if isinstance(one, Wake)]


def test_an_owner_that_was_never_seen_is_looked_at_until_a_live_read_says_it_is_gone() -> None:
    """It stands as a virtual node; then its dependents are looked at, and it is known to be absent."""
    graph = Graph()

    assert graph.observe(made("child", "owner")) == [Wake(uid="owner")]
    owner = graph.node("owner")
    assert owner is not None and owner.is_virtual
    assert looked_at(graph.forget_virtual(owner.identity)) == ["child"]
    assert graph.newly_absent == [identity_of(made("owner"))]
    assert graph.node("owner") is None


def test_an_owner_that_goes_wakes_its_dependents() -> None:
    """gc-background: the ReplicaSets of a Deployment, then their pods."""
    graph = graph_of(made("owner"), made("a", "owner"), made("b", "owner"))

    assert looked_at(graph.forget(made("owner"))) == ["a", "b"]


def test_the_last_dependent_wakes_an_owner_that_waits_for_it() -> None:
    """gc-foreground: the owner is looked at when a dependent is gone, not before it waits."""
    waiting = made("owner", finalizers=("foregroundDeletion",), going=True)
    child = made("child", "owner", blocks=True)
    graph = graph_of(made("owner"), child)
    asked = graph.observe(waiting, made("owner"))

    assert looked_at(asked) == ["child", "owner"]
    owner = graph.node("owner")
    assert owner is not None and [one.identity.name for one in owner.blocking_dependents] == ["child"]
    assert looked_at(graph.forget(child)) == ["owner"]
    assert not owner.blocking_dependents
    assert looked_at(graph_of(made("owner"), child).forget(child)) == []


def test_only_the_beginning_of_an_orphaning_is_carried_out() -> None:
    """An update that changes something else doesn't begin it again."""
    graph = graph_of(made("owner"))
    going = made("owner", finalizers=("orphan",), going=True)

    assert graph.observe(going, made("owner")) == [Wake(uid="owner", look=Look.ORPHAN)]
    assert graph.observe(going, going) == []


def test_a_reference_that_no_longer_blocks_wakes_its_owner() -> None:
    """Taken away, or only unblocked: either may have been the last."""
    blocking, free = made("child", "owner", blocks=True), made("child", "owner")
    for after in (free, made("child")):
        graph = graph_of(made("owner"), blocking)
        assert looked_at(graph.observe(after, blocking)) == ["owner"], after
    graph = graph_of(made("owner"), blocking)
    graph.observe(made("child"), blocking)
    owner = graph.node("owner")
    assert owner is not None and not owner.dependents


def test_an_owner_in_another_namespace_is_no_owner() -> None:
    """Told as an event, and the dependent is looked at: a live read in its own namespace finds nothing."""
    graph = graph_of(made("owner", namespace="other"))
    asked = graph.observe(made("child", "owner"))

    assert [one.dependent.name for one in asked if isinstance(one, InvalidOwner)] == ["child"]
    assert looked_at(asked) == ["child"]


def test_a_virtual_owner_that_turns_out_to_live_elsewhere_loses_its_dependents() -> None:
    """The dependent came first; the owner is seen at last, in another namespace."""
    graph = graph_of(made("child", "owner"))
    asked = graph.observe(made("owner", namespace="other"))

    assert looked_at(asked) == ["child"]
    owner = graph.node("owner")
    assert owner is not None and not owner.is_virtual and owner.identity.namespace == "other"


def test_a_lie_about_an_owner_does_not_take_it_from_those_who_tell_the_truth() -> None:
    """One dependent names the uid with a wrong kind; only that one's owner is absent."""
    honest = made("honest", "owner")
    reference = evolve(honest.metadata.owner_references[0], kind="Secret")
    liar = evolve(made("liar"), metadata=evolve(made("liar").metadata, owner_references=(reference,)))
    graph = graph_of(liar, honest)
    lie = evolve(identity_of(made("owner")), kind="Secret")

    asked = graph.forget_virtual(lie)

    assert asked == [Wake(uid="liar"), Wake(uid="owner", look=Look.DELETE_LATER)]
    owner = graph.node("owner")
    assert owner is not None and owner.identity == identity_of(made("owner"))
    assert graph.newly_absent == [lie]


def test_a_live_read_does_not_remove_what_an_informer_has_seen() -> None:
    """An owner under other coordinates stays; who means the absent one is looked at."""
    graph = graph_of(made("owner"))
    lie = evolve(identity_of(made("owner")), name="other")

    assert graph.forget_virtual(lie) == []
    assert graph.node("owner") is not None
