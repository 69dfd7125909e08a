"""The stand-in for all kubelets: registers nodes, renews leases, tells pods' statuses, removes pods.

It does what the recordings' fake kubelet did, by the protocol in their README; the timing comes from the pods'
annotations. It is one process with one watch of all pods, and one task a pod. It is no model of a kubelet, and
what it writes isn't judged. Who calls it: `player`.
"""

from __future__ import annotations

from attrs import define, evolve, field

from chaoskube.models.apiserver.api import ListOptions, Status, WatchEvent
from chaoskube.models.apiserver.paths import body_tree
from chaoskube.models.client.api import ApiClient
from chaoskube.sim import MILLISECOND, Process, seconds

from .http import MERGE, STRATEGIC, Door
from .node_reports import LEASES, lease_object, micro_stamp, node_conditions, node_object, node_status, stamp
from .pod_reports import Behaviour, PodReport, behaviour_of, restart_delay, status_patch
from .trees import Tree, as_tree, condition, items, number, text

SEEN_AFTER = 50 * MILLISECOND
UNSTARTED_REMOVED_AFTER = 100 * MILLISECOND
PUT_BACK_AFTER = 400 * MILLISECOND
TRIED_AGAIN_AFTER = 200 * MILLISECOND
"""When nobody listens; the last status of a pod that stops is told once, its removal until it is done."""
KILLED = 137


@define
class PodWorker:
    """What the kubelet knows of one pod. `epoch` counts what makes waiting tasks give up."""

    pod: Tree
    behaviour: Behaviour
    pod_ip: str
    started_at: str = ""
    running_since: str = ""
    restarts: int = 0
    last_state: Tree = field(factory=dict)
    report: PodReport | None = None
    is_stopping: bool = False
    epoch: int = 0


