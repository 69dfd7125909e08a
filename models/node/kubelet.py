"""The kubelet: watches the pods bound to its node and gives each a worker.

Knows only what its own watches and its container runtime tell it. Pods that appear are admitted, oldest
first, against those that run; a pod whose object vanishes is stopped with its own grace; what runs without an
object once the list of pods is known is stopped within a second. Containers and addresses are the runtime's
and outlive the kubelet; back-offs, probe counters and statuses are lost with it.

Sources: `pkg/kubelet/kubelet.go` (syncLoopIteration, HandlePodAdditions, HandlePodUpdates, HandlePodRemoves,
HandlePodCleanups), `pkg/kubelet/pleg/generic.go` (changes are noticed at the next relist, once a second).

Not modelled: static pods, eviction, volumes, node shutdown, events of the kubelet (core/v1 Events).
"""

from functools import partial

from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.limits import KUBELET
from chaoskube.models.constants import ORPHAN_GRACE_SECONDS, PLEG_RELIST_PERIOD
from chaoskube.models.container import Program
from chaoskube.models.node.admission import admit
from chaoskube.models.node.events import PodRejected
from chaoskube.models.node.heartbeat import Heartbeat
from chaoskube.models.node.node_status import NodeShape, new_node, node_status
from chaoskube.models.node.pod_phase import TERMINAL_PHASES
from chaoskube.models.node.pod_status import rejected_status
from chaoskube.models.node.pod_worker import NodeServices, PodWorker, WorkerState
from chaoskube.models.node.prober import Prober
from chaoskube.models.node.restart import CrashLoopBackoff
from chaoskube.models.node.runtime import set_up_runtime
from chaoskube.models.node.status import StatusManager
from chaoskube.models.objects import KubeObject, Node, NodeStatus, Pod, evolve
from chaoskube.sim import Address, Process, reached

__all__ = ["Kubelet", "NodeShape", "boot_kubelet"]


