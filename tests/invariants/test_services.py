"""What slices say of pods that go."""

from __future__ import annotations

from chaoskube.invariants.services import dying_pods_are_not_ready_endpoints
from chaoskube.models.objects import Endpoint, EndpointConditions, EndpointSlice, ObjectMeta, ObjectReference
from chaoskube.sim import SECOND, World
from tests.invariants.clusters import Case, pod


def slice_with(uid: str) -> EndpointSlice:
    target = ObjectReference(kind="Pod", namespace="default", name="db-0", uid=uid)
    ready = EndpointConditions(ready=True, serving=True, terminating=False)
    endpoint = Endpoint(addresses=("10.0.0.1",), conditions=ready, target_ref=target)
    return EndpointSlice(
        metadata=ObjectMeta(name="db-abc", namespace="default", uid="slice"),
        address_type="IPv4",
        endpoints=(endpoint,),
    )


def dies(case: Case) -> None:
    """A pod is told to go, and 20 s pass."""
    old = case.put(pod("db-0", uid="one"))
    dying = case.put(pod("db-0", uid="one", deletion_timestamp=1, deletion_grace_period_seconds=30))
    case.written("admin", "delete", old, dying)
    case.world.advance(20 * SECOND)


def test_a_dying_pod_is_no_ready_endpoint(world: World) -> None:
    case = Case(world, dying_pods_are_not_ready_endpoints)
    dies(case)
    case.written("admin", "update", None, case.put(slice_with("one")))

    assert [said.partition(" and ")[0] for said in case.said] == [
        "pod default/db-0 was told to go 20.0 s ago"
    ]


def test_the_next_pod_of_that_name_may_be_one(world: World) -> None:
    """A StatefulSet gives the name to another as soon as the first is gone."""
    case = Case(world, dying_pods_are_not_ready_endpoints)
    dies(case)
    case.remove(pod("db-0", uid="one"))
    case.put(pod("db-0", uid="two"))
    case.written("admin", "update", None, case.put(slice_with("two")))

    assert case.said == []
