"""`kubectl rollout status`: what a workload's status says of its rollout, and waiting until it is done.

Deployment: observed, all new, none old left, all of them available; a progress deadline that was exceeded is an error.
DaemonSet and StatefulSet: only for rolling updates; a partition counts as done when its part is new.

Sources: staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go, pkg/cmd/rollout/rollout_status.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from chaoskube.models.kubectl.session import CommandFailed, Kubectl, Target, at
from chaoskube.models.kubectl.wait import FOREVER_NS, wait_until
from chaoskube.models.objects import KubeObject, encode

REVISION = "deployment.kubernetes.io/revision"


@frozen
class RolloutStatus:
    """Whether it is done, and the line that kubectl prints."""

    is_done: bool
    words: str


async def rollout_status(
    kubectl: Kubectl, target: Target, *, revision: int = 0, timeout_ns: int = FOREVER_NS
) -> RolloutStatus:
    """Wait until the rollout is done; raises CommandFailed when it can't be, or time runs out."""
    last = RolloutStatus(False, "")
    was_seen = False

    def check(obj: KubeObject | None) -> bool:
        nonlocal last, was_seen
        if obj is None:
            raise CommandFailed("object has been deleted" if was_seen else f"{target} not found")
        was_seen = True
        last = status_of(encode(obj), revision)
        return last.is_done

    await wait_until(kubectl, target, check, timeout_ns=timeout_ns)
    return last


def status_of(tree: Mapping[str, Any], revision: int = 0) -> RolloutStatus:
    """What the object says of its rollout. CommandFailed when it says that it failed."""
    view = _VIEWS.get(tree["kind"])
    if view is None:
        raise CommandFailed(f"no status viewer has been implemented for {tree['kind']}")
    if tree["kind"] == "Deployment" and revision > 0:
        running = int((at(tree, "metadata", "annotations") or {}).get(REVISION, 0))
        if running != revision:
            raise CommandFailed(
                f"desired revision ({revision}) is different from the running revision ({running})"
            )
    return view(tree)


def _deployment(tree: Mapping[str, Any]) -> RolloutStatus:
    name, status = tree["metadata"]["name"], tree.get("status") or {}
    if _number(tree, "metadata", "generation") > status.get("observedGeneration", 0):
        return RolloutStatus(False, "Waiting for deployment spec update to be observed...")
    for condition in status.get("conditions", ()):
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            raise CommandFailed(f'deployment "{name}" exceeded its progress deadline')
    wanted = at(tree, "spec", "replicas")
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    if wanted is not None and updated < wanted:
        return RolloutStatus(False, f"{waiting}{updated} out of {wanted} new replicas have been updated...")
    if total > updated:
        return RolloutStatus(False, f"{waiting}{total - updated} old replicas are pending termination...")
    available = status.get("availableReplicas", 0)
    if available < updated:
        return RolloutStatus(False, f"{waiting}{available} of {updated} updated replicas are available...")
    return RolloutStatus(True, f'deployment "{name}" successfully rolled out')


def _daemon_set(tree: Mapping[str, Any]) -> RolloutStatus:
    _needs_rolling_update(tree)
    name, status = tree["metadata"]["name"], tree.get("status") or {}
    if _number(tree, "metadata", "generation") > status.get("observedGeneration", 0):
        return RolloutStatus(False, "Waiting for daemon set spec update to be observed...")
    wanted = status.get("desiredNumberScheduled", 0)
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    waiting = f'Waiting for daemon set "{name}" rollout to finish: '
    if updated < wanted:
        return RolloutStatus(False, f"{waiting}{updated} out of {wanted} new pods have been updated...")
    if available < wanted:
        return RolloutStatus(False, f"{waiting}{available} of {wanted} updated pods are available...")
    return RolloutStatus(True, f'daemon set "{name}" successfully rolled out')


def _stateful_set(tree: Mapping[str, Any]) -> RolloutStatus:
    _needs_rolling_update(tree)
    status = tree.get("status") or {}
    observed = status.get("observedGeneration", 0)
    if observed == 0 or _number(tree, "metadata", "generation") > observed:
        return RolloutStatus(False, "Waiting for statefulset spec update to be observed...")
    wanted, updated = at(tree, "spec", "replicas"), status.get("updatedReplicas", 0)
    ready = status.get("readyReplicas", 0)
    if wanted is not None and ready < wanted:
        return RolloutStatus(False, f"Waiting for {wanted - ready} pods to be ready...")
    rolling = at(tree, "spec", "updateStrategy", "rollingUpdate")
    if rolling is not None:
        part = (wanted or 0) - (rolling.get("partition") or 0)
        if wanted is not None and rolling.get("partition") is not None and updated < part:
            return RolloutStatus(
                False,
                f"Waiting for partitioned roll out to finish: {updated} out of {part} new pods have been updated...",
            )
        return RolloutStatus(True, f"partitioned roll out complete: {updated} new pods have been updated...")
    newest, current = status.get("updateRevision", ""), status.get("currentRevision", "")
    if newest != current:
        return RolloutStatus(
            False,
            f"waiting for statefulset rolling update to complete {updated} pods at revision {newest}...",
        )
    pods = status.get("currentReplicas", 0)
    return RolloutStatus(True, f"statefulset rolling update complete {pods} pods at revision {current}...")


def _needs_rolling_update(tree: Mapping[str, Any]) -> None:
    if at(tree, "spec", "updateStrategy", "type") != "RollingUpdate":
        raise CommandFailed("rollout status is only available for RollingUpdate strategy type")


def _number(tree: Mapping[str, Any], *path: str) -> int:
    return int(at(tree, *path) or 0)


_VIEWS: dict[str, Callable[[Mapping[str, Any]], RolloutStatus]] = {
    "Deployment": _deployment,
    "DaemonSet": _daemon_set,
    "StatefulSet": _stateful_set,
}
