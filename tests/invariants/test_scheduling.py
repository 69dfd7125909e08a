"""What of scheduling is called wrong, and what is not."""

from __future__ import annotations

from attrs import evolve

from chaoskube.invariants.scheduling import RETRY_NS, a_pod_that_fits_is_bound
from chaoskube.models.objects import (
    Container,
    Node,
    NodeSpec,
    NodeStatus,
    ObjectMeta,
    Pod,
    Quantity,
    ResourceRequirements,
    Taint,
    freeze,
)
from chaoskube.sim import World
from tests.invariants.clusters import Case, pod


def _asking(name: str, cpu: str, node: str = "") -> Pod:
    asked = ResourceRequirements(requests=freeze({"cpu": Quantity(cpu)}))
    made = pod(name, node=node)
    return evolve(made, spec=evolve(made.spec, containers=(Container(name="main", resources=asked),)))


def _node(**spec: object) -> Node:
    sizes = freeze({"cpu": Quantity("500m"), "pods": Quantity("10")})
    return Node(
        metadata=ObjectMeta(name="node-1"),
        spec=NodeSpec(**spec),  # type: ignore[arg-type]  # its own fields
        status=NodeStatus(allocatable=sizes),
    )


def _quiet(world: World, *objects: Node | Pod) -> Case:
    case = Case(world, a_pod_that_fits_is_bound)
    for obj in objects:
        case.put(obj)
    world.advance(RETRY_NS)
    return case


def test_a_pod_that_waits_beside_room_is_called_waiting(world: World) -> None:
    """What others on the node ask for leaves exactly what it needs."""
    case = _quiet(world, _node(), _asking("a", "300m", "node-1"), _asking("b", "200m"))

    assert case.in_the_end() == [
        "pod default/b waits, and node-1 has room for it: 200m of cpu are free there"
    ]


def test_a_full_node_has_no_room(world: World) -> None:
    case = _quiet(world, _node(), _asking("a", "301m", "node-1"), _asking("b", "200m"))

    assert case.in_the_end() == []


def test_a_node_that_is_not_for_everybody_promises_nothing(world: World) -> None:
    """A pod may tolerate what another doesn't: the scheduler knows, and this claim leaves it alone."""
    tainted = _node(taints=(Taint(key="dedicated", effect="NoSchedule"),))

    assert _quiet(world, tainted, _asking("b", "200m")).in_the_end() == []


def test_a_pod_with_a_wish_is_not_judged(world: World) -> None:
    wishing = _asking("b", "200m")
    wishing = evolve(wishing, spec=evolve(wishing.spec, node_selector=freeze({"disk": "ssd"})))

    assert _quiet(world, _node(), wishing).in_the_end() == []


def test_where_something_has_just_changed_nothing_is_claimed(world: World) -> None:
    """The scheduler is given the time to try again."""
    case = _quiet(world, _node(), _asking("b", "200m"))
    case.put(_asking("c", "400m", "node-1"))

    assert case.in_the_end() == []
