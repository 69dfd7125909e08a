"""Status counts of ReplicaSets and Deployments: each must be one that the inputs passed through, in order.

A ReplicaSet counts its pods, a Deployment its ReplicaSets. Steps may be skipped (counts coalesce), none may be
made up or repeated backwards, and once nothing has changed for a second the last must be right.
Sources: pkg/controller/replicaset/replica_set_utils.go calculateStatus, pkg/controller/deployment/sync.go
calculateStatus. Who calls it: `rules`.

Not modelled: with minReadySeconds any `available` up to `ready` is accepted (time passes between commits); other
kinds' counts are not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs
from attrs import frozen

from .difference import Difference
from .history import History, Run, controller_of, is_deleting, labels_of
from .passage import Live, Moment, Passage, moments_of
from .template import is_new
from .trees import Json, Tree, at, condition, mapping, number, text

QUIET_SECONDS = 1.0


@frozen(kw_only=True)
class Counts:
    """The numbers of a status, absent ones being zero."""

    replicas: int = 0
    updated: int = 0
    labeled: int = 0
    ready: int = 0
    available: int = 0
    unavailable: int = 0
    terminating: int = 0


def wrong_replica_set_counts(run: Run) -> Iterator[Difference]:
    """Statuses of ReplicaSets that their pods never allowed."""
    if "Pod" not in run.recording.watched_kinds:
        return
    for owner in run.of_kind("ReplicaSet"):
        pods = [commit for pod in run.owned_by(owner.uid, "Pod") for commit in pod.commits]
        pods.sort(key=lambda commit: commit.rv)
        spec = mapping(owner.first, "spec")
        moments = moments_of(pods, lambda live, o=owner, s=spec: _both_counts(o.uid, s, live))  # type: ignore[misc]
        has_delay = number(owner.last, "spec", "minReadySeconds") > 0
        yield from _judge(
            run, owner, moments, _replica_set_counts, _same_but_available if has_delay else _same
        )


def wrong_deployment_counts(run: Run) -> Iterator[Difference]:
    """Statuses of Deployments that their ReplicaSets never allowed."""
    if "ReplicaSet" not in run.recording.watched_kinds:
        return
    for owner in run.of_kind("Deployment"):
        inputs = [commit for owned in run.owned_by(owner.uid, "ReplicaSet") for commit in owned.commits]
        inputs += owner.commits
        inputs.sort(key=lambda commit: commit.rv)
        moments = moments_of(inputs, lambda live, o=owner: _set_counts(o.uid, live))  # type: ignore[misc]
        yield from _judge(run, owner, moments, _deployment_counts, _same)


def _judge(
    run: Run,
    owner: History,
    moments: list[Moment[tuple[Counts, ...]]],
    counts_of: Callable[[Tree], Counts],
    same: Callable[[Counts, Counts], bool],
) -> Iterator[Difference]:
    passage = Passage(moments)
    written_by_scenario = scenario_writes(run)
    before: Json = None
    for commit in owner.commits:
        status = at(commit.object, "status")
        changed, before = status != before, status
        if commit.type == "DELETED" or not changed or commit.rv in written_by_scenario or not status:
            continue
        counts = counts_of(commit.object)
        if not passage.allows(commit.rv, lambda seen, c=counts: any(same(one, c) for one in seen)):  # type: ignore[misc]
            what = f"{owner.kind} {owner.name}: status {_told(counts)} is none that its inputs passed through"
            yield Difference(what=what, right=commit)
            return
    yield from _wrong_end(run, owner, moments, counts_of, same)


def _wrong_end(
    run: Run,
    owner: History,
    moments: list[Moment[tuple[Counts, ...]]],
    counts_of: Callable[[Tree], Counts],
    same: Callable[[Counts, Counts], bool],
) -> Iterator[Difference]:
    last = owner.commits[-1]
    end = run.recording.end
    is_quiet = end - max(moments[-1].time, last.t) > QUIET_SECONDS
    if last.type == "DELETED" or not is_quiet or last.rv in scenario_writes(run):
        return
    last_right = moments[-1].value[0]
    if not same(last_right, counts_of(last.object)):
        what = f"{owner.kind} {owner.name}: the last status {_told(counts_of(last.object))} should be"
        yield Difference(what=f"{what} {_told(last_right)}", right=last)


def scenario_writes(run: Run) -> set[int]:
    """The revisions that the scenario's own commands wrote."""
    versions = (text(command.response, "metadata", "resourceVersion") for command in run.recording.commands)
    return {int(version) for version in versions if version.isdigit()}


