"""What a cache may be told: everything, in order, as it was; and what is said when it isn't."""

from __future__ import annotations

import pytest

from chaoskube.invariants.informers import (
    caches_catch_up,
    caches_only_go_forward,
    list_and_watch_have_no_gap,
    nobody_insists_on_what_a_server_has_not_seen,
    what_a_cache_is_told_was_so,
    what_a_cache_was_told_it_keeps,
)
from chaoskube.models.apiserver.api import Cause, Status
from chaoskube.models.client.views import ReadBegun, ReadRefused, View, ViewClosed
from chaoskube.models.objects import GenericObject, ObjectMeta
from chaoskube.models.objects.crd import (
    CustomResourceDefinition,
    CustomResourceDefinitionNames,
    CustomResourceDefinitionSpec,
)
from chaoskube.sim import SECOND, ProcessStopped, World
from tests.invariants.clusters import Case, pod

ALL = [caches_only_go_forward, list_and_watch_have_no_gap, what_a_cache_is_told_was_so, caches_catch_up]
RULES = ALL[:3]


@pytest.mark.parametrize("invariant", ALL)
def test_a_list_and_every_change_since_are_fine(world: World, invariant: object) -> None:
    """A list at a revision, events after it, a bookmark, a relist that shows what went unseen."""
    case = Case(world, invariant)  # type: ignore[arg-type]  # an invariant
    view = View(resource="pods")
    one = case.put(pod("a"))
    other = case.put(pod("b"))
    case.lists(view, one, other, at=2)
    changed = case.put(pod("a", node="node-1"))
    case.hears(view, "MODIFIED", changed)
    case.holds(view, changed)
    gone = case.remove(pod("b"))
    case.hears(view, "DELETED", gone)
    case.forgets(view, gone)
    case.bookmark(view, at=4)
    case.put(pod("c"))
    case.remove(pod("c"))
    last = case.put(pod("d"))
    case.lists(view, changed, last, at=7)
    world.call_later(60 * SECOND, lambda: None)
    world.advance(30 * SECOND)

    assert (case.in_the_end() if invariant is caches_catch_up else case.said) == []


def test_a_client_that_sees_a_part_is_told_of_what_enters_and_leaves_it(world: World) -> None:
    """A kubelet hears of its own pods alone: what others do is no gap."""
    case = Case(world, list_and_watch_have_no_gap)
    view = View(resource="pods", field_selector="spec.nodeName=node-1")
    case.put(pod("a"))
    case.lists(view, at=1)
    case.put(pod("b", node="node-2"))
    case.hears(view, "ADDED", case.put(pod("a", node="node-1")))

    assert case.said == []

    case.put(pod("a", node="node-1", phase="Running"))
    case.bookmark(view, at=4)
    assert case.said == [
        "controller-manager-0's cache of pods is never told that Pod default/a changed at revision 4"
    ]


def test_an_event_that_is_left_out_is_seen_at_the_next(world: World) -> None:
    case = Case(world, list_and_watch_have_no_gap)
    view = View(resource="pods")
    case.lists(view, at=0)
    first = case.put(pod("a"))
    case.remove(first)
    case.hears(view, "ADDED", case.put(pod("b")))

    assert case.said == [
        "controller-manager-0's cache of pods is never told that Pod default/a is new at revision 1",
        "controller-manager-0's cache of pods is never told that Pod default/a is gone at revision 2",
    ]


def test_going_back_is_told(world: World) -> None:
    """By an event, a bookmark, a list, or in the store."""
    case = Case(world, caches_only_go_forward)
    view = View(resource="pods")
    first = case.put(pod("a"))
    second = case.put(pod("a", node="node-1"))
    case.lists(view, second, at=2)
    case.hears(view, "MODIFIED", second)
    case.bookmark(view, at=1)
    case.lists(view, first, at=1)

    assert case.said == [
        "controller-manager-0's cache of pods is told that Pod default/a is MODIFIED at revision 2 after 2",
        "controller-manager-0's cache of pods gets a bookmark at revision 1 after it has seen 2",
        "controller-manager-0's cache of pods lists revision 1 after it has seen 2",
        "controller-manager-0's cache of pods goes back with Pod default/a from revision 2 to 1",
    ]


def test_another_life_may_begin_with_an_older_state(world: World) -> None:
    """client-go lists whatever a server's cache holds, the first time."""
    case = Case(world, caches_only_go_forward)
    first = case.put(pod("a"))
    case.lists(View(resource="pods"), case.put(pod("a", node="node-1")), at=2)
    case.record(ProcessStopped(life=1, reason="crash"), by="controller-manager-0")
    case.lists(View(resource="pods"), first, at=1)

    assert case.said == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("old", "lists Pod default/a of revision 1, which had become 2, at revision 2"),
        ("missing", "lists everything but default/a at revision 2"),
        ("extra", "lists Pod default/x, which was not there, at revision 2"),
    ],
)
def test_a_list_that_was_never_so_is_told(world: World, wrong: str, words: str) -> None:
    case = Case(world, what_a_cache_is_told_was_so)
    first = case.put(pod("a"))
    second = case.put(pod("a", node="node-1"))
    stranger = pod("x", resource_version="2")
    shown = {"old": (first,), "missing": (), "extra": (second, stranger)}[wrong]
    case.lists(View(resource="pods"), *shown, at=2)

    assert case.said == [f"controller-manager-0's cache of pods {words}"]


