"""The pods that a ReplicaSet deletes must be of the best rank class among those it had.

A victim may not outrank a survivor: no pod that stays may come before it in the order of deletion. Which of
equally ranked pods goes is free. Source: pkg/controller/controller_utils.go ActivePodsWithRanks.Less. Which pods
are victims is told by the SuccessfulDelete Events of the ReplicaSet. Who calls it: `rules`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from .difference import Difference
from .history import History, Run, controller_of
from .recording import Watched
from .rule_counts import is_active, is_ready
from .trees import Tree, condition, items, mapping, number, text, unix_seconds

_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
# The ranks are those of the moment at which the controller looked: before the write, by no more than this.
LOOK_SECONDS = 0.5


def wrong_victims(run: Run) -> Iterator[Difference]:
    """Victims that a pod which stayed should have gone before."""
    for owner in run.of_kind("ReplicaSet"):
        pods = run.owned_by(owner.uid, "Pod")
        told = _told_victims(run, owner)
        ends = (
            sorted((_deletion(pod).rv, pod) for pod in pods if pod.name in told and _has_deletion(pod))
            if told
            else []
        )
        for rv, victim in ends:
            outranking = _outranking(run, owner, pods, victim, rv, {pod.name for _, pod in ends})
            if outranking:
                what = f"ReplicaSet {owner.name} deleted {victim.name}, but {outranking} ranks before it"
                yield Difference(what=what, right=_deletion(victim))


def _told_victims(run: Run, owner: History) -> set[str]:
    messages = (
        text(commit.object, "message")
        for commit in run.commits
        if commit.kind == "Event"
        and text(commit.object, "reason") == "SuccessfulDelete"
        and text(commit.object, "involvedObject", "uid") == owner.uid
    )
    return {message.rpartition(": ")[2] for message in messages}


def _has_deletion(pod: History) -> bool:
    return any(text(commit.object, "metadata", "deletionTimestamp") for commit in pod.commits)


def _deletion(pod: History) -> Watched:
    found = (c for c in pod.commits if c.type == "DELETED" or text(c.object, "metadata", "deletionTimestamp"))
    return next(found)


def _outranking(
    run: Run, owner: History, pods: tuple[History, ...], victim: History, rv: int, victims: set[str]
) -> str:
    """The name of a survivor that ranked before the victim at every moment the controller can have looked."""
    when = _deletion(victim).t
    before = [commit for commit in run.commits if commit.kind == "Pod" and commit.rv < rv]
    recent = [commit.rv for commit in before if commit.t > when - LOOK_SECONDS]
    older = [commit.rv for commit in before[: len(before) - len(recent)][-1:]]
    looks = [rv - 1, *recent[::-1], *older]
    worst = ""
    for look in looks:
        worst = _first_before(run, owner, pods, victim, look, victims, rv)
        if not worst:
            return ""
    return worst


def _first_before(
    run: Run,
    owner: History,
    pods: tuple[History, ...],
    victim: History,
    look: int,
    victims: set[str],
    rv: int,
) -> str:
    at_look = {pod.name: pod.seen_at(look) for pod in pods}
    seen = at_look[victim.name]
    if seen is None:
        return victim.name
    doubled = _doubled(run, owner, look)
    for pod in pods:
        tree = at_look[pod.name]
        goes_too = pod.name in victims and abs(_deletion(pod).t - _deletion(victim).t) < LOOK_SECONDS
        if tree is None or goes_too or pod.name == victim.name or not is_active(tree):
            continue
        if text(controller_of(tree), "uid") == owner.uid and _goes_before(
            tree, seen, doubled, _wall(run, rv)
        ):
            return pod.name
    return ""


def _doubled(run: Run, owner: History, look: int) -> dict[str, int]:
    """Active pods of related ReplicaSets (same controller) by node; a ReplicaSet without controller has none."""
    parent = text(controller_of(owner.seen_at(look) or owner.first), "uid")
    related = {found.uid for found in run.of_kind("ReplicaSet") if parent and _parent(found, look) == parent}
    count: dict[str, int] = {}
    for pod in run.of_kind("Pod"):
        tree = pod.seen_at(look)
        if tree is not None and is_active(tree) and text(controller_of(tree), "uid") in related:
            node = text(tree, "spec", "nodeName")
            count[node] = count.get(node, 0) + 1
    return count


def _parent(found: History, look: int) -> str:
    return text(controller_of(found.seen_at(look) or found.first), "uid")


def _wall(run: Run, rv: int) -> int:
    """The wall clock in whole seconds at which that revision was written, from the deletion time it set."""
    for commit in run.commits:
        if commit.rv == rv:
            stamp = text(commit.object, "metadata", "deletionTimestamp")
            return (
                unix_seconds(stamp) - number(commit.object, "metadata", "deletionGracePeriodSeconds")
                if stamp
                else 0
            )
    return 0


def _goes_before(survivor: Tree, victim: Tree, doubled: dict[str, int], wall: int) -> bool:
    """Whether the order of deletion puts the survivor strictly before the victim."""
    for one, other in zip(_ranks(survivor, doubled), _ranks(victim, doubled), strict=True):
        if one != other:
            return one < other
    if is_ready(survivor) and is_ready(victim):
        ours, theirs = _ready_since(survivor), _ready_since(victim)
        if ours != theirs:
            return _younger(ours, theirs, wall)
    if _restarts(survivor) != _restarts(victim):
        return _restarts(survivor) > _restarts(victim)
    ours, theirs = _created(survivor), _created(victim)
    return ours != theirs and _younger(ours, theirs, wall)


def _ranks(pod: Tree, doubled: dict[str, int]) -> tuple[int, int, int, int, int]:
    node = text(pod, "spec", "nodeName")
    cost = text(mapping(pod, "metadata", "annotations"), _COST)
    return (
        1 if node else 0,
        _PHASES.get(text(pod, "status", "phase"), 1),
        1 if is_ready(pod) else 0,
        int(cost) if cost.lstrip("+-").isdigit() else 0,
        -doubled.get(node, 0),
    )


def _younger(ours: int, theirs: int, wall: int) -> bool:
    """Strictly younger on the log2 scale, wherever in its second the look was taken."""
    return all(_bucket(ours, now) < _bucket(theirs, now) for now in _looks(ours, theirs, wall))


def _looks(ours: int, theirs: int, wall: int) -> list[float]:
    """Moments of the second that stand for all: its ends, and where one of the two passes into its next bucket."""
    turns = [since + 2**power / 1e9 for since in (ours, theirs) for power in range(29, 60)]
    return [wall, wall + 0.999, *(turn + 1e-6 for turn in turns if wall < turn < wall + 0.999)]


def _bucket(since: int, now: float) -> int:
    age = now - since
    return int(math.log2(age * 1e9)) if age > 0 else -1


def _ready_since(pod: Tree) -> int:
    stamp = text(condition(pod, "Ready"), "lastTransitionTime")
    return unix_seconds(stamp) if stamp else 0


def _restarts(pod: Tree) -> int:
    return max(
        (number(found, "restartCount") for found in items(pod, "status", "containerStatuses")), default=0
    )


def _created(pod: Tree) -> int:
    return unix_seconds(text(pod, "metadata", "creationTimestamp"))
