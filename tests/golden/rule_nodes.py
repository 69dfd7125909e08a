"""A pod is bound to a node among those with the top score.

The scheduler's filter and scores are written down here a second time, naively, for plain pods on plain nodes:
LeastAllocated, BalancedAllocation and the default spreading, which is all that tells such nodes apart. The cache
may lag a little behind the commits, and pods just bound are known to it before their bind is committed; the node
must be a best one in one of those views. Sources: pkg/scheduler/framework/plugins/noderesources/
{least_allocated,balanced_allocation}.go, podtopologyspread/{common,scoring}.go. Who calls it: `rules`.

Not modelled: everything that makes a pod or node less than plain (affinity, selectors, tolerations beyond the two
default ones, own spread constraints, host ports, volumes, init containers, taints, zones, commands on nodes, nodes
that come and go): such runs and pods aren't judged. Nor are pods of another scheduler.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from attrs import frozen

from .difference import Difference
from .history import History, Run, controller_of, is_deleting, labels_of
from .quantities import memory_bytes, milli_cpu
from .recording import Command, Kubelet, Watched
from .rule_counts import is_finished
from .trees import Tree, as_tree, at, items, mapping, text

_DEFAULT_CPU, _DEFAULT_MEMORY = 100, 200 * 1024 * 1024
_HOST_SKEW = 3
# How far the scheduler's view may lag, and how long an assumed pod may wait for its bind to be committed.
LAG_SECONDS = 0.2
_NOT_PLAIN = (
    "affinity",
    "nodeSelector",
    "topologySpreadConstraints",
    "volumes",
    "initContainers",
    "schedulingGates",
)
_DEFAULT_TOLERATIONS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


@frozen(kw_only=True)
class Ask:
    """What a pod asks for: as written, and as scores count it."""

    cpu: int
    memory: int
    scored_cpu: int
    scored_memory: int


def wrong_nodes(run: Run) -> Iterator[Difference]:
    """Binds to a node that was not among the best."""
    nodes = {text(as_tree(node), "name"): as_tree(node) for node in run.recording.meta.nodes}
    if len(nodes) < 2 or not _are_plain(run, nodes):
        return
    pods = run.of_kind("Pod")
    binds = [bind for pod in pods if (bind := _bind_of(pod)) is not None]
    binds.sort(key=lambda bind: bind.rv)
    for bind in binds:
        chosen = text(bind.object, "spec", "nodeName")
        if chosen in nodes and _is_plain(bind.object) and not _is_best(run, nodes, pods, binds, bind, chosen):
            yield Difference(
                what=f"Pod {bind.name}: {chosen} was not among the nodes with the top score", right=bind
            )


def _are_plain(run: Run, nodes: dict[str, Tree]) -> bool:
    if any(
        node.get("taints") or mapping(node, "labels") or mapping(node, "extra") for node in nodes.values()
    ):
        return False
    touched = (record for record in run.recording.records if isinstance(record, (Command, Kubelet)))
    return not any(
        "/nodes" in record.path if isinstance(record, Command) else record.op.endswith("_node")
        for record in touched
    )


def _bind_of(pod: History) -> Watched | None:
    """The commit that bound it, None if it was born bound or never was."""
    for before, after in zip(pod.commits, pod.commits[1:], strict=False):
        if not text(before.object, "spec", "nodeName") and text(after.object, "spec", "nodeName"):
            return after
    return None


def _is_plain(pod: Tree) -> bool:
    spec = mapping(pod, "spec")
    if any(spec.get(field) for field in _NOT_PLAIN) or text(spec, "schedulerName") != "default-scheduler":
        return False
    if any(text(found, "key") not in _DEFAULT_TOLERATIONS for found in items(spec, "tolerations")):
        return False
    nominated = text(pod, "status", "nominatedNodeName")
    return not nominated and not any(
        at(port, "hostPort") for c in items(spec, "containers") for port in items(c, "ports")
    )


def _is_best(
    run: Run,
    nodes: dict[str, Tree],
    pods: tuple[History, ...],
    binds: list[Watched],
    bind: Watched,
    chosen: str,
) -> bool:
    """Whether some view that the scheduler can have had makes the chosen node one of the best."""
    assumed = [b for b in binds if b.rv > bind.rv and b.t < bind.t + LAG_SECONDS]
    looks = [
        bind.rv - 1,
        *(c.rv for c in run.commits if c.kind == "Pod" and bind.t - LAG_SECONDS < c.t and c.rv < bind.rv),
    ]
    for look in looks[:1] + looks[:0:-1]:
        for early in range(len(assumed) + 1):
            live = {pod.uid: tree for pod in pods if (tree := pod.seen_at(look)) is not None}
            known = [b for b in binds if look < b.rv < bind.rv] + assumed[:early]
            for other in known:
                live[text(other.object, "metadata", "uid")] = other.object
            live.pop(text(bind.object, "metadata", "uid"), None)
            if chosen in best_nodes(run, nodes, list(live.values()), bind.object, bind.rv):
                return True
    return False


def best_nodes(run: Run, nodes: dict[str, Tree], live: list[Tree], pod: Tree, rv: int) -> list[str]:
    """The nodes with the top score for the pod, given the other pods."""
    ask = _ask(pod)
    selector = _spread_selector(run, pod, rv)
    resources: dict[str, int] = {}
    matching: dict[str, int] = {}
    for name, node in nodes.items():
        here = [other for other in live if text(other, "spec", "nodeName") == name and not is_finished(other)]
        score = _resource_score(node, [_ask(other) for other in here], ask)
        if score is not None:
            resources[name] = score
            same = (o for o in here if text(o, "metadata", "namespace") == text(pod, "metadata", "namespace"))
            matching[name] = sum(
                not is_deleting(o) and selector.items() <= labels_of(o).items() for o in same
            )
    spread = _spread_scores(matching) if selector else dict.fromkeys(resources, 0)
    total = {name: score + 2 * spread[name] for name, score in resources.items()}
    top = max(total.values(), default=0)
    return [name for name, score in total.items() if score == top]


def _resource_score(node: Tree, others: list[Ask], ask: Ask) -> int | None:
    """LeastAllocated plus BalancedAllocation; None where the pod does not fit."""
    cpu, memory = milli_cpu(text(node, "cpu")), memory_bytes(text(node, "memory"))
    used_cpu, used_memory = (
        sum(one.cpu for one in others) + ask.cpu,
        sum(one.memory for one in others) + ask.memory,
    )
    if used_cpu > cpu or used_memory > memory or len(others) + 1 > int(text(node, "pods") or "110"):
        return None
    scored_cpu = sum(one.scored_cpu for one in others) + ask.scored_cpu
    scored_memory = sum(one.scored_memory for one in others) + ask.scored_memory
    least = (_free_part(cpu, scored_cpu) + _free_part(memory, scored_memory)) // 2
    balanced = int((1 - abs(min(used_cpu / cpu, 1) - min(used_memory / memory, 1)) / 2) * 100)
    return least + balanced


def _free_part(capacity: int, used: int) -> int:
    return max(0, capacity - used) * 100 // capacity


def _spread_scores(matching: dict[str, int]) -> dict[str, int]:
    """podtopologyspread scoring of the default constraint on hostname, normalised."""
    weight = math.log(len(matching) + 2)
    raw = {name: round(count * weight + _HOST_SKEW - 1) for name, count in matching.items()}
    most, least = max(raw.values(), default=0), min(raw.values(), default=0)
    return {name: 100 * (most + least - score) // most if most else 100 for name, score in raw.items()}


def _spread_selector(run: Run, pod: Tree, rv: int) -> dict[str, str]:
    """helper.DefaultSelector: the selectors of its Services and of its ReplicaSet, together."""
    found: dict[str, str] = {}
    for service in run.of_kind("Service"):
        tree = service.seen_at(rv)
        selector = mapping(tree, "spec", "selector")
        if selector and selector.items() <= labels_of(pod).items():
            found |= {key: str(value) for key, value in selector.items()}
    owner = text(controller_of(pod), "uid")
    for replica_set in run.of_kind("ReplicaSet"):
        if replica_set.uid == owner:
            wanted = mapping(replica_set.seen_at(rv) or replica_set.first, "spec", "selector", "matchLabels")
            found |= {key: str(value) for key, value in wanted.items()}
    return found


def _ask(pod: Tree) -> Ask:
    cpu = memory = scored_cpu = scored_memory = 0
    for container in items(pod, "spec", "containers"):
        requests = mapping(container, "resources", "requests")
        asked_cpu, asked_memory = milli_cpu(text(requests, "cpu")), memory_bytes(text(requests, "memory"))
        cpu, memory = cpu + asked_cpu, memory + asked_memory
        scored_cpu += asked_cpu if "cpu" in requests else _DEFAULT_CPU
        scored_memory += asked_memory if "memory" in requests else _DEFAULT_MEMORY
    return Ask(cpu=cpu, memory=memory, scored_cpu=scored_cpu, scored_memory=scored_memory)
