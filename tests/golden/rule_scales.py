"""Each scale of a ReplicaSet must equal the rolling arithmetic on a state that its Deployment had.

The arithmetic is written down here a second time, naively, on JSON: what one sync of the deployment controller
would set for each ReplicaSet, given the Deployment and its ReplicaSets as a cache showed them at some moment.
Sources: pkg/controller/deployment/{rolling,recreate,sync}.go, util/deployment_util.go. Who calls it: `rules`.

Not modelled: Recreate's wait for old pods (a scale too early is caught as a cause, not here); the cleanup of old
ReplicaSets beyond revisionHistoryLimit (no scale).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from .difference import Difference
from .history import History, Run, controller_of
from .passage import Live, Passage, moments_of
from .recording import Watched
from .rule_counts import scenario_writes
from .template import is_new
from .trees import Json, Tree, at, mapping, number, text

Sizes = dict[str, set[int]]
NEW = "<new>"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MAX = "deployment.kubernetes.io/max-replicas"


def wrong_scales(run: Run) -> Iterator[Difference]:
    """Scales that no state of the Deployment asked for."""
    by_scenario = scenario_writes(run)
    for deployment in run.of_kind("Deployment"):
        sets = run.owned_by(deployment.uid, "ReplicaSet")
        inputs = sorted((c for found in (deployment, *sets) for c in found.commits), key=lambda c: c.rv)
        states = moments_of(inputs, lambda live, d=deployment: sizes(d.uid, live))  # type: ignore[misc]
        passage = Passage(states)
        for rv, found, size, commit in _scales(sets, deployment.uid, by_scenario):
            key = NEW if commit.type == "ADDED" else found.uid
            if not passage.allows(rv, lambda seen, k=key, n=size: n in seen.get(k, ())):  # type: ignore[misc]
                what = f"ReplicaSet {found.name}: no state of Deployment {deployment.name} asks to scale it to {size}"
                yield Difference(what=what, right=commit)
                break


def _scales(
    sets: tuple[History, ...], deployment_uid: str, by_scenario: set[int]
) -> list[tuple[int, History, int, Watched]]:
    changes: list[tuple[int, History, int, Watched]] = []
    for found in sets:
        before: int | None = None
        for commit in found.commits:
            size = number(commit.object, "spec", "replicas")
            owned = text(controller_of(commit.object), "uid") == deployment_uid
            if size != before and commit.type != "DELETED" and owned and commit.rv not in by_scenario:
                changes.append((commit.rv, found, size, commit))
            before = size
    return sorted(changes, key=lambda change: change[0])


def sizes(deployment_uid: str, live: Live) -> Sizes:
    """What one sync would set: for each ReplicaSet's uid (`NEW` for one to create) the sizes it may write."""
    deployment = live.get(deployment_uid)
    if deployment is None or text(deployment, "metadata", "deletionTimestamp"):
        return {}
    sets = [
        t
        for uid, t in live.items()
        if uid != deployment_uid and text(controller_of(t), "uid") == deployment_uid
    ]
    sets.sort(key=lambda tree: (text(tree, "metadata", "creationTimestamp"), text(tree, "metadata", "name")))
    wanted = number(deployment, "spec", "replicas", default=1)
    new = is_new(deployment, sets)
    old = [tree for tree in sets if tree is not new]
    if at(deployment, "spec", "paused") is True or any(
        _desired(tree) not in (None, wanted) for tree in sets if _size(tree)
    ):
        return _scaled(deployment, new, old, wanted)
    if text(deployment, "spec", "strategy", "type") == "Recreate":
        return _recreated(new, old, wanted)
    return _rolled(deployment, new, old, wanted)


def _recreated(new: Tree, old: list[Tree], wanted: int) -> Sizes:
    active = [tree for tree in old if _size(tree)]
    if active:
        return {_uid(tree): {0} for tree in active}
    return {_uid(new) if new else NEW: {wanted}}


def _rolled(deployment: Tree, new: Tree, old: list[Tree], wanted: int) -> Sizes:
    surge, unavailable = limits(deployment, wanted)
    total = sum(_size(tree) for tree in old) + (_size(new) if new else 0)
    size = _size(new) if new else 0
    grown = size if total >= wanted + surge else size + min(wanted + surge - total, wanted - size)
    if not new:
        found: Sizes = {NEW: {grown}}
        created: Tree = {"metadata": {"uid": NEW}, "spec": {"replicas": grown}}
        return {**_shrunk(created, old, wanted, unavailable), **found}
    if size > wanted:
        return {_uid(new): {wanted}}
    if grown != size:
        return {_uid(new): {grown}}
    return _shrunk(new, old, wanted, unavailable)


