"""The kubelet against a real API server: `models/node/kubelet.py` and its workers."""

from collections.abc import Iterator

import pytest

from chaoskube.models.node.events import (
    ContainerExited,
    ContainerSignalled,
    ContainerStarted,
    PodWorkerMoved,
    PreStopStarted,
    ProbeFlipped,
)
from chaoskube.models.objects import Lease
from chaoskube.sim import MILLISECOND, SECOND, World
from tests.models.node.small_cluster import SmallCluster


@pytest.fixture
def cluster() -> Iterator[SmallCluster]:
    with World(seed=3) as world:
        small = SmallCluster(world)
        world.advance(6 * SECOND)
        yield small


def times(cluster: SmallCluster, event_type: type) -> list[float]:
    """When events of a type happened, in seconds."""
    entries = cluster.world.journal.entries
    return [round(entry.at / SECOND, 3) for entry in entries if type(entry.event) is event_type]


def events(cluster: SmallCluster, event_type: type) -> list[object]:
    return [entry.event for entry in cluster.world.journal.entries if type(entry.event) is event_type]


def signals(cluster: SmallCluster) -> list[tuple[str, float]]:
    """The signals containers got, with their times."""
    return [
        (entry.event.signal, round(entry.at / SECOND, 3))
        for entry in cluster.world.journal.entries
        if isinstance(entry.event, ContainerSignalled)
    ]


def exit_codes(cluster: SmallCluster) -> list[int]:
    return [one.code for one in events(cluster, ContainerExited) if isinstance(one, ContainerExited)]


