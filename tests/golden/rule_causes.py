"""Causes come before their effects, in the order of commits.

An owner before what it owns, a Deployment's template before the ReplicaSet made from it, a ReplicaSet's wish
before the pod, a bind before anything that the node says. What counts and slices include is held by their own
rules, which only know earlier commits. A bind is a commit of its own, so a pod that is first seen bound in a
commit that already carries the node's report was never seen bound. Who calls it: `rules`.
"""

from __future__ import annotations

from collections.abc import Iterator

from .difference import Difference
from .history import History, Run, controller_of
from .recording import Watched
from .rule_counts import is_active, scenario_writes
from .template import without_hash
from .trees import condition, mapping, number, text

# A controller may act on a wish that was withdrawn a moment ago; this is the longest such moment accepted.
STALE_SECONDS = 1.0


def effects_before_causes(run: Run) -> Iterator[Difference]:
    """Commits that came before what must have caused them."""
    by_uid = {found.uid: found for found in run.objects}
    for found in run.objects:
        owner = by_uid.get(text(found.owner, "uid"))
        if owner is not None:
            yield from _born_before_its_cause(run, owner, found)
        if found.kind == "Pod":
            yield from _ran_before_bound(run, found)


def _born_before_its_cause(run: Run, owner: History, found: History) -> Iterator[Difference]:
    birth = found.commits[0]
    if birth.type != "ADDED":
        return
    if birth.rv < owner.commits[0].rv:
        yield _early(birth, f"its owner {owner.kind} {owner.name}")
    elif owner.kind == "Deployment" and not _had_template(owner, birth):
        yield _early(birth, f"the template of Deployment {owner.name}")
    elif owner.kind == "ReplicaSet" and not _was_wanted(run, owner, birth):
        yield _early(birth, f"the wish of ReplicaSet {owner.name} for it")


def _early(commit: Watched, cause: str) -> Difference:
    return Difference(what=f"{commit.kind} {commit.name} came before {cause}", right=commit)


def _had_template(owner: History, birth: Watched) -> bool:
    made = without_hash(mapping(birth.object, "spec", "template"))
    return any(
        without_hash(mapping(commit.object, "spec", "template")) == made
        for commit in owner.commits
        if commit.rv < birth.rv
    )


def _was_wanted(run: Run, owner: History, birth: Watched) -> bool:
    siblings = (pod.seen_at(birth.rv) for pod in run.owned_by(owner.uid, "Pod"))
    alive = sum(
        is_active(pod) and text(controller_of(pod), "uid") == owner.uid for pod in siblings if pod is not None
    )
    known = [commit for commit in owner.commits if commit.rv < birth.rv]
    recent = [
        commit
        for at, commit in enumerate(known)
        if at == len(known) - 1 or known[at + 1].t > birth.t - STALE_SECONDS
    ]
    return any(number(commit.object, "spec", "replicas") >= alive for commit in recent)


def _ran_before_bound(run: Run, found: History) -> Iterator[Difference]:
    by_scenario = scenario_writes(run)
    for commit in found.commits:
        told_by_node = text(commit.object, "status", "phase") == "Running" or condition(
            commit.object, "Ready"
        )
        if commit.rv in by_scenario or (commit.type == "ADDED" and text(commit.object, "spec", "nodeName")):
            return
        if told_by_node:
            yield Difference(what=f"Pod {found.name} ran before it was bound", right=commit)
            return
        if text(commit.object, "spec", "nodeName"):
            return