def _shrunk(new: Tree, old: list[Tree], wanted: int, unavailable: int) -> Sizes:
    """reconcileOldReplicaSets: unhealthy ones first, then down to what availability allows."""
    every = [*old, new]
    least = wanted - unavailable
    total = sum(_size(tree) for tree in every)
    budget = total - least - (_size(new) - _available(new))
    if budget <= 0:
        return {}
    found: Sizes = {}
    left: dict[str, int] = {_uid(tree): _size(tree) for tree in old}
    spent = 0
    for tree in old:
        unhealthy = _size(tree) - _available(tree)
        step = min(budget - spent, unhealthy)
        if _size(tree) and unhealthy > 0 and step > 0:
            spent += step
            left[_uid(tree)] -= step
            found.setdefault(_uid(tree), set()).add(left[_uid(tree)])
    surplus = sum(_available(tree) for tree in every) - least
    for tree in old:
        step = min(left[_uid(tree)], surplus)
        if step > 0:
            surplus -= step
            left[_uid(tree)] -= step
            found.setdefault(_uid(tree), set()).add(left[_uid(tree)])
    return found


def _scaled(deployment: Tree, new: Tree, old: list[Tree], wanted: int) -> Sizes:
    """sync.go scale: one active ReplicaSet, a saturated new one, or in proportion."""
    every = [*old, *([new] if new else [])]
    active = [tree for tree in every if _size(tree)]
    if len(active) <= 1:
        only = active[0] if active else (new or (old[-1] if old else {}))
        return {_uid(only): {wanted}} if only else {}
    if new and _size(new) == _available(new) == wanted == _desired(new):
        return {_uid(tree): {0} for tree in old if _size(tree)}
    if text(deployment, "spec", "strategy", "type") != "RollingUpdate":
        return {}
    return _in_proportion(deployment, active, wanted)


def _in_proportion(deployment: Tree, active: list[Tree], wanted: int) -> Sizes:
    surge, _ = limits(deployment, wanted)
    allowed = wanted + surge if wanted > 0 else 0
    to_add = allowed - sum(_size(tree) for tree in active)
    by_age = active if to_add < 0 else active[::-1]
    ordered = sorted(by_age, key=lambda tree: -_size(tree))
    added = 0
    shares: dict[str, int] = {}
    for tree in ordered:
        share = _share(deployment, tree, wanted, surge) if to_add else 0
        rest = to_add - added
        share = min(share, rest) if to_add > 0 else max(share, rest)
        shares[_uid(tree)] = _size(tree) + share
        added += share
    if to_add:
        first = _uid(ordered[0])
        shares[first] = max(0, shares[first] + to_add - added)
    return {uid: {size} for uid, size in shares.items()}


def _share(deployment: Tree, tree: Tree, wanted: int, surge: int) -> int:
    if wanted == 0:
        return -_size(tree)
    annotated = text(mapping(tree, "metadata", "annotations"), _MAX)
    ceiling = int(annotated) if annotated else number(deployment, "status", "replicas")
    if ceiling == 0:
        return 0
    return math.floor(_size(tree) * (wanted + surge) / ceiling + 0.5) - _size(tree)


def limits(deployment: Tree, wanted: int) -> tuple[int, int]:
    """maxSurge (rounded up) and maxUnavailable (rounded down), resolved."""
    rolling = mapping(deployment, "spec", "strategy", "rollingUpdate")
    surge = _part(rolling.get("maxSurge", "25%"), wanted, math.ceil)
    unavailable = _part(rolling.get("maxUnavailable", "25%"), wanted, math.floor)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, wanted)


def _part(given: Json, of: int, rounded: Callable[[float], int]) -> int:
    if isinstance(given, str):
        return rounded(int(given.rstrip("%")) * of / 100)
    return given if isinstance(given, int) else 0


def _uid(tree: Tree) -> str:
    return text(tree, "metadata", "uid")


def _size(tree: Tree) -> int:
    return number(tree, "spec", "replicas")


def _available(tree: Tree) -> int:
    return number(tree, "status", "availableReplicas")


def _desired(tree: Tree) -> int | None:
    found = text(mapping(tree, "metadata", "annotations"), _DESIRED)
    return int(found) if found else None
