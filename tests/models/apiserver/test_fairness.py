"""Priority and fairness: seats, queues, and who goes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.apiserver.authentication import identify
from chaoskube.models.apiserver.fairness import Fairness, Level, Ticket, deal
from chaoskube.models.apiserver.fairness_table import LEVELS, LevelShape, schema_of
from chaoskube.models.apiserver.server_options import ServerOptions
from chaoskube.models.objects import ConfigMap, ObjectMeta
from chaoskube.sim import SECOND, World


@pytest.mark.parametrize(
    ("user", "verb", "group", "resource", "schema", "level"),
    [
        ("admin", "list", "", "pods", "exempt", "exempt"),
        ("system:node:n", "patch", "", "nodes/status", "system-node-high", "node-high"),
        ("system:node:n", "update", "coordination.k8s.io", "leases", "system-node-high", "node-high"),
        ("system:node:n", "patch", "", "pods/status", "system-nodes", "system"),
        (
            "system:kube-scheduler",
            "update",
            "coordination.k8s.io",
            "leases",
            "system-leader-election",
            "leader-election",
        ),
        ("system:kube-scheduler", "create", "", "pods/binding", "kube-scheduler", "workload-high"),
        ("system:kube-controller-manager", "list", "", "pods", "kube-controller-manager", "workload-high"),
        (
            "system:serviceaccount:kube-system:replicaset-controller",
            "create",
            "",
            "pods",
            "kube-system-service-accounts",
            "workload-high",
        ),
        ("system:serviceaccount:shop:operator", "list", "", "pods", "service-accounts", "workload-low"),
        ("eve", "list", "", "pods", "global-default", "global-default"),
        ("", "get", "", "pods", "global-default", "global-default"),
    ],
)
def test_each_request_is_of_the_level_of_the_first_schema_that_holds(
    user: str, verb: str, group: str, resource: str, schema: str, level: str
) -> None:
    """AS/apis/flowcontrol/bootstrap/default.go."""
    found = schema_of(identify(user), verb, group, resource)

    assert (found.name, found.level) == (schema, level)


def test_all_seats_are_shared_out_by_shares() -> None:
    """600 seats, 245 shares, rounded up."""
    seats = {name: level.seats for name, level in Fairness(600).levels.items()}

    assert seats == {
        "exempt": 0,
        "system": 74,
        "node-high": 98,
        "leader-election": 25,
        "workload-high": 98,
        "workload-low": 245,
        "global-default": 49,
        "catch-all": 13,
    }


def level(seats: int, **shape: Any) -> Level:
    wanted = {"queues": 8, "hand": 2, "queue_length": 3, **shape}
    return Level(LevelShape(name="l", shares=1, **wanted), seats)


def place(one: Level, flow: str) -> Ticket:
    ticket = one.enqueue(flow)
    assert ticket is not None, f"{flow} is refused"
    return ticket


def test_a_seat_is_taken_at_once_while_one_is_free_and_nobody_waits() -> None:
    """Idle, that is all there is to it."""
    one = level(2)

    assert [one.take() for _ in range(3)] == [True, True, False]
    waiting = place(one, "a")
    assert one.release() is waiting
    assert not one.take(), "the free seat went to who waited"


def test_the_exempt_take_no_seat() -> None:
    """However many there are."""
    exempt = Fairness(600).levels["exempt"]

    assert all(exempt.take() for _ in range(1000)) and exempt.release() is None


def test_a_flow_that_sends_much_does_not_starve_another() -> None:
    """Queues are served in turn: the quiet one waits for one turn of the loud one, not for all of it."""
    one = level(1, queues=64, hand=1, queue_length=50)
    flows = [name for name in ("a", "b", "c", "d") if deal(name, 64, 1) != deal("loud", 64, 1)]
    assert one.take()
    loud = [place(one, "loud") for _ in range(20)]
    quiet = place(one, flows[0])
    served = [one.release() for _ in range(3)]

    assert quiet in served and len([ticket for ticket in served if ticket in loud]) == 2


def test_a_flow_takes_the_shortest_queue_of_its_hand_and_is_refused_when_all_are_full() -> None:
    """Three places in each of two queues."""
    one = level(1)
    assert one.take()
    tickets = [one.enqueue("a") for _ in range(7)]

    assert tickets[-1] is None and None not in tickets[:-1]
    assert {ticket.queue for ticket in tickets if ticket} == set(deal("a", 8, 2))


def test_a_level_without_queues_refuses_at_once() -> None:
    """As catch-all does."""
    one = level(1, queues=0, hand=0)

    assert one.take() and not one.take() and one.enqueue("a") is None


@given(flow=st.text(max_size=20), queues=st.integers(6, 200))
def test_a_hand_is_dealt_without_doubles_and_always_the_same(flow: str, queues: int) -> None:
    """pkg/util/shufflesharding: six different queues of all there are."""
    hand = deal(flow, queues, 6)

    assert len(set(hand)) == 6 and all(0 <= card < queues for card in hand)
    assert hand == deal(flow, queues, 6)


@given(steps=st.lists(st.sampled_from(["arrive a", "arrive b", "release", "leave"]), max_size=60))
def test_seats_and_places_are_never_lost(steps: list[str]) -> None:
    """Whatever happens in which order: nobody waits while a seat is free."""
    one = level(2)
    waiting: list[Ticket] = []
    seated = 0
    for step in steps:
        if step.startswith("arrive"):
            if one.take():
                seated += 1
            elif (ticket := one.enqueue(step)) is not None:
                waiting.append(ticket)
        elif step == "release" and seated:
            ticket = one.release()
            if ticket is None:
                seated -= 1
            else:
                waiting.remove(ticket)
        elif step == "leave" and waiting:
            one.leave(waiting.pop())
        assert (one.executing, one.waiting) == (seated, len(waiting))
        assert not waiting or seated == one.seats


def test_the_levels_of_the_table_are_those_that_schemas_name() -> None:
    """A schema that named another would let nobody in."""
    names = {shape.name for shape in LEVELS}

    assert all(schema_of(identify(user), "get", "", "pods").level in names for user in ("", "a", "admin"))


# ---- on a server


@pytest.fixture
def narrow(control_plane: Any) -> Iterator[Any]:
    """A server with few seats: one for those that no other level is for."""
    with World(seed=5) as world:
        yield control_plane(
            world, ServerOptions(authorization=("AlwaysAllow",), seats=12, admission_off=("ServiceAccount",))
        )


def flood(api: Any, user: str, count: int) -> list[int]:
    numbers = []
    for number in range(count):
        body = ConfigMap(metadata=ObjectMeta(name=f"{user}-{number}"))
        numbers.append(api.send(api.request("create", "configmaps", user=user, body=body)))
    return numbers


def codes(api: Any, numbers: list[int]) -> list[int]:
    return [answer.code for number in numbers if (answer := api.answer(number)) is not None]


def test_under_load_requests_wait_for_seats_and_all_are_done(narrow: Any) -> None:
    """One after the other, where there is one seat."""
    numbers = flood(narrow, "eve", 20)
    narrow.world.advance(5 * SECOND)

    assert codes(narrow, numbers) == [201] * 20


def test_who_waits_too_long_gets_429_and_is_told_when_to_come_back(narrow: Any) -> None:
    """15 s: a quarter of a request's time. The one that has the seat waits for etcd all the while."""
    for member in narrow.members[:2]:
        member.crash()
    numbers = flood(narrow, "eve", 3)
    narrow.world.advance(20 * SECOND)
    answers = [narrow.answer(number) for number in numbers]
    late = [answer.body for answer in answers if answer is not None and answer.code == 429]

    assert late
    assert late[0].message == "Too many requests, please try again later."
    assert late[0].retry_after_seconds == 1


def test_a_flood_of_one_level_leaves_the_others_alone(narrow: Any) -> None:
    """A user's flood doesn't hold a kubelet's lease up."""
    for member in narrow.members[:2]:
        member.crash()
    numbers = flood(narrow, "eve", 400)
    read = narrow.request("get", "namespaces", "default", user="system:node:n", resource_version="0")
    served = narrow.send(read)
    narrow.world.advance(SECOND)

    assert codes(narrow, [served]) == [200]
    assert codes(narrow, numbers) == [429] * (400 - 1 - 6 * 50), "one seat, six queues of fifty, and no more"