class StandInKubelet:
    """All nodes of a recording, in one process."""

    def __init__(self, process: Process, client: ApiClient) -> None:
        self._process = process
        self._client = client
        self._door = Door(process, client)
        self._nodes: dict[str, Tree] = {}
        self._silent: dict[str, bool] = {}
        self._ips: dict[str, str] = {}
        self._workers: dict[str, PodWorker] = {}
        self._ran_before: dict[str, int] = {}
        self._pod_count = 0

    def watch_pods(self) -> None:
        """Begin to watch, from now on."""
        options = ListOptions(resource_version="", send_initial_events=False)
        self._client.watch("pods", "", options, self._on_pod, self._on_watch_end)

    def _on_watch_end(self, _reason: Status | str) -> None:
        self._process.call_later(seconds(1), self.watch_pods)

    # -- nodes

    async def add_node(self, shape: Tree, silent_ns: int = 0) -> None:
        """Register a node, after `silent_ns` tell its status, and from then on renew its lease."""
        name = text(shape, "name")
        self._ips.setdefault(name, f"192.168.7.{len(self._ips) + 10}")
        node = node_object(shape)
        await self._door.ask("POST", "/api/v1/nodes", node)
        await self._process.sleep(silent_ns)
        self._nodes[name] = shape  # before its status: as soon as that is known, pods may be bound to it
        self._silent[name] = False
        status: Tree = {"status": node_status(shape, self._ips[name], self._process.wall_ns())}
        await self._door.ask("PATCH", f"/api/v1/nodes/{name}/status", status, content_type=STRATEGIC)
        await self._door.ask("POST", LEASES, lease_object(name, self._process.wall_ns()))

    async def remove_node(self, name: str) -> None:
        """Take the lease and the Node away."""
        self._nodes.pop(name, None)
        await self._door.ask("DELETE", f"{LEASES}/{name}")
        await self._door.ask("DELETE", f"/api/v1/nodes/{name}")

    async def heartbeats(self) -> None:
        """Renew every lease, for ever, every ten seconds."""
        while True:
            await self._round(tuple(self._nodes))
            await self._process.sleep(seconds(10))

    async def _round(self, names: tuple[str, ...]) -> None:
        for name in names:
            if self._silent.get(name, True):
                continue
            renewal: Tree = {"spec": {"renewTime": micro_stamp(self._process.wall_ns())}}
            await self._door.ask("PATCH", f"{LEASES}/{name}", renewal, content_type=MERGE)
            node = as_tree((await self._door.ask("GET", f"/api/v1/nodes/{name}")).body)
            if text(condition(node, "Ready"), "status") != "True":
                status: Tree = {"status": {"conditions": node_conditions(self._process.wall_ns())}}
                await self._door.ask("PATCH", f"/api/v1/nodes/{name}/status", status, content_type=STRATEGIC)
            await self._put_back(name)

    async def _put_back(self, name: str) -> None:
        """Tell the status again of pods whose Ready somebody else set to False."""
        for worker in list(self._workers.values()):
            told = worker.report
            if told is None or not told.ready or text(worker.pod, "spec", "nodeName") != name:
                continue
            if text(condition(worker.pod, "Ready"), "status") == "False" and not worker.is_stopping:
                await self._tell(worker, told)

    def stop_node(self, name: str) -> None:
        """The node falls silent; its containers go on running."""
        self._silent[name] = True

    async def start_node(self, name: str) -> None:
        """The node is heard again: a round at once, and what happened to its pods meanwhile."""
        self._silent[name] = False
        await self._round((name,))
        for worker in list(self._workers.values()):
            if text(worker.pod, "spec", "nodeName") == name:
                self._look_at(worker)
        await self._process.sleep(PUT_BACK_AFTER)
        await self._put_back(name)

    # -- what a scenario asks of pods

    def set_ready(self, pod_name: str, ready: bool) -> None:
        """Set a pod's readiness by hand."""
        worker = self._named(pod_name)
        if worker is not None and worker.report is not None:
            self._process.spawn(self._tell, worker, evolve(worker.report, ready=ready))

    def end_containers(self, pod_name: str, code: int) -> None:
        """The pod's containers end with that code."""
        worker = self._named(pod_name)
        if worker is not None:
            worker.epoch += 1
            self._process.spawn(self._ended, worker, code, worker.epoch)

    def _named(self, pod_name: str) -> PodWorker | None:
        found = (one for one in self._workers.values() if text(one.pod, "metadata", "name") == pod_name)
        return next(found, None)

    # -- pods

    def _on_pod(self, event: WatchEvent) -> None:
        if event.type not in ("ADDED", "MODIFIED", "DELETED"):
            return
        pod = body_tree(event.object)
        uid = text(pod, "metadata", "uid")
        if event.type == "DELETED":
            gone = self._workers.pop(uid, None)
            if gone is not None:
                gone.epoch += 1
            return
        node = text(pod, "spec", "nodeName")
        if node not in self._nodes:
            return
        worker = self._workers.get(uid)
        if worker is None:
            worker = self._workers[uid] = self._new_worker(pod)
        worker.pod = pod
        self._look_at(worker)

    def _new_worker(self, pod: Tree) -> PodWorker:
        owner = next((text(one, "uid") for one in items(pod, "metadata", "ownerReferences")), "")
        before = self._ran_before.get(owner, 0)
        self._ran_before[owner] = before + 1
        self._pod_count += 1
        ip = f"10.244.{self._pod_count // 250}.{self._pod_count % 250 + 2}"
        return PodWorker(pod=pod, behaviour=behaviour_of(pod, before), pod_ip=ip)

    def _look_at(self, worker: PodWorker) -> None:
        """Start it or stop it, as its object says; nothing while its node is silent."""
        if self._silent.get(text(worker.pod, "spec", "nodeName"), True):
            return
        is_deleting = bool(text(worker.pod, "metadata", "deletionTimestamp"))
        if is_deleting and not worker.is_stopping:
            worker.is_stopping = True
            worker.epoch += 1
            self._process.spawn(self._stop, worker)
        elif not is_deleting and not worker.started_at and text(worker.pod, "status", "phase") == "Pending":
            worker.started_at = "soon"
            self._process.spawn(self._start, worker, worker.epoch)

    async def _start(self, worker: PodWorker, epoch: int) -> None:
        await self._process.sleep(SEEN_AFTER)
        if worker.epoch != epoch:
            return
        worker.started_at = stamp(self._process.wall_ns())
        waiting: Tree = {"waiting": {"reason": "ContainerCreating"}}
        await self._tell(worker, self._report(worker, "Pending", waiting, has_ip=False))
        await self._process.sleep(seconds(worker.behaviour.start))
        await self._run(worker, epoch)

    async def _run(self, worker: PodWorker, epoch: int) -> None:
        """The containers run: tell it, then readiness, then wait for their end."""
        if worker.epoch != epoch:
            return
        behaviour = worker.behaviour
        began = self._process.now
        worker.running_since = stamp(self._process.wall_ns())
        running: Tree = {"running": {"startedAt": worker.running_since}}
        report = self._report(worker, "Running", running)
        await self._tell(worker, evolve(report, ready=behaviour.ready == 0))
        if behaviour.ready:
            ends = behaviour.exit_code is not None and behaviour.exit_after <= behaviour.ready
            if not ends:
                await self._process.sleep(seconds(behaviour.ready))
                if worker.epoch != epoch:
                    return
                await self._tell(worker, evolve(report, ready=True))
        if behaviour.exit_code is not None:
            await self._process.sleep(max(0, began + seconds(behaviour.exit_after) - self._process.now))
            await self._ended(worker, behaviour.exit_code, epoch)

    async def _ended(self, worker: PodWorker, code: int, epoch: int) -> None:
        """The containers ended by themselves: restart them, or finish the pod."""
        if worker.epoch != epoch:
            return
        policy = text(worker.pod, "spec", "restartPolicy")
        ended = self._terminated(worker, code)
        if policy == "Never" or (policy == "OnFailure" and code == 0):
            await self._tell(worker, self._report(worker, "Failed" if code else "Succeeded", ended))
            return
        worker.restarts += 1
        worker.last_state = ended
        await self._tell(worker, self._report(worker, "Running", {"waiting": {"reason": "CrashLoopBackOff"}}))
        await self._process.sleep(seconds(restart_delay(worker.restarts)))
        await self._run(worker, epoch)

    async def _stop(self, worker: PodWorker) -> None:
        epoch = worker.epoch
        has_run = worker.report is not None and worker.report.phase == "Running"
        if has_run:
            grace = number(worker.pod, "metadata", "deletionGracePeriodSeconds")
            term = worker.behaviour.term
            await self._process.sleep(seconds(min(term, grace)))
            code = KILLED if term > grace else worker.behaviour.term_code
            if worker.epoch != epoch or not self._is_heard(worker):
                return
            phase = "Failed" if code else "Succeeded"
            await self._tell_once(worker, self._report(worker, phase, self._terminated(worker, code)))
        else:
            await self._process.sleep(UNSTARTED_REMOVED_AFTER)
        if worker.epoch == epoch and self._is_heard(worker):
            await self._remove(worker)

    async def _remove(self, worker: PodWorker) -> None:
        options: Tree = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": text(worker.pod, "metadata", "uid")},
        }
        while (await self._door.ask("DELETE", _path(worker.pod), options)).status is None:
            await self._process.sleep(TRIED_AGAIN_AFTER)

    def _is_heard(self, worker: PodWorker) -> bool:
        """Whether its node speaks; if not, the stop is told when it does."""
        if self._silent.get(text(worker.pod, "spec", "nodeName"), True):
            worker.is_stopping = False
            return False
        return True

    def _terminated(self, worker: PodWorker, code: int) -> Tree:
        return {
            "terminated": {
                "exitCode": code,
                "reason": "Error" if code else "Completed",
                "startedAt": worker.running_since,
                "finishedAt": stamp(self._process.wall_ns()),
            }
        }

    def _report(self, worker: PodWorker, phase: str, state: Tree, *, has_ip: bool = True) -> PodReport:
        names = [text(container, "name") for container in items(worker.pod, "spec", "containers")]
        return PodReport(
            phase=phase,
            ready=False,
            containers=names,
            states=[state] * len(names),
            restarts=worker.restarts,
            last_state=worker.last_state,
            pod_ip=worker.pod_ip if has_ip else "",
            host_ip=self._ips[text(worker.pod, "spec", "nodeName")],
            started_at=worker.started_at,
        )

    async def _tell(self, worker: PodWorker, report: PodReport) -> None:
        """Send the status until the server has answered, or there is a newer one to send."""
        epoch = worker.epoch
        while not await self._tell_once(worker, report):
            await self._process.sleep(TRIED_AGAIN_AFTER)
            if worker.epoch != epoch or worker.report is not report:
                return

    async def _tell_once(self, worker: PodWorker, report: PodReport) -> bool:
        """Send the status, unless the node is silent (it is told when that speaks again); False: nobody answered."""
        worker.report = report
        if self._silent.get(text(worker.pod, "spec", "nodeName"), True):
            return True
        patch = status_patch(worker.pod, report, self._process.wall_ns())
        path = f"{_path(worker.pod)}/status"
        return (await self._door.ask("PATCH", path, patch, content_type=STRATEGIC)).status is not None


def _path(pod: Tree) -> str:
    return f"/api/v1/namespaces/{text(pod, 'metadata', 'namespace')}/pods/{text(pod, 'metadata', 'name')}"
