"""`kubectl scale`: the wanted number of replicas, through the scale subresource.

Without preconditions a patch that names no version: the last writer wins. With --current-replicas or --resource-version it
reads, checks and puts, and tries again after a conflict, a second apart, for five minutes.

Source: staging/src/k8s.io/kubectl/pkg/scale/scale.go, pkg/cmd/scale/scale.go.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.client.api import is_conflict
from chaoskube.models.kubectl.session import MERGE, CommandFailed, Kubectl, Target, at
from chaoskube.models.objects.frozen import Tree
from chaoskube.sim import SECOND, Refused

RETRY_NS = 1 * SECOND
RETRY_TIMEOUT_NS = 300 * SECOND


@frozen(kw_only=True)
class ScalePrecondition:
    """What must be true for the scale to happen; None and "" ask for nothing."""

    replicas: int | None = None
    resource_version: str = ""

    def check(self, scale: Tree) -> None:
        """Raises CommandFailed when it isn't met."""
        replicas = at(scale, "spec", "replicas") or 0
        version = str(at(scale, "metadata", "resourceVersion") or "")
        if self.replicas is not None and replicas != self.replicas:
            raise CommandFailed(f"Expected replicas to be {self.replicas}, was {replicas}")
        if self.resource_version and version != self.resource_version:
            raise CommandFailed(f"Expected resource version to be {self.resource_version}, was {version}")


async def scale(
    kubectl: Kubectl,
    target: Target,
    replicas: int,
    *,
    precondition: ScalePrecondition | None = None,
    timeout_ns: int = 0,
) -> None:
    """Ask for so many replicas; with a time-out, wait until there are so many."""
    if precondition is None:
        patch = {"spec": {"replicas": replicas}}
        await kubectl.patch(target, patch, type=MERGE, subresource="scale")
    else:
        await _checked(kubectl, target, replicas, precondition)
    if timeout_ns:
        await _wait(kubectl, target, replicas, timeout_ns)


async def _checked(kubectl: Kubectl, target: Target, replicas: int, precondition: ScalePrecondition) -> None:
    deadline = kubectl.process.now + RETRY_TIMEOUT_NS
    while True:
        current = await kubectl.get(target, subresource="scale")
        precondition.check(current)
        current.setdefault("spec", {})["replicas"] = replicas
        try:
            await kubectl.replace(target, current, subresource="scale")
            return
        except Refused as refused:
            if not is_conflict(refused) or kubectl.process.now + RETRY_NS > deadline:
                raise
        await kubectl.process.sleep(RETRY_NS)


async def _wait(kubectl: Kubectl, target: Target, replicas: int, timeout_ns: int) -> None:
    deadline = kubectl.process.now + timeout_ns
    while True:
        current = await kubectl.get(target, subresource="scale")
        wanted, there = at(current, "spec", "replicas") or 0, at(current, "status", "replicas") or 0
        if wanted != replicas or wanted == there:
            return
        if kubectl.process.now + RETRY_NS > deadline:
            raise CommandFailed(f'timed out waiting for "{target.name}" to be synced')
        await kubectl.process.sleep(RETRY_NS)
