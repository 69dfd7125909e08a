"""`kubectl rollout restart`, `pause` and `resume`: patches of a workload's spec.

A restart writes the time (whole seconds) into the template, so that the template is another: twice within a second is an
error, and so is a paused Deployment. While paused, changes gather and scaling works.

Sources: staging/src/k8s.io/kubectl/pkg/cmd/rollout/rollout_{restart,pause,resume}.go,
pkg/polymorphichelpers/object{restarter,pauser,resumer}.go.
"""

from __future__ import annotations

from chaoskube.models.kubectl.session import STRATEGIC, CommandFailed, Kubectl, Target, at
from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.times import time_text

MANAGER = "kubectl-rollout"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
RESTARTABLE = ("Deployment", "DaemonSet", "StatefulSet")


async def restart(kubectl: Kubectl, target: Target) -> None:
    """Have all pods replaced, as by a rolling update to the same template."""
    live = await kubectl.get(target)
    if live["kind"] not in RESTARTABLE:
        raise CommandFailed("restarting is not supported")
    if at(live, "spec", "paused"):
        raise CommandFailed("can't restart paused deployment (run rollout resume first)")
    now = time_text(kubectl.process.wall_ns())
    if at(live, "spec", "template", "metadata", "annotations", RESTARTED_AT) == now:
        raise CommandFailed(
            f"failed to create patch for {target.name}: if restart has already been triggered within the past "
            "second, please wait before attempting to trigger another"
        )
    patch: Tree = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}}}
    await kubectl.patch(target, patch, type=STRATEGIC, manager=MANAGER)


async def pause(kubectl: Kubectl, target: Target) -> None:
    """Stop rolling out."""
    if await _is_paused(kubectl, target):
        raise CommandFailed(f"{target} is already paused")
    await kubectl.patch(target, {"spec": {"paused": True}}, type=STRATEGIC, manager=MANAGER)


async def resume(kubectl: Kubectl, target: Target) -> None:
    """Roll out whatever gathered."""
    if not await _is_paused(kubectl, target):
        raise CommandFailed(f"{target} is not paused")
    await kubectl.patch(target, {"spec": {"paused": None}}, type=STRATEGIC, manager=MANAGER)


async def _is_paused(kubectl: Kubectl, target: Target) -> bool:
    live = await kubectl.get(target)
    if live["kind"] != "Deployment":
        raise CommandFailed(f"pausing and resuming is not supported for a {live['kind']}")
    return bool(at(live, "spec", "paused"))
