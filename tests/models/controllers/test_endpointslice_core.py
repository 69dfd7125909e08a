"""Endpoints of pods, and the slices that hold them (staging/src/k8s.io/endpointslice)."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskube.models.controllers.endpointslice_core import (
    Plan,
    SliceTracker,
    TriggerTimes,
    concerns_services,
    desired_endpoints,
    endpoint_conditions,
    plan_slices,
)
from chaoskube.models.objects import (
    EndpointSlice,
    FrozenDict,
    ObjectMeta,
    Pod,
    Service,
    ServicePort,
    ServiceSpec,
)
from tests.models.controllers.making import APP, node, pod

NODES = {"node-1": node()}


def service(*, publish: bool = False, target: int | str = 8080) -> Service:
    """A service of one port."""
    return Service(
        metadata=ObjectMeta(name="web", namespace="ns", uid="svc", labels=FrozenDict({"team": "a"})),
        spec=ServiceSpec(
            selector=APP,
            ports=(ServicePort(name="http", port=80, target_port=target),),
            publish_not_ready_addresses=publish,
        ),
    )


def planned(pods: list[Pod], standing: list[EndpointSlice], svc: Service | None = None) -> Plan:
    """The plan for these pods."""
    svc = svc or service()
    return plan_slices(svc, desired_endpoints(svc, pods, NODES), standing, "")


def stored(each: EndpointSlice, name: str = "web-1", uid: str = "s1") -> EndpointSlice:
    """A slice as the server keeps it."""
    metadata = evolve(each.metadata, name=name, uid=uid, generation=1, resource_version="5")
    return evolve(each, metadata=metadata)


def names(each: EndpointSlice) -> list[str | None]:
    """The pods of a slice."""
    return [endpoint.target_ref.name if endpoint.target_ref else None for endpoint in each.endpoints]


@pytest.mark.parametrize(
    ("ready", "deleting", "publish", "expected"),
    [
        (True, False, False, (True, True, False)),
        (False, False, False, (False, False, False)),
        (True, True, False, (False, True, True)),
        (False, True, False, (False, False, True)),
        (True, True, True, (True, True, True)),
        (False, False, True, (True, False, False)),
    ],
)
def test_ready_means_serving_and_not_terminating(
    ready: bool, deleting: bool, publish: bool, expected: tuple[bool, bool, bool]
) -> None:
    """A terminating pod may serve, but is not ready; publishNotReadyAddresses overrules."""
    found = endpoint_conditions(pod(ready=ready, deleting=deleting), service(publish=publish))

    assert (found.ready, found.serving, found.terminating) == expected


def test_finished_pods_and_pods_without_address_have_no_endpoint() -> None:
    """Terminating ones have, until they end."""
    pods = [pod("a", ip=""), pod("b", phase="Failed"), pod("c", deleting=True, phase="Succeeded")]

    assert desired_endpoints(service(), pods, NODES).by_ports == ()


def test_a_service_without_endpoints_keeps_one_empty_slice() -> None:
    """And does not write it again."""
    plan = planned([], [])

    assert [(each.endpoints, each.ports) for each in plan.create] == [((), ())]
    assert planned([], [stored(plan.create[0])]) == Plan()


def test_the_empty_slice_is_rewritten_for_the_first_pod() -> None:
    """Recording svc-rolling-update-endpoints: one slice, changed in place."""
    empty = stored(planned([], []).create[0])

    plan = planned([pod("a")], [empty])

    assert not plan.create and not plan.delete
    assert [each.name for each in plan.update] == ["web-1"]
    assert names(plan.update[0]) == ["a"]
    assert [(port.name, port.port) for port in plan.update[0].ports] == [("http", 8080)]


def test_endpoints_keep_their_place_and_new_ones_come_last() -> None:
    """A change of one pod rewrites its entry only."""
    standing = stored(planned([pod("b"), pod("c")], []).create[0])

    plan = planned([pod("a"), pod("b", ready=True), pod("c")], [standing])

    assert names(plan.update[0]) == ["b", "c", "a"]
    assert [each.conditions.ready for each in plan.update[0].endpoints] == [True, False, False]
    assert planned([pod("b"), pod("c")], [standing]) == Plan()


def test_a_slice_holds_at_most_100_endpoints() -> None:
    """What doesn't fit makes another slice."""
    plan = planned([pod(f"p{number:03}") for number in range(230)], [])

    assert [len(each.endpoints) for each in plan.create] == [100, 100, 30]


def test_a_new_endpoint_fills_a_slice_that_has_room() -> None:
    """The fullest unchanged slice that fits; no rebalancing."""
    pods = [pod(f"p{number:03}") for number in range(130)]
    first, second = planned(pods, []).create
    standing = [stored(first, "web-1", "s1"), stored(second, "web-2", "s2")]

    plan = planned([*pods, pod("x")], standing)

    assert [(each.name, len(each.endpoints)) for each in plan.update] == [("web-2", 31)]