READY_AFTER_LISTENING = {"readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1}}


# -- starting


def test_a_node_registers_and_renews_its_lease_every_ten_seconds(cluster: SmallCluster) -> None:
    """constants.md 92."""
    renewals = set()
    for _ in range(30):
        cluster.world.advance(1 * SECOND)
        lease = cluster.run(lambda client: client.get("leases", "kube-node-lease", "node-1"))
        assert isinstance(lease, Lease)
        renewals.add(lease.spec.renew_time)

    assert {one.type: one.status for one in cluster.node().status.conditions}["Ready"] == "True"
    assert 3 <= len(renewals) <= 4


def test_a_pod_without_probes_is_ready_before_it_listens(cluster: SmallCluster) -> None:
    """The mistake that people make: no readiness probe means ready as soon as running."""
    cluster.make_pod("web")
    took = cluster.wait(lambda: cluster.is_ready("web"))
    pod = cluster.pod("web")

    assert took < 2
    assert pod is not None and pod.status.phase == "Running"
    assert pod.status.pod_ip == "10.244.1.2"


def test_a_readiness_probe_holds_a_pod_back_until_it_listens(cluster: SmallCluster) -> None:
    """1 s to start, 2 s to listen, then the next tick."""
    cluster.make_pod("web", container=READY_AFTER_LISTENING)
    took = cluster.wait(lambda: cluster.is_ready("web"))

    assert 3 <= took <= 4.5


@pytest.mark.parametrize(
    "probe",
    [
        {"httpGet": {"path": "/", "port": 80}},
        {"grpc": {"port": 9555}},
        {"exec": {"command": ["pg_isready"]}},
        {"tcpSocket": {"port": 80}},
    ],
)
def test_all_kinds_of_probes_reach_the_application(cluster: SmallCluster, probe: dict[str, object]) -> None:
    """http, grpc, exec, tcp."""
    cluster.make_pod("web", container={"readinessProbe": {**probe, "periodSeconds": 1}})
    took = cluster.wait(lambda: cluster.is_ready("web"))

    assert 3 <= took <= 4.5


def test_init_containers_run_in_order_before_the_others(cluster: SmallCluster) -> None:
    """kubelet.md 1: one at a time, each must exit 0."""
    cluster.make_pod("web", initContainers=[{"name": "one", "image": "i"}, {"name": "two", "image": "i"}])
    cluster.wait(lambda: cluster.is_ready("web"))
    order = [one.container for one in events(cluster, ContainerStarted) if isinstance(one, ContainerStarted)]

    assert order == ["one", "two", "web"]


def test_a_pod_that_does_not_fit_is_failed_for_good(cluster: SmallCluster) -> None:
    """kubelet.md 1: OutOfcpu, terminal; the scheduler never hears why."""
    requests = {"resources": {"requests": {"cpu": "3"}}}
    cluster.make_pod("first", container=requests)
    cluster.wait(lambda: cluster.is_ready("first"))
    cluster.make_pod("second", container=requests)
    cluster.world.advance(3 * SECOND)
    pod = cluster.pod("second")

    assert pod is not None and (pod.status.phase, pod.status.reason) == ("Failed", "OutOfcpu")
    assert cluster.is_ready("first")
    cluster.delete_pod("second")
    assert cluster.pod("second") is None


def test_a_readiness_gate_holds_a_pod_back_until_somebody_sets_it(cluster: SmallCluster) -> None:
    """kubelet.md 3: Ready = ContainersReady and readinessGates."""
    cluster.make_pod("web", readinessGates=[{"conditionType": "example.com/lb"}])
    cluster.world.advance(5 * SECOND)
    assert not cluster.is_ready("web")
    patch = {"status": {"conditions": [{"type": "example.com/lb", "status": "True"}]}}
    cluster.run(lambda client: client.patch("pods", "default", "web", patch, subresource="status"))

    assert cluster.wait(lambda: cluster.is_ready("web")) < 1


def test_a_port_that_is_taken_on_the_host_makes_the_application_fail(cluster: SmallCluster) -> None:
    """bind: address already in use; the pod crash-loops, the node lives on."""
    no_ports = {"ports": [], "readinessProbe": {"tcpSocket": {"port": 90}, "periodSeconds": 1}}
    cluster.make_pod("first", container=no_ports, hostNetwork=True)
    cluster.wait(lambda: cluster.is_ready("first"))
    cluster.make_pod("second", container=no_ports, hostNetwork=True)
    cluster.wait(lambda: len(exit_codes(cluster)) == 2)

    assert exit_codes(cluster) == [1, 1]
    assert cluster.is_ready("first")


# -- stopping


def test_a_deleted_pod_vanishes_after_sigterm(cluster: SmallCluster) -> None:
    """kubelet.md 2: status first, then DELETE with grace 0."""
    cluster.make_pod("web")
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.delete_pod("web")
    cluster.world.advance(1 * SECOND)

    assert cluster.pod("web") is None
    assert exit_codes(cluster) == [0]
    assert cluster.runtime().sandboxes == {}


def test_sigkill_comes_when_the_grace_is_over(cluster: SmallCluster) -> None:
    """An application that ignores SIGTERM holds its pod for the whole grace."""
    cluster.make_pod(
        "web", annotations={"chaoskube.dev/ignore-sigterm": "true"}, terminationGracePeriodSeconds=7
    )
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.delete_pod("web")
    cluster.wait(lambda: cluster.pod("web") is None)
    (term, at_term), (kill, at_kill) = signals(cluster)

    assert (term, kill) == ("SIGTERM", "SIGKILL")
    assert at_kill - at_term == pytest.approx(7, abs=0.01)
    assert exit_codes(cluster) == [137]


@pytest.mark.parametrize("hook", [{"sleep": {"seconds": 5}}, {"exec": {"command": ["sh", "-c", "sleep 5"]}}])
def test_pre_stop_spends_the_grace_and_sigterm_waits_for_it(
    cluster: SmallCluster, hook: dict[str, object]
) -> None:
    """preStop inside the grace, its time subtracted."""
    cluster.make_pod(
        "web",
        annotations={"chaoskube.dev/ignore-sigterm": "true"},
        container={"lifecycle": {"preStop": hook}},
        terminationGracePeriodSeconds=9,
    )
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.delete_pod("web")
    cluster.wait(lambda: cluster.pod("web") is None)
    (began,) = times(cluster, PreStopStarted)
    (_, at_term), (_, at_kill) = signals(cluster)

    assert at_term - began == pytest.approx(5, abs=0.01)
    assert at_kill - began == pytest.approx(9, abs=0.01)


def test_a_pre_stop_longer_than_the_grace_leaves_two_seconds(cluster: SmallCluster) -> None:
    """minimumGracePeriodInSeconds."""
    cluster.make_pod(
        "web",
        annotations={"chaoskube.dev/ignore-sigterm": "true"},
        container={"lifecycle": {"preStop": {"exec": {"command": ["sleep", "60"]}}}},
        terminationGracePeriodSeconds=5,
    )
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.delete_pod("web")
    cluster.wait(lambda: cluster.pod("web") is None)
    (began,) = times(cluster, PreStopStarted)
    (_, at_term), (_, at_kill) = signals(cluster)

    assert at_term - began == pytest.approx(5, abs=0.01)
    assert at_kill - at_term == pytest.approx(2, abs=0.01)


def test_the_grace_may_only_shrink(cluster: SmallCluster) -> None:
    """A second delete with less grace cuts the first short; one with more changes nothing."""
    cluster.make_pod("web", annotations={"chaoskube.dev/ignore-sigterm": "true"})
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.delete_pod("web", grace=60)
    cluster.world.advance(5 * SECOND)
    cluster.delete_pod("web", grace=3)
    took = cluster.wait(lambda: cluster.pod("web") is None)

    assert 3 <= took <= 4


def test_readiness_goes_on_while_a_pod_terminates_and_liveness_stops(cluster: SmallCluster) -> None:
    """pitfalls.md 20. (A frozen process still accepts connections, but answers nothing.)"""
    probe = {"httpGet": {"port": 80}, "periodSeconds": 1, "failureThreshold": 1}
    cluster.make_pod(
        "web",
        annotations={"chaoskube.dev/drain": "10s"},
        container={"readinessProbe": probe, "livenessProbe": {**probe, "initialDelaySeconds": 4}},
    )
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.world.advance(5 * SECOND)
    cluster.delete_pod("web")
    cluster.world.advance(2 * SECOND)
    cluster.world.processes["default/web/web"].pause()
    cluster.world.advance(4 * SECOND)
    flips = [one for one in events(cluster, ProbeFlipped) if isinstance(one, ProbeFlipped)]

    assert [(one.probe, one.success) for one in flips] == [("readiness", True), ("readiness", False)]


# -- restarting


def test_a_crashed_container_restarts_at_once_then_backs_off(cluster: SmallCluster) -> None:
    """Timeline B: PLEG <= 1 s; immediate, 10, 20 s; the phase stays Running."""
    cluster.make_pod("web")
    cluster.wait(lambda: cluster.is_ready("web"))
    gaps = []
    for _ in range(3):
        starts = len(times(cluster, ContainerStarted))
        cluster.world.processes["default/web/web"].crash()
        crashed = cluster.world.now / SECOND

        def has_restarted(starts: int = starts) -> bool:
            return len(times(cluster, ContainerStarted)) > starts

        cluster.wait(has_restarted)
        gaps.append(times(cluster, ContainerStarted)[-1] - crashed)
    pod = cluster.pod("web")

    # Up to a second until it is noticed, and a second to start.
    assert 1 <= gaps[0] <= 2.1
    assert 11 <= gaps[1] <= 12.1
    assert 21 <= gaps[2] <= 22.1
    assert pod is not None and pod.status.phase == "Running"
    assert pod.status.container_statuses[0].restart_count == 3


def test_a_pod_in_crash_loop_backoff_is_running_and_not_ready(cluster: SmallCluster) -> None:
    """pitfalls.md 21: a waiting reason, not a phase."""
    cluster.make_pod("web")
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.world.processes["default/web/web"].crash()
    cluster.wait(lambda: len(times(cluster, ContainerStarted)) == 2)
    cluster.world.processes["default/web/web"].crash()
    cluster.world.advance(3 * SECOND)
    pod = cluster.pod("web")
    assert pod is not None
    (status,) = pod.status.container_statuses

    assert pod.status.phase == "Running" and not cluster.is_ready("web")
    assert status.state.waiting is not None and status.state.waiting.reason == "CrashLoopBackOff"
    assert status.last_state.terminated is not None and status.last_state.terminated.exit_code == 137


def test_a_hung_container_is_killed_by_its_liveness_probe(cluster: SmallCluster) -> None:
    """Timeline B: period x 3 failures, then the grace, then SIGKILL: a frozen process takes no SIGTERM."""
    probe = {"tcpSocket": {"port": 81}, "periodSeconds": 2, "initialDelaySeconds": 5}
    cluster.make_pod("web", container={"livenessProbe": {**probe, "tcpSocket": {"port": 80}}})
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.world.advance(10 * SECOND)
    assert times(cluster, ContainerSignalled) == []
    exec_probe = {"exec": {"command": ["true"]}, "periodSeconds": 2, "initialDelaySeconds": 5}
    cluster.make_pod("hung", container={"livenessProbe": exec_probe}, terminationGracePeriodSeconds=4)
    cluster.wait(lambda: cluster.is_ready("hung"))
    cluster.world.advance(10 * SECOND)
    cluster.world.processes["default/hung/web"].pause()
    paused = cluster.world.now / SECOND
    cluster.wait(lambda: len(signals(cluster)) == 2)
    (_, at_term), (_, at_kill) = signals(cluster)

    assert 4 <= at_term - paused <= 7.1
    assert at_kill - at_term == pytest.approx(4, abs=0.01)
    cluster.wait(lambda: cluster.is_ready("hung"))


def test_a_pod_that_is_never_restarted_succeeds(cluster: SmallCluster) -> None:
    """restartPolicy Never: phase Succeeded, and the object stays."""
    cluster.make_pod("job", restartPolicy="Never")
    cluster.wait(lambda: cluster.is_ready("job"))
    pod = cluster.pod("job")
    assert pod is not None
    cluster.runtime().terminate(pod.uid, "web")
    cluster.world.advance(3 * SECOND)
    pod = cluster.pod("job")

    assert pod is not None and pod.status.phase == "Succeeded"
    assert not cluster.is_ready("job")


# -- trouble


def test_containers_outlive_their_kubelet_and_it_finds_them_again(cluster: SmallCluster) -> None:
    """kubelet.md 6: no restart, no flap of readiness."""
    cluster.make_pod("web", container=READY_AFTER_LISTENING)
    cluster.wait(lambda: cluster.is_ready("web"))
    kubelet = cluster.world.processes["kubelet@node-1"]
    kubelet.crash()
    cluster.world.advance(20 * SECOND)
    kubelet.start()
    flaps = 0
    for _ in range(20):
        cluster.world.advance(500 * MILLISECOND)
        flaps += not cluster.is_ready("web")

    assert flaps == 0
    assert len(times(cluster, ContainerStarted)) == 1


def test_a_pod_deleted_while_its_kubelet_was_down_is_stopped_when_it_returns(cluster: SmallCluster) -> None:
    """Its deletionTimestamp is in the list; the full grace begins now."""
    cluster.make_pod("web")
    cluster.wait(lambda: cluster.is_ready("web"))
    kubelet = cluster.world.processes["kubelet@node-1"]
    kubelet.crash()
    cluster.delete_pod("web")
    cluster.world.advance(40 * SECOND)
    assert exit_codes(cluster) == []
    kubelet.start()
    cluster.wait(lambda: cluster.pod("web") is None)

    assert exit_codes(cluster) == [0]


def test_what_runs_without_an_object_is_killed_within_a_second_or_two(cluster: SmallCluster) -> None:
    """kubelet.md 6: an orphan after a restart gets a grace of 1 s (and at least 2 s before SIGKILL)."""
    cluster.make_pod("web", annotations={"chaoskube.dev/ignore-sigterm": "true"})
    cluster.wait(lambda: cluster.is_ready("web"))
    kubelet = cluster.world.processes["kubelet@node-1"]
    kubelet.crash()
    cluster.delete_pod("web", grace=0)
    assert cluster.pod("web") is None
    kubelet.start()
    cluster.wait(lambda: cluster.runtime().sandboxes == {}, limit_s=10)
    (_, at_term), (_, at_kill) = signals(cluster)

    assert at_kill - at_term == pytest.approx(2, abs=0.01)


def test_a_force_deleted_pod_outlives_its_object(cluster: SmallCluster) -> None:
    """pitfalls.md 5."""
    cluster.make_pod("web", annotations={"chaoskube.dev/ignore-sigterm": "true"})
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.delete_pod("web", grace=0)
    assert cluster.pod("web") is None
    assert cluster.runtime().sandboxes != {}

    cluster.wait(lambda: cluster.runtime().sandboxes == {}, limit_s=10)


def test_a_partitioned_kubelet_restarts_what_crashes_and_reports_later(cluster: SmallCluster) -> None:
    """pitfalls.md 23: it keeps everything running."""
    cluster.make_pod("web")
    cluster.wait(lambda: cluster.is_ready("web"))
    cut = cluster.world.network.partition(["node-1"], ["control-0"])
    cluster.world.advance(5 * SECOND)
    cluster.world.processes["default/web/web"].crash()
    cluster.world.advance(5 * SECOND)
    assert len(times(cluster, ContainerStarted)) == 2
    cut.heal()
    cluster.world.advance(60 * SECOND)
    pod = cluster.pod("web")

    assert pod is not None and pod.status.container_statuses[0].restart_count == 1
    assert cluster.is_ready("web")


def test_pods_restart_in_place_after_their_node_was_without_power(cluster: SmallCluster) -> None:
    """kubelet.md 1, sandbox loss: the same object, another address, one restart more."""
    cluster.make_pod("web")
    cluster.wait(lambda: cluster.is_ready("web"))
    before = cluster.pod("web")
    host = cluster.world.host("node-1")
    host.crash()
    cluster.world.advance(10 * SECOND)
    host.start()
    cluster.world.advance(20 * SECOND)
    after = cluster.pod("web")

    assert before is not None and after is not None
    assert after.uid == before.uid and cluster.is_ready("web")
    assert after.status.container_statuses[0].restart_count == 1
    assert len(times(cluster, ContainerStarted)) == 2


def test_a_worker_never_goes_back(cluster: SmallCluster) -> None:
    """kubelet.md 1: SyncPod -> TerminatingPod -> TerminatedPod, one way."""
    cluster.make_pod("web")
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.delete_pod("web")
    cluster.world.advance(5 * SECOND)
    moves = [one.state for one in events(cluster, PodWorkerMoved) if isinstance(one, PodWorkerMoved)]

    assert moves == ["terminating", "terminated", "finished"]


def test_a_sidecar_runs_beside_the_application_and_stops_last(cluster: SmallCluster) -> None:
    """kubelet.md 1, 2: an init container that is always restarted waits for the main containers to exit."""
    cluster.make_pod(
        "web",
        annotations={"chaoskube.dev/drain": "4s"},
        initContainers=[{"name": "side", "image": "i", "restartPolicy": "Always"}],
    )
    cluster.wait(lambda: cluster.is_ready("web"))
    cluster.delete_pod("web")
    cluster.wait(lambda: cluster.pod("web") is None)
    order = [one.container for one in events(cluster, ContainerExited) if isinstance(one, ContainerExited)]
    terms = [at for _, at in signals(cluster)]

    assert order == ["web", "side"]
    assert terms[1] - terms[0] == pytest.approx(4, abs=0.01)


def test_a_startup_probe_holds_the_other_probes_back_and_kills_when_it_is_used_up(
    cluster: SmallCluster,
) -> None:
    """kubelet.md 4: startup budget = failureThreshold x period."""
    startup = {"httpGet": {"port": 80}, "periodSeconds": 1, "failureThreshold": 3}
    cluster.make_pod(
        "slow",
        annotations={"chaoskube.dev/listen-after": "60s"},
        container={"startupProbe": startup, **READY_AFTER_LISTENING},
    )
    cluster.wait(lambda: len(times(cluster, ContainerStarted)) == 2)
    probes = {one.probe for one in events(cluster, ProbeFlipped) if isinstance(one, ProbeFlipped)}
    first, second = times(cluster, ContainerStarted)

    assert probes == {"startup"}
    assert 3 <= second - first <= 5.1


def test_a_node_that_was_cut_off_reports_again_when_it_is_back(cluster: SmallCluster) -> None:
    """Its lease goes on within seconds of the healing: nothing is left hanging on a dead connection."""
    cut = cluster.world.network.partition(["node-1"], ["control-0"])
    cluster.world.advance(120 * SECOND)
    cut.heal()
    cluster.world.advance(60 * SECOND)
    lease = cluster.run(lambda client: client.get("leases", "kube-node-lease", "node-1"))

    assert isinstance(lease, Lease) and lease.spec.renew_time is not None
    assert cluster.world.wall_ns() - lease.spec.renew_time < 20 * SECOND


def test_the_same_seed_gives_the_same_run() -> None:
    """Nothing in a node looks at a clock, an id or the order of a set."""
    digests = set()
    for _ in range(2):
        with World(seed=5) as world:
            small = SmallCluster(world, nodes=2, proxies=True)
            world.advance(6 * SECOND)
            small.make_pod("a", container=READY_AFTER_LISTENING)
            small.make_pod("b", node="node-2")
            world.advance(10 * SECOND)
            small.delete_pod("a")
            world.host("node-2").crash()
            world.advance(5 * SECOND)
            digests.add(world.journal.digest())

    assert len(digests) == 1