def _same(seen: Counts, written: Counts) -> bool:
    return seen == written


def _same_but_available(seen: Counts, written: Counts) -> bool:
    left = (seen.replicas, seen.labeled, seen.ready, seen.terminating)
    right = (written.replicas, written.labeled, written.ready, written.terminating)
    return left == right and written.available <= seen.ready


def _both_counts(owner_uid: str, spec: Tree, live: Live) -> tuple[Counts, ...]:
    """The counts without and with the orphans that it will adopt.

    A sync counts what it has just adopted, but as its cache showed it before. (PodControllerRefManager.ClaimPods in
    pkg/controller/controller_ref_manager.go gives back the cached pods)
    """
    own = _count_pods((owner_uid,), spec, live)
    adopting = _count_pods((owner_uid, ""), spec, live)
    return (own,) if own == adopting else (own, adopting)


def _count_pods(owners: tuple[str, ...], spec: Tree, live: Live) -> Counts:
    pods = [pod for pod in live.values() if text(controller_of(pod), "uid") in owners]
    active = [pod for pod in pods if is_active(pod)]
    wanted = mapping(spec, "template", "metadata", "labels").items()
    ready = sum(is_ready(pod) for pod in active)
    return Counts(
        replicas=len(active),
        labeled=sum(all(labels_of(pod).get(key) == value for key, value in wanted) for pod in active),
        ready=ready,
        available=ready,
        terminating=sum(is_deleting(pod) and not is_finished(pod) for pod in pods),
    )


def _set_counts(owner_uid: str, live: Live) -> tuple[Counts, ...]:
    return (_count_sets(owner_uid, live),)


def _count_sets(owner_uid: str, live: Live) -> Counts:
    deployment = live.get(owner_uid, {})
    sets = [tree for uid, tree in live.items() if uid != owner_uid]
    sets = [tree for tree in sets if text(controller_of(tree), "uid") == owner_uid]
    new = is_new(deployment, sets)
    available = sum(number(tree, "status", "availableReplicas") for tree in sets)
    return Counts(
        replicas=sum(number(tree, "status", "replicas") for tree in sets),
        updated=number(new, "status", "replicas"),
        ready=sum(number(tree, "status", "readyReplicas") for tree in sets),
        available=available,
        unavailable=max(0, sum(number(tree, "spec", "replicas") for tree in sets) - available),
        terminating=sum(number(tree, "status", "terminatingReplicas") for tree in sets),
    )


def _replica_set_counts(tree: Tree) -> Counts:
    return Counts(
        replicas=number(tree, "status", "replicas"),
        labeled=number(tree, "status", "fullyLabeledReplicas"),
        ready=number(tree, "status", "readyReplicas"),
        available=number(tree, "status", "availableReplicas"),
        terminating=number(tree, "status", "terminatingReplicas"),
    )


def _deployment_counts(tree: Tree) -> Counts:
    return Counts(
        replicas=number(tree, "status", "replicas"),
        updated=number(tree, "status", "updatedReplicas"),
        ready=number(tree, "status", "readyReplicas"),
        available=number(tree, "status", "availableReplicas"),
        unavailable=number(tree, "status", "unavailableReplicas"),
        terminating=number(tree, "status", "terminatingReplicas"),
    )


def is_finished(pod: Tree) -> bool:
    """Whether its phase is final."""
    return text(pod, "status", "phase") in ("Succeeded", "Failed")


def is_active(pod: Tree) -> bool:
    """Whether a ReplicaSet counts it."""
    return not is_finished(pod) and not is_deleting(pod)


def is_ready(pod: Tree) -> bool:
    """Whether its Ready condition is True."""
    return text(condition(pod, "Ready"), "status") == "True"


def _told(counts: Counts) -> str:
    named = ((attribute.name, getattr(counts, attribute.name)) for attribute in attrs.fields(Counts))
    return "(" + " ".join(f"{name}={value}" for name, value in named if value) + ")"
