"""What a node says of itself: `models/node/node_status.py`."""

from attrs import evolve

from chaoskube.models.node.node_status import NodeShape, has_changed, is_ready, new_node, node_status
from chaoskube.sim import SECOND

SHAPE = NodeShape(name="node-1", zone="a")


def test_a_new_node_is_labelled_and_not_ready() -> None:
    """It gets ready at the first status after the registration."""
    node = new_node(SHAPE, "192.168.0.2", 0)

    assert node.labels["kubernetes.io/hostname"] == "node-1"
    assert node.labels["topology.kubernetes.io/zone"] == "a"
    assert not is_ready(node.status)


def test_a_heartbeat_alone_is_no_change() -> None:
    """Else every node would be written every 10 s (constants.md 93: only every 5 min)."""
    first = node_status(SHAPE, "ip", new_node(SHAPE, "ip", 0).status, 0, ready=True)
    later = node_status(SHAPE, "ip", first, 10 * SECOND, ready=True)

    assert later.conditions[0].last_heartbeat_time == 10 * SECOND
    assert not has_changed(first, later)


def test_what_the_node_controller_wrote_is_a_change() -> None:
    """Ready=Unknown is overwritten at the next turn, with a new transition time."""
    ready = node_status(SHAPE, "ip", new_node(SHAPE, "ip", 0).status, 0, ready=True)
    unknown = evolve(ready, conditions=tuple(evolve(one, status="Unknown") for one in ready.conditions))
    again = node_status(SHAPE, "ip", unknown, 60 * SECOND, ready=True)

    assert has_changed(unknown, again)
    assert {one.last_transition_time for one in again.conditions} == {60 * SECOND}
