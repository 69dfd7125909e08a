"""The scheduler as a process: informers, leader election, one scheduling cycle at a time, bindings beside it.

Informers fill queue and cache from the start; the leader alone takes pods out. One trio task runs the
scheduling cycles, one after the other; each binding is a task of its own, and meanwhile the pod counts as
assumed. What goes wrong goes to one failure handler: an event, the condition PodScheduled=False, and back
into the queue. With nothing to schedule the task waits for the queue, and a timer stands only while a pod
waits. A leader that loses its lease ends its process. (pkg/scheduler/scheduler.go, schedule_one.go)

Booted by `models/cluster.py`. Preemption will go where `_unfit` explains why there is no node: between the
diagnosis and the failure handler.

Not modelled: Permit and PreBind (volumes that wait for their pod): binding follows the decision at once; asynchronous API calls.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.client.api import ApiClient, status_of
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.leader_election import LeaderElector
from chaoskube.models.client.limits import SCHEDULER
from chaoskube.models.constants import RECONCILE_WORK
from chaoskube.models.objects import Pod, PodCondition
from chaoskube.models.objects.conditions import get_condition
from chaoskube.models.objects.times import time_text
from chaoskube.models.scheduler.cache import SchedulerCache
from chaoskube.models.scheduler.claims import InformedClaims
from chaoskube.models.scheduler.cycle import Chosen, Diagnosis, decide
from chaoskube.models.scheduler.diagnosis import explain
from chaoskube.models.scheduler.events import BindingFailed, Bound, ScheduleDecided, Unschedulable
from chaoskube.models.scheduler.framework import ClusterEvent, Happening, enabled
from chaoskube.models.scheduler.intake import LIVING_PODS, Intake
from chaoskube.models.scheduler.nodes import View
from chaoskube.models.scheduler.owners import InformedOwners
from chaoskube.models.scheduler.queue import QueuedPod, SchedulingQueue
from chaoskube.models.scheduler.recorder import SchedulerEvents
from chaoskube.sim import Address, Process, Refused, Reply, Timer, Unsure, reached

USER = "system:kube-scheduler"
LEASE = "kube-scheduler"
UNSCHEDULABLE = "Unschedulable"
SCHEDULER_ERROR = "SchedulerError"


def boot_scheduler(
    process: Process, servers: tuple[Address, ...], identity: str, *, leader_elect: bool = True
) -> Scheduler:
    """Start kube-scheduler in `process`; it schedules once it leads, or, without election, once its caches are full."""
    scheduler = Scheduler(process, servers, identity, leader_elect=leader_elect)
    scheduler.start()
    return scheduler


class Scheduler:
    """One life of one kube-scheduler."""

    def __init__(
        self, process: Process, servers: tuple[Address, ...], identity: str, *, leader_elect: bool = True
    ) -> None:
        self._process = process
        self._leader_elect = leader_elect
        self._client = ApiClient(process, servers, user=USER, agent="kube-scheduler", limits=SCHEDULER)
        self._events = SchedulerEvents(self._client, process.host)
        self._pods = Informer(self._client, "pods", field_selector=LIVING_PODS)
        self._nodes = Informer(self._client, "nodes")
        services = Informer(self._client, "services")
        replica_sets = Informer(self._client, "replicasets")
        namespaces = Informer(self._client, "namespaces")
        self._claims = Informer(self._client, "persistentvolumeclaims")
        volumes = Informer(self._client, "persistentvolumes")
        self._informers = (
            self._nodes,
            self._pods,
            services,
            replica_sets,
            namespaces,
            self._claims,
            volumes,
        )
        self._plugins = enabled()
        self._cache = SchedulerCache(
            InformedOwners(services, replica_sets, namespaces), InformedClaims(self._claims, volumes)
        )
        self._queue = SchedulingQueue(self._plugins, started=process.now)
        self._intake = Intake(
            self._cache, self._queue, clock=lambda: process.now, on_change=self._queue_changed
        )
        self._elector = LeaderElector(self._client.as_user(USER), LEASE, identity, self._lead, process.exit)
        self._is_leading = False
        self._start_index = 0
        self._idle: Reply[None] | None = None
        self._timer: Timer | None = None
        self._timer_at: int | None = None

    def start(self) -> None:
        """Fill the caches, then stand for election."""
        self._intake.listen(self._pods, self._nodes, self._claims)
        for informer in self._informers:
            informer.start()
            informer.when_synced(self._maybe_elect)

    def _maybe_elect(self) -> None:
        if not all(informer.has_synced for informer in self._informers):
            return
        if self._leader_elect:
            self._elector.start()
        else:
            self._lead()

    def _lead(self) -> None:
        self._is_leading = True
        self._process.spawn(self._run)
        self._queue_changed()

    # Waiting

    def _queue_changed(self) -> None:
        """Wake the cycle if there is something to do, and set the timer for what will be."""
        if not self._is_leading:
            return
        if self._idle is not None and self._queue.has_work:
            idle, self._idle = self._idle, None
            idle.set(None)
        wake = self._queue.next_wake()
        if wake == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = wake
        self._timer = None if wake is None else self._process.call_at(wake, self._flush)

    def _flush(self) -> None:
        self._timer = self._timer_at = None
        self._queue.flush(self._process.now)
        self._queue_changed()

    # The scheduling cycle

    async def _run(self) -> None:
        while True:
            queued = self._queue.pop()
            if queued is None:
                self._idle = self._process.reply()
                await self._idle.wait()
            else:
                await self._schedule(queued)
                self._queue_changed()

    async def _schedule(self, queued: QueuedPod) -> None:
        pod = queued.info
        if pod.pod.metadata.deletion_timestamp is not None:
            self._events.failed(pod.pod, f"skip schedule deleting pod: {pod.key}")
            self._queue.done(pod.uid)
            return
        if self._cache.has_pod(pod.uid):
            reached("scheduler: pod is assumed already")
            self._queue.done(pod.uid)
            return
        view = self._cache.view()
        await self._process.sleep(RECONCILE_WORK)
        decision = decide(pod, view, self._plugins, start=self._start_index, luck=self._process.rng)
        if view.nodes:
            self._start_index = (self._start_index + decision.processed) % len(view.nodes)
        if isinstance(decision, Diagnosis):
            self._unfit(queued, decision, view)
        elif self._cache.has_pod(pod.uid):
            reached("scheduler: pod was assigned by somebody else meanwhile")
            message = f"pod {pod.uid}({pod.key}) is in the cache, so can't be assumed"
            self._failed(queued, (), SCHEDULER_ERROR, message)
        else:
            self._assume(queued, decision)

    def _assume(self, queued: QueuedPod, chosen: Chosen) -> None:
        pod = queued.info
        self._process.record(
            ScheduleDecided(
                pod=pod.key, uid=pod.uid, node=chosen.node, feasible=chosen.feasible, best=chosen.best
            )
        )
        self._cache.assume(pod, chosen.node)
        self._queue.done(pod.uid)
        self._process.spawn(self._bind, queued, chosen.node)

    def _unfit(self, queued: QueuedPod, diagnosis: Diagnosis, view: View) -> None:
        pod = queued.info
        explanation = explain(diagnosis, pod, view, self._plugins)
        self._process.record(
            Unschedulable(
                pod=pod.key,
                uid=pod.uid,
                message=explanation.message,
                rejected_by=diagnosis.rejected_by,
                preemption_would_help=explanation.would_help,
            )
        )
        self._failed(queued, diagnosis.rejected_by, UNSCHEDULABLE, explanation.message)

    # The binding cycle

    async def _bind(self, queued: QueuedPod, node: str) -> None:
        pod = queued.info.pod
        try:
            await self._client.bind(pod, node)
        except Refused as refusal:
            self._binding_failed(queued, node, status_of(refusal).message, is_sure=True)
        except Unsure as unsure:
            reached("scheduler: nobody knows whether the pod was bound")
            self._binding_failed(queued, node, str(unsure), is_sure=False)
        else:
            self._process.record(Bound(pod=pod.key, uid=pod.uid, node=node))
            self._events.scheduled(pod, node)

    def _binding_failed(self, queued: QueuedPod, node: str, reason: str, *, is_sure: bool) -> None:
        """Unreserve: the room is free again, unless the informer has shown that the binding was taken."""
        pod = queued.info
        self._process.record(
            BindingFailed(pod=pod.key, uid=pod.uid, node=node, reason=reason, is_sure=is_sure)
        )
        if self._cache.forget(pod.uid):
            assumed = evolve(pod.pod, spec=evolve(pod.pod.spec, node_name=node))
            self._intake.happened(ClusterEvent(what=Happening.POD_GONE, old=assumed))
        self._failed(queued, (), SCHEDULER_ERROR, f'running Bind plugin "DefaultBinder": {reason}')
        self._queue_changed()

    # What went wrong

    def _failed(self, queued: QueuedPod, rejected_by: tuple[str, ...], reason: str, message: str) -> None:
        """Put the pod back, unless it is bound, gone or another one by now; and say so. (FailureHandler)"""
        pod = queued.info.pod
        known = self._pods.get(pod.namespace, pod.name)
        if isinstance(known, Pod) and known.uid == pod.uid and not known.spec.node_name:
            self._queue.failed(queued, known, rejected_by, self._process.now)
        else:
            reached("scheduler: failed pod is bound or gone by now")
            self._queue.done(pod.uid)
        self._events.failed(pod, message)
        condition = PodCondition(
            type="PodScheduled",
            status="False",
            reason=reason,
            message=message,
            observed_generation=pod.metadata.generation,
        )
        before = get_condition(pod.status.conditions, "PodScheduled")
        if before is None or _without_times(before) != condition:
            self._process.spawn(self._patch_condition, pod, condition, before)

    async def _patch_condition(self, pod: Pod, condition: PodCondition, before: PodCondition | None) -> None:
        """Write the condition; a refusal is not tried again. (updatePod)"""
        since = self._process.wall_ns()
        if (
            before is not None
            and before.status == condition.status
            and before.last_transition_time is not None
        ):
            since = before.last_transition_time
        tree = {
            "type": condition.type,
            "observedGeneration": condition.observed_generation,
            "status": condition.status,
            "lastProbeTime": None,
            "lastTransitionTime": time_text(since),
            "reason": condition.reason,
            "message": condition.message,
        }
        patch = {"status": {"conditions": [tree]}}
        try:
            await self._client.patch("pods", pod.namespace, pod.name, patch, subresource="status")
        except (Refused, Unsure):
            reached("scheduler: the condition could not be written")


def _without_times(condition: PodCondition) -> PodCondition:
    return evolve(condition, last_probe_time=None, last_transition_time=None)
