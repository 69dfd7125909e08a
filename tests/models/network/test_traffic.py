"""Clients of Services: `models/network/traffic.py` on a node's rules."""

from collections.abc import Iterator

import pytest

from chaoskube.models.apps.web import web
from chaoskube.models.network.endpoints import Backend, Backends, PortRule
from chaoskube.models.network.events import RequestEnded
from chaoskube.models.network.rules import rule_table
from chaoskube.models.network.traffic import boot_traffic, plan
from chaoskube.models.node.runtime import set_up_runtime
from chaoskube.models.objects import (
    Container,
    ContainerPort,
    FrozenDict,
    ObjectMeta,
    Pod,
    PodSpec,
    PodTemplateSpec,
    Service,
    ServicePort,
    ServiceSpec,
)
from chaoskube.sim import MILLISECOND, SECOND, World

SERVICE = Service(
    metadata=ObjectMeta(name="web", namespace="default"),
    spec=ServiceSpec(ports=(ServicePort(port=80),), selector=FrozenDict({"app": "web"})),
)
POD = Pod(
    metadata=ObjectMeta(name="web-1", namespace="default", uid="a"),
    spec=PodSpec(containers=(Container(name="web", ports=(ContainerPort(container_port=80),)),)),
)


@pytest.fixture
def world() -> Iterator[World]:
    with World(seed=1) as world:
        world.add_host("node-1")
        world.add_host("node-2")
        world.call_later(1_000_000 * SECOND, lambda: None)  # a world in which nothing is due is stuck
        yield world


def routed(world: World, *backends: str, drop: bool = False) -> None:
    among = Backends(
        backends=tuple(Backend(ip=ip, port=80, pod="web-1", node="node-2") for ip in backends), drop=drop
    )
    rule = PortRule(
        namespace="default",
        service="web",
        port_name="",
        cluster_ip="10.96.0.1",
        port=80,
        node_port=0,
        internal=among,
        external=among,
    )
    rule_table(world, world.host("node-1")).replace("default/web", (rule,))


def send(world: World, *, for_ns: int) -> list[RequestEnded]:
    ended: list[RequestEnded] = []

    def note(entry: object) -> None:
        event = getattr(entry, "event", None)
        assert isinstance(event, RequestEnded)
        ended.append(event)

    world.journal.subscribe(RequestEnded, note)
    process = world.process("traffic@node-1", host="node-1", boot=lambda p: boot_traffic(p, [SERVICE]))
    process.start()
    world.advance(for_ns)
    return ended


def outcomes(ended: list[RequestEnded]) -> list[str]:
    return [event.outcome for event in ended]


def run_pod(world: World) -> str:
    runtime = set_up_runtime(world, world.host("node-2"), web())
    ip = runtime.create_sandbox(POD).ip
    runtime.start_container("a", POD.spec.containers[0], is_init=False)
    return ip


def test_a_request_to_a_listening_pod_is_ok(world: World) -> None:
    """connect 1 ms there and back, ask and answer 1 ms, work 5 ms."""
    ip = run_pod(world)
    world.advance(3 * SECOND)
    routed(world, ip)
    ended = send(world, for_ns=SECOND + SECOND // 2)

    assert outcomes(ended) == ["ok", "ok"]
    assert ended[0].ended_at - ended[0].started_at == 7 * MILLISECOND
    assert (ended[0].endpoint, ended[0].pod, ended[0].pod_node) == (f"{ip}:80", "web-1", "node-2")


def test_a_pod_that_does_not_listen_yet_refuses(world: World) -> None:
    """Without a readiness probe this is what a rolling update shows its clients."""
    routed(world, run_pod(world))

    assert outcomes(send(world, for_ns=SECOND // 2)) == ["refused"]


def test_an_address_that_is_gone_times_out(world: World) -> None:
    """Nobody answers for a pod whose sandbox is torn down."""
    routed(world, "10.244.9.9")

    assert outcomes(send(world, for_ns=5 * SECOND + MILLISECOND)) == ["timed out"]


def test_no_endpoint_is_rejected_at_once_or_dropped(world: World) -> None:
    """network.md 2: reject answers, drop doesn't."""
    routed(world)
    assert outcomes(send(world, for_ns=SECOND // 2)) == ["no endpoint"]
    world.processes["traffic@node-1"].crash()
    routed(world, drop=True)
    world.processes["traffic@node-1"].start()
    seen = len(world.journal.entries)
    world.advance(6 * SECOND)

    late = [entry.event for entry in world.journal.entries[seen:]]
    assert [one.outcome for one in late if isinstance(one, RequestEnded)] == ["timed out"]


def test_a_node_without_power_is_silence(world: World) -> None:
    """Timeline B: traffic to the dead pod fails until the proxies know."""
    ip = run_pod(world)
    world.advance(3 * SECOND)
    routed(world, ip)
    world.host("node-2").crash()

    assert outcomes(send(world, for_ns=5 * SECOND + MILLISECOND)) == ["timed out"]


def test_the_plan_says_why_a_service_is_left_out() -> None:
    """A story tells which Services nobody calls."""
    template = PodTemplateSpec(metadata=ObjectMeta(labels=FrozenDict({"app": "web"})))
    nobody = Service(
        metadata=ObjectMeta(name="db", namespace="default"),
        spec=ServiceSpec(ports=(ServicePort(port=5432),), selector=FrozenDict({"app": "db"})),
    )
    headless = Service(
        metadata=ObjectMeta(name="peers", namespace="default"),
        spec=ServiceSpec(
            ports=(ServicePort(port=1),), cluster_ip="None", selector=FrozenDict({"app": "web"})
        ),
    )
    made = plan([SERVICE, nobody, headless], [("default", template)])

    assert [one.service for one in made.targets] == ["default/web"]
    assert [one.reason for one in made.skipped] == [
        "no pods in these manifests match its selector",
        "it is headless: clients would have to resolve pods by name",
    ]