class Kubelet:
    """One life of one kubelet."""

    def __init__(
        self, process: Process, servers: tuple[Address, ...], shape: NodeShape, program: Program
    ) -> None:
        self._process = process
        self._shape = shape
        self._host_ip = process.machine.ip
        self._started_at = process.now
        user = f"system:node:{shape.name}"
        client = ApiClient(process, servers, user=user, agent="kubelet", limits=KUBELET)
        self._runtime = set_up_runtime(process.world, process.machine, program)
        self._runtime.on_change = partial(self._runtime_changed, process.life)
        self._pods = Informer(client, "pods", field_selector=f"spec.nodeName={shape.name}")
        self._nodes = Informer(client, "nodes", field_selector=f"metadata.name={shape.name}")
        statuses = StatusManager(process, client, self._pod_of)
        self._services = NodeServices(
            process=process,
            runtime=self._runtime,
            prober=Prober(process, self._runtime, self._probe_flipped),
            statuses=statuses,
            backoff=CrashLoopBackoff(),
            host_ip=self._host_ip,
        )
        self._heartbeat = Heartbeat(process, client.unlimited(), shape, self._host_ip, self._node)
        self._workers: dict[str, PodWorker] = {}
        self._by_uid: dict[str, Pod] = {}
        self._arrived: list[Pod] = []
        process.spawn(statuses.run)

    def start(self) -> None:
        """Begin to watch, to register and to work."""
        self._pods.add_handler(on_add=self._added, on_update=self._updated, on_delete=self._deleted)
        self._pods.when_synced(self._synced)
        self._nodes.start()
        self._pods.start()
        self._heartbeat.start()

    # -- what it knows

    def _pod_of(self, uid: str) -> Pod | None:
        return self._by_uid.get(uid)

    def _node(self) -> Node | None:
        node = self._nodes.get("", self._shape.name)
        return node if isinstance(node, Node) else None

    def _node_anyway(self) -> Node:
        """Its own node as it knows it, or as it would register it (getNodeAnyWay)."""
        node = self._node()
        if node is None:
            node = new_node(self._shape, self._host_ip, self._process.wall_ns())
        if not node.status.allocatable:
            status = node_status(
                self._shape, self._host_ip, NodeStatus(), self._process.wall_ns(), ready=False
            )
            node = evolve(node, status=status)
        return node

    # -- what its watch tells

    def _added(self, obj: KubeObject) -> None:
        assert isinstance(obj, Pod), f"watches pods, got {obj.kind}"
        self._by_uid[obj.uid] = obj
        if not self._arrived:
            self._process.call_later(0, self._admit_arrived)
        self._arrived.append(obj)

    def _updated(self, old: KubeObject, new: KubeObject) -> None:
        assert isinstance(new, Pod), f"watches pods, got {new.kind}"
        if old.uid != new.uid:
            # A relist has shown a pod that was deleted and made again under its name as one update.
            reached("kubelet saw a pod replaced")
            self._deleted(old)
            self._added(new)
            return
        self._by_uid[new.uid] = new
        self._services.statuses.note_pod(new)
        worker = self._workers.get(new.uid)
        if worker is not None and _differs(old, new):
            worker.update(new)
        elif worker is not None:
            worker.pod = new
            if new.spec.readiness_gates:
                # Somebody may have set a condition that readiness waits for (HandlePodReconcile).
                worker.notice()

    def _deleted(self, obj: KubeObject) -> None:
        self._by_uid.pop(obj.uid, None)
        self._arrived = [pod for pod in self._arrived if pod.uid != obj.uid]
        worker = self._workers.get(obj.uid)
        if worker is None or worker.state is WorkerState.FINISHED:
            self._workers.pop(obj.uid, None)
            self._services.statuses.forget(obj.uid)
        else:
            worker.terminate()

    # -- admission

    def _admit_arrived(self) -> None:
        arrived, self._arrived = self._arrived, []
        for pod in sorted(arrived, key=lambda one: (one.metadata.creation_timestamp or 0, one.key)):
            if pod.uid not in self._workers:
                self._add(self._by_uid.get(pod.uid, pod))

    def _add(self, pod: Pod) -> None:
        if pod.status.phase not in TERMINAL_PHASES and pod.metadata.deletion_timestamp is None:
            rejection = admit(pod, self._active_pods(), self._node_anyway())
            if rejection is not None:
                reached("kubelet rejected a pod")
                self._process.record(
                    PodRejected(pod=pod.key, uid=pod.uid, node=self._shape.name, reason=rejection.reason)
                )
                pod = self._reject(pod, rejection.reason, rejection.message)
        worker = self._workers[pod.uid] = PodWorker(pod, self._services, self._finished)
        if pod.metadata.deletion_timestamp is not None:
            worker.terminate()
        worker.start()

    def _reject(self, pod: Pod, reason: str, message: str) -> Pod:
        """Failed for good; its worker then only stops what an earlier kubelet may have started."""
        status = rejected_status(pod, reason, message, self._process.wall_ns())
        self._services.statuses.set(pod, status, could_run=bool(self._runtime.sandboxes.get(pod.uid)))
        return pod

    def _active_pods(self) -> tuple[Pod, ...]:
        return tuple(
            worker.pod
            for worker in self._workers.values()
            if worker.state in (WorkerState.SYNC, WorkerState.TERMINATING)
            and self._services.statuses.latest(worker.pod).phase not in TERMINAL_PHASES
        )

    # -- what the node tells

    def _synced(self) -> None:
        """The list of pods is known: what runs without one is an orphan."""
        for uid, sandbox in list(self._runtime.sandboxes.items()):
            if uid not in self._by_uid and uid not in self._workers:
                reached("kubelet killed an orphan")
                worker = PodWorker(sandbox.pod, self._services, self._finished, is_orphan=True)
                self._workers[uid] = worker
                worker.terminate(ORPHAN_GRACE_SECONDS)
                worker.start()

    def _runtime_changed(self, life: int, uid: str) -> None:
        """Noticed at the next relist, on the second."""
        if life != self._process.life:
            return
        periods = (self._process.now - self._started_at) // PLEG_RELIST_PERIOD + 1
        self._process.call_at(self._started_at + periods * PLEG_RELIST_PERIOD, self._relisted, uid)

    def _relisted(self, uid: str) -> None:
        worker = self._workers.get(uid)
        if worker is not None:
            worker.notice()

    def _probe_flipped(self, uid: str) -> None:
        worker = self._workers.get(uid)
        if worker is not None:
            worker.probe_flipped()

    def _finished(self, worker: PodWorker) -> None:
        if worker.pod.uid not in self._by_uid:
            self._workers.pop(worker.pod.uid, None)
            self._services.statuses.forget(worker.pod.uid)


def boot_kubelet(process: Process, servers: tuple[Address, ...], shape: NodeShape, program: Program) -> None:
    """Boot a kubelet in `process`; `program` is what runs in the containers of its node."""
    Kubelet(process, servers, shape, program).start()


def _differs(old: KubeObject, new: KubeObject) -> bool:
    """Whether the change concerns the worker, not only the status (`config.go` podsDifferSemantically)."""
    if not isinstance(old, Pod) or not isinstance(new, Pod):
        return True
    before, after = old.metadata, new.metadata
    return (
        before.deletion_timestamp != after.deletion_timestamp
        or before.deletion_grace_period_seconds != after.deletion_grace_period_seconds
        or old.spec != new.spec
        or before.labels != after.labels
        or before.annotations != after.annotations
    )
