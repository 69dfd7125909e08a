"""The truth about containers: `models/node/runtime.py`, with the default application in them."""

from collections.abc import Iterator

import pytest

from chaoskube.models.apps.web import web
from chaoskube.models.container import HttpRequest
from chaoskube.models.node.runtime import ContainerRuntime, runtime_of, set_up_runtime
from chaoskube.models.objects import Container, ContainerPort, FrozenDict, ObjectMeta, Pod, PodSpec
from chaoskube.sim import MILLISECOND, SECOND, Address, World


def a_pod(uid: str, name: str = "web-1", annotations: dict[str, str] | None = None) -> Pod:
    container = Container(name="web", image="nginx", ports=(ContainerPort(container_port=80),))
    return Pod(
        metadata=ObjectMeta(
            name=name, namespace="default", uid=uid, annotations=FrozenDict(annotations or {})
        ),
        spec=PodSpec(containers=(container,)),
    )


@pytest.fixture
def world() -> Iterator[World]:
    with World(seed=1) as world:
        world.add_host("node-1")
        world.add_host("node-2")
        world.call_later(1_000_000 * SECOND, lambda: None)  # a world in which nothing is due is stuck
        yield world


def started(world: World, pod: Pod) -> ContainerRuntime:
    runtime = set_up_runtime(world, world.host("node-1"), web())
    runtime.create_sandbox(pod)
    runtime.start_container(pod.uid, pod.spec.containers[0], is_init=False)
    return runtime


def ask(world: World, ip: str) -> list[str]:
    """What a client on another node hears, in order."""
    heard: list[str] = []
    name = f"client-{len(world.processes)}"
    client = world.process(name, host="node-2", boot=lambda _: None)
    client.start()
    connection = client.connect(
        Address(ip, 80), on_message=lambda message: heard.append(str(message)), on_close=heard.append
    )
    connection.send(HttpRequest(path="/"))
    return heard


def code_of(runtime: ContainerRuntime, uid: str) -> int | None:
    return runtime.sandboxes[uid].current["web"].exit_code


def test_an_application_refuses_until_it_listens_then_answers(world: World) -> None:
    """The calm world in numbers: listens 2 s after its container started."""
    runtime = started(world, a_pod("a"))
    ip = runtime.sandboxes["a"].ip
    early = ask(world, ip)
    world.advance(2 * SECOND + MILLISECOND)
    late = ask(world, ip)
    world.advance(1 * SECOND)

    assert early == ["refused"]
    assert late == ["HttpResponse(status=200)"]


def test_sigterm_ends_the_default_application_at_once_and_resets_what_is_open(world: World) -> None:
    """Issue: exits at once on SIGTERM with code 0, open connections reset."""
    runtime = started(world, a_pod("a", annotations={"chaoskube.dev/work": "1s"}))
    world.advance(3 * SECOND)
    heard = ask(world, runtime.sandboxes["a"].ip)
    world.advance(100 * MILLISECOND)
    runtime.terminate("a", "web")
    world.advance(100 * MILLISECOND)

    assert code_of(runtime, "a") == 0
    assert heard == ["reset"]


def test_a_draining_application_goes_on_accepting(world: World) -> None:
    """chaoskube.dev/drain."""
    runtime = started(world, a_pod("a", annotations={"chaoskube.dev/drain": "10s"}))
    world.advance(3 * SECOND)
    runtime.terminate("a", "web")
    world.advance(5 * SECOND)
    heard = ask(world, runtime.sandboxes["a"].ip)
    world.advance(4 * SECOND)

    assert heard == ["HttpResponse(status=200)"]
    assert code_of(runtime, "a") is None
    world.advance(2 * SECOND)
    assert code_of(runtime, "a") == 0


def test_an_application_that_ignores_sigterm_dies_of_sigkill(world: World) -> None:
    """chaoskube.dev/ignore-sigterm; 128 + 9."""
    runtime = started(world, a_pod("a", annotations={"chaoskube.dev/ignore-sigterm": "true"}))
    runtime.terminate("a", "web")
    world.advance(60 * SECOND)

    assert code_of(runtime, "a") is None
    runtime.kill("a", "web")
    assert code_of(runtime, "a") == 137


def test_a_frozen_container_takes_sigterm_when_it_thaws(world: World) -> None:
    """SIGTERM stays pending while a process is stopped; SIGKILL doesn't."""
    runtime = started(world, a_pod("a"))
    process = world.processes["default/web-1/web"]
    process.pause()
    runtime.terminate("a", "web")
    world.advance(10 * SECOND)
    assert code_of(runtime, "a") is None

    process.resume()
    world.advance(1 * SECOND)
    assert code_of(runtime, "a") == 0


def test_a_crashed_container_is_known_to_its_runtime(world: World) -> None:
    """The kernel tells the parent; a fault that ends the process looks like SIGKILL."""
    runtime = started(world, a_pod("a"))
    told: list[str] = []
    runtime.on_change = told.append
    world.processes["default/web-1/web"].crash()

    assert code_of(runtime, "a") == 137
    assert told == ["a"]


def test_a_process_that_nobody_asked_for_ends_at_once(world: World) -> None:
    """A fault that starts a crashed process again must not revive a container behind the kubelet's back."""
    runtime = started(world, a_pod("a"))
    process = world.processes["default/web-1/web"]
    process.crash()
    process.start()

    assert not process.is_alive
    assert code_of(runtime, "a") == 137


def test_a_host_without_power_loses_all_containers(world: World) -> None:
    """Host start: containers are gone."""
    runtime = started(world, a_pod("a"))
    host = world.host("node-1")
    host.crash()
    host.start()

    assert runtime_of(host) is None
    fresh = set_up_runtime(world, host, web())
    assert fresh is not runtime and fresh.sandboxes == {}
    assert "default/web-1/web" not in world.processes


def test_two_pods_of_one_name_can_run_at_once(world: World) -> None:
    """Force delete removes the record, not the process (pitfalls.md 5)."""
    runtime = started(world, a_pod("a"))
    pod = a_pod("b")
    sandbox = runtime.create_sandbox(pod)
    runtime.start_container("b", pod.spec.containers[0], is_init=False)
    world.advance(3 * SECOND)
    heard = [ask(world, sandbox.ip), ask(world, runtime.sandboxes["a"].ip)]
    world.advance(1 * SECOND)

    assert heard == [["HttpResponse(status=200)"]] * 2


def test_addresses_are_given_in_turn_and_used_again_last(world: World) -> None:
    """host-local CNI: so a stale rule rarely meets a new pod at an old address."""
    runtime = set_up_runtime(world, world.host("node-1"), web())
    first = runtime.create_sandbox(a_pod("a")).ip
    runtime.remove_sandbox("a")
    second = runtime.create_sandbox(a_pod("b")).ip

    assert (first, second) == ("10.244.1.2", "10.244.1.3")