def test_a_deletion_must_carry_its_own_revision(world: World) -> None:
    """k/k PR#58547: the last update's revision would let a client resume in the past."""
    case = Case(world, what_a_cache_is_told_was_so)
    view = View(resource="pods")
    case.lists(view, at=0)
    case.put(pod("other"))
    stays = case.put(pod("a"))
    case.put(pod("b"))
    case.remove(stays)
    case.hears(view, "DELETED", pod("a", resource_version="3"))

    assert case.said == [
        "controller-manager-0's cache of pods is told that Pod default/a is DELETED at revision 3, which etcd never held"
    ]


def test_a_cache_that_stays_behind_is_told_after_a_while(world: World) -> None:
    """What has just changed may be under way; what is gone must not stay."""
    world.call_later(600 * SECOND, lambda: None)
    case = Case(world, caches_catch_up)
    view = View(resource="pods")
    one = case.put(pod("a"))
    case.lists(view, one, at=1)
    world.advance(20 * SECOND)
    case.remove(one)
    world.advance(5 * SECOND)
    assert case.in_the_end() == []

    world.advance(10 * SECOND)
    assert case.in_the_end() == [
        "controller-manager-0's cache of pods does not show default/a as it has been for 15 s"
    ]


def test_what_a_list_showed_is_there_when_it_is_updated(world: World) -> None:
    """It is told whether the store has kept it, or dropped it on the way."""
    case = Case(world, what_a_cache_was_told_it_keeps)
    kept, dropped = View(resource="pods"), View(resource="pods")
    first = case.put(pod("a"))
    for view in (kept, dropped):
        case.lists(view, first, at=1)
    case.forgets(dropped, first)
    second = case.put(pod("a", node="node-1"))
    for view in (kept, dropped):
        case.hears(view, "MODIFIED", second)
    case.holds(kept, second)
    assert case.said == []

    case.holds(dropped, second)
    assert case.said == [
        "controller-manager-0's cache of pods takes an update of Pod default/a at revision 2, and has not kept "
        + "what it was before"
    ]


def test_who_was_refused_asks_for_something_else(world: World) -> None:
    """A later version may be too large, too; the same one again must not be asked for."""
    case = Case(world, nobody_insists_on_what_a_server_has_not_seen)
    status = Status(
        code=504,
        reason="Timeout",
        message="",
        causes=(Cause(reason="ResourceVersionTooLarge", message="", field=""),),
    )
    for asked in ("5", "", "", "8"):
        case.record(ReadBegun(resource="pods", selection=("", "", ""), asked=asked), by="a")
        case.record(ReadRefused(resource="pods", selection=("", "", ""), asked=asked, status=status), by="a")
    assert case.said == []

    case.record(ReadBegun(resource="pods", selection=("", "", ""), asked="8"), by="a")
    assert case.said == [
        "a's cache of pods asks for the state as of 8 again, which a server has refused as too large"
    ]


def test_a_cache_that_was_given_up_owes_nothing(world: World) -> None:
    """kubectl watches what it waits for, and stops."""
    world.call_later(600 * SECOND, lambda: None)
    case = Case(world, caches_catch_up)
    view = View(resource="pods")
    one = case.put(pod("a"))
    case.lists(view, one, at=1)
    world.journal.mention(world.now, "controller-manager-0", ViewClosed(view=view))
    case.remove(one)
    world.advance(20 * SECOND)

    assert case.in_the_end() == []


def test_caches_of_custom_objects_are_held_to_the_same(world: World) -> None:
    """A user's operator misses nothing either."""
    case = Case(world, list_and_watch_have_no_gap)
    names = CustomResourceDefinitionNames(plural="databases", kind="Database")
    spec = CustomResourceDefinitionSpec(group="example.com", names=names)
    case.put(CustomResourceDefinition(metadata=ObjectMeta(name="databases.example.com"), spec=spec))
    view = View(resource="databases.example.com")
    database = GenericObject(
        api_version="example.com/v1", kind="Database", metadata=ObjectMeta(name="a", namespace="default")
    )
    case.lists(view, at=1)
    case.put(database, plural="example.com/databases")
    case.bookmark(view, at=2)

    assert case.said == [
        "controller-manager-0's cache of databases.example.com is never told that Database default/a is new at revision 2"
    ]
