"""Feeds the scheduler's pure parts with what a real scheduler saw, and compares what both decided.

Watch events of a recording go into queue and cache in the order of their revisions. Where the real scheduler
chose a node, ours must find it among the best; then the recorded node is assumed, so that one tie that fell
otherwise doesn't spoil the rest. Where the real one failed, message and number of failures must agree.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import define, field

from chaoskube.models.objects import LabelSelector, Node, Pod, ReplicaSet, Service, decode
from chaoskube.models.objects.frozen import FrozenDict
from chaoskube.models.scheduler.cache import SchedulerCache
from chaoskube.models.scheduler.changes import assigned_pod_events, node_events, own_events
from chaoskube.models.scheduler.cycle import Chosen, decide
from chaoskube.models.scheduler.diagnosis import explain
from chaoskube.models.scheduler.framework import ClusterEvent, Happening, enabled
from chaoskube.models.scheduler.queue import QueuedPod, SchedulingQueue
from chaoskube.sim import seconds

HERE = Path(__file__).parent / "recordings"
SHARED = Path(__file__).parents[2] / "golden" / "recordings"


def records(name: str) -> list[dict[str, Any]]:
    """The lines of a recording."""
    path = HERE / f"{name}.jsonl.gz"
    with gzip.open(path if path.exists() else SHARED / path.name, "rt") as lines:
        return [json.loads(line) for line in lines]


@define
class RecordedOwners:
    """Services and ReplicaSets as they were last seen."""

    services: dict[str, Service] = field(factory=dict)
    sets: dict[str, ReplicaSet] = field(factory=dict)

    def selectors_of(self, pod: Pod) -> tuple[LabelSelector, ...]:
        owner = pod.metadata.controller
        found = self.sets.get(owner.uid) if owner is not None else None
        chosen = [found.spec.selector] if found is not None and found.spec.selector is not None else []
        for service in self.services.values():
            selector = service.spec.selector
            if selector and selector.items() <= pod.labels.items():
                chosen.append(LabelSelector(match_labels=FrozenDict(selector)))
        return tuple(chosen)

    def namespace_labels(self, namespace: str) -> dict[str, str]:
        return {}


class Replay:
    """One recording, played through queue, cache and cycle."""

    def __init__(self, name: str) -> None:
        self.lines = records(name)
        self.differences: list[str] = []
        self.decisions = 0
        self._owners = RecordedOwners()
        self._plugins = enabled()
        self._cache = SchedulerCache(self._owners)
        self._queue = SchedulingQueue(self._plugins)
        self._luck = random.Random(0)
        self._pods: dict[str, Pod] = {}
        self._nodes: dict[str, Node] = {}
        self._now = 0
        self._expected = {
            "Scheduled": self._events("Scheduled"),
            "FailedScheduling": self._events("FailedScheduling"),
        }
        for shape in self.lines[0]["nodes"]:
            self._set_node(_node(shape))

    def play(self) -> list[str]:
        """Play everything; what differs, in words."""
        for line in self._in_order():
            self._now = max(self._now, seconds(line["t"]))
            self._take(line)
            self._schedule()
        left = [
            (name, message)
            for name, all_of in self._expected["FailedScheduling"].items()
            for message in all_of
        ]
        self.differences += [f"{name}: the real scheduler also said {message!r}" for name, message in left]
        left = [(name, message) for name, all_of in self._expected["Scheduled"].items() for message in all_of]
        self.differences += [f"{name}: was not scheduled here: {message!r}" for name, message in left]
        return self.differences

    def _events(self, reason: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for line in self.lines:
            if line["rec"] == "watch" and line["kind"] == "Event" and line["object"].get("reason") == reason:
                found.setdefault(line["object"]["involvedObject"]["name"], []).append(
                    line["object"]["message"]
                )
        return found

    def _in_order(self) -> Iterator[dict[str, Any]]:
        """Watch events by revision; a change of a node (its watch isn't recorded) by its answer's revision."""
        found = []
        for line in self.lines:
            if line["rec"] == "watch" and line["kind"] in ("Pod", "Service", "ReplicaSet"):
                found.append((line["rv"], line))
            elif line["rec"] == "cmd" and "/nodes/" in line["path"] and line["status"] == 200:
                found.append((int(line["response"]["metadata"]["resourceVersion"]), line))
        return iter([line for _, line in sorted(found, key=lambda each: each[0])])

    def _take(self, line: dict[str, Any]) -> None:
        obj = decode(line["object"] if line["rec"] == "watch" else line["response"])
        if isinstance(obj, Node):
            self._set_node(obj)
        elif isinstance(obj, Service):
            self._owners.services[obj.key] = obj
        elif isinstance(obj, ReplicaSet):
            self._owners.sets[obj.uid] = obj
        elif isinstance(obj, Pod) and (obj.spec.node_name or obj.spec.scheduler_name == "default-scheduler"):
            self._set_pod(
                obj, is_gone=line["type"] == "DELETED" or obj.status.phase in ("Succeeded", "Failed")
            )

    def _set_node(self, node: Node) -> None:
        old = self._nodes.get(node.name)
        self._nodes[node.name] = node
        self._cache.set_node(node)
        events = (
            (ClusterEvent(what=Happening.NODE_ADDED, new=node),) if old is None else node_events(old, node)
        )
        for event in events:
            self._queue.happened(event, self._now)

    def _set_pod(self, pod: Pod, *, is_gone: bool) -> None:
        old = self._pods.get(pod.key)
        if is_gone:
            if self._pods.pop(pod.key, None) is not None:
                self._cache.remove_pod(pod.uid)
                self._queue.delete(pod.key)
                if pod.spec.node_name:
                    self._queue.happened(ClusterEvent(what=Happening.POD_GONE, old=pod), self._now)
            return
        self._pods[pod.key] = pod
        if not pod.spec.node_name:
            if old is None:
                self._queue.add(pod, self._now)
            else:
                self._queue.update(pod, own_events(old, pod), self._now)
            return
        self._cache.set_pod(pod)
        self._queue.delete(pod.key)
        if old is None or not old.spec.node_name:
            self._queue.happened(ClusterEvent(what=Happening.POD_ASSIGNED, new=pod), self._now)
        else:
            for event in assigned_pod_events(old, pod):
                self._queue.happened(event, self._now)

    def _schedule(self) -> None:
        self._queue.flush(self._now)
        while (queued := self._queue.pop()) is not None:
            self.decisions += 1
            self._decide(queued)

    def _decide(self, queued: QueuedPod) -> None:
        pod, view = queued.info, self._cache.view()
        name = pod.pod.name
        decision = decide(pod, view, self._plugins, start=0, luck=self._luck)
        if isinstance(decision, Chosen):
            expected = self._expected["Scheduled"].get(name, [])
            node = expected.pop(0).rpartition(" ")[2] if expected else "nowhere"
            if node not in decision.best:
                self.differences.append(f"{name}: went to {node}, best here {decision.best}")
            self._cache.assume(pod, node if expected is not None and node != "nowhere" else decision.node)
            self._queue.done(pod.uid)
            return
        message = explain(decision, pod, view, self._plugins).message
        expected = self._expected["FailedScheduling"].get(name, [])
        said = expected.pop(0) if expected else None
        if said != message:
            self.differences.append(f"{name}: said {said!r}, here {message!r}")
        self._queue.failed(queued, pod.pod, decision.rejected_by, self._now)


def _node(shape: dict[str, Any]) -> Node:
    """A node of the recording's head, as its fake kubelet registered it."""
    amounts = {"cpu": shape["cpu"], "memory": shape["memory"], "pods": shape["pods"], **shape["extra"]}
    labels = {"kubernetes.io/hostname": shape["name"], **shape["labels"]}
    node = decode(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": shape["name"], "labels": labels},
            "spec": {"taints": shape["taints"]} if shape["taints"] else {},
            "status": {"capacity": amounts, "allocatable": amounts},
        }
    )
    assert isinstance(node, Node), node
    return node