def test_what_is_left_after_a_full_slice_fills_one_that_has_room() -> None:
    """150 more than 40: one full slice is made, and the other 50 join the 40."""
    first = planned([pod(f"a{number:03}") for number in range(40)], []).create[0]
    pods = [pod(f"{kind}{number:03}") for kind, most in (("a", 40), ("b", 150)) for number in range(most)]

    plan = planned(pods, [stored(first)])

    assert [len(each.endpoints) for each in plan.create] == [100]
    assert [len(each.endpoints) for each in plan.update] == [90]


def carried_out(plan: Plan, standing: list[EndpointSlice], count: int) -> list[EndpointSlice]:
    """The slices after the plan's writes."""
    by_name = {each.name: each for each in standing}
    for each in plan.delete:
        del by_name[each.name]
    for each in plan.update:
        by_name[each.name] = stored(each, each.name, by_name[each.name].uid)
    for number, each in enumerate(plan.create):
        by_name[f"web-{count}-{number}"] = stored(each, f"web-{count}-{number}", f"s-{count}-{number}")
    return list(by_name.values())


@given(
    rounds=st.lists(
        st.tuples(st.integers(0, 260), st.integers(0, 260), st.sampled_from([8080, 9090])), max_size=6
    )
)
@settings(max_examples=60, deadline=None)
def test_slices_always_say_what_is_desired_each_endpoint_once(rounds: list[tuple[int, int, int]]) -> None:
    """Whatever comes and goes: at most 100 a slice, nobody missing, nobody twice, and a second look changes nothing."""
    standing: list[EndpointSlice] = []
    for count, (one, other, port) in enumerate(rounds):
        pods = [pod(f"p{number:03}") for number in range(min(one, other), max(one, other))]
        svc = service(target=port)
        standing = carried_out(planned(pods, standing, svc), standing, count)

        assert sorted(name or "" for each in standing for name in names(each)) == [each.name for each in pods]
        assert all(len(each.endpoints) <= 100 for each in standing) and standing
        assert all([found.port for found in each.ports] == [port] for each in standing if each.endpoints)
        assert planned(pods, standing, svc) == Plan()


def test_pods_with_other_ports_stand_in_another_slice() -> None:
    """One set of ports a slice; a port name that the pod doesn't have is left out."""
    plan = planned([pod("a")], [], service(target="named"))

    assert [(each.ports, names(each)) for each in plan.create] == [((), ["a"])]


def test_a_pod_on_an_unknown_node_is_left_out_and_named() -> None:
    """The sync comes again until the node is known."""
    desired = desired_endpoints(service(), [pod("a", node="gone")], NODES)

    assert desired.missing_nodes == ("a",)
    assert [endpoints for _, endpoints in desired.by_ports] == [()]


def test_the_slices_labels_are_the_services_and_the_controllers() -> None:
    """A changed label is a write."""
    made = planned([pod("a")], []).create[0]

    assert dict(made.labels) == {
        "team": "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    other = evolve(service(), metadata=evolve(service().metadata, labels=FrozenDict()))
    assert len(planned([pod("a")], [stored(made)], other).update) == 1


def test_only_what_shows_in_an_endpoint_concerns_services() -> None:
    """A new annotation must not cost a sync of every service."""
    base = pod("a")

    assert concerns_services(base, pod("a", ready=True))
    assert concerns_services(base, pod("a", deleting=True))
    assert concerns_services(base, pod("a", ip="10.0.0.9"))
    assert not concerns_services(base, pod("a", annotations={"x": "y"}))


def test_a_cache_older_than_our_own_slice_is_stale() -> None:
    """Generations tell, as resource versions can't be compared by that controller."""
    tracker = SliceTracker()
    made = stored(planned([pod("a")], []).create[0])
    tracker.wrote("ns/web", evolve(made, metadata=evolve(made.metadata, generation=2)))

    assert tracker.is_stale("ns/web", [made])
    assert tracker.is_stale("ns/web", [])
    assert not tracker.is_stale("ns/web", [evolve(made, metadata=evolve(made.metadata, generation=2))])
    tracker.deleted("ns/web", "s1")
    assert tracker.is_stale("ns/web", [made])
    assert tracker.saw_deletion("ns/web", "s1")
    assert not tracker.is_stale("ns/web", [])


def test_the_trigger_time_is_the_earliest_news() -> None:
    """Nothing new: no annotation."""
    times = TriggerTimes()
    svc = evolve(service(), metadata=evolve(service().metadata, creation_timestamp=5))

    assert times.since_last("ns/web", svc, []) == 5
    assert times.since_last("ns/web", svc, [pod("a", ready_at=7), pod("b", ready_at=9)]) == 7_000_000_000
    assert times.since_last("ns/web", svc, [pod("a", ready_at=7), pod("b", ready_at=9)]) == 0
