"""`kubectl autoscale`: a HorizontalPodAutoscaler for something that can be scaled.

Source: staging/src/k8s.io/kubectl/pkg/cmd/autoscale/autoscale.go.
"""

from __future__ import annotations

from chaoskube.models.kubectl.session import CommandFailed, Kubectl, Target
from chaoskube.models.objects.frozen import Tree

MANAGER = "kubectl-autoscale"


async def autoscale(
    kubectl: Kubectl,
    target: Target,
    *,
    maximum: int,
    minimum: int = 0,
    cpu_percent: int = 0,
    name: str = "",
) -> Tree:
    """Create the autoscaler, under the target's name unless another is given."""
    if maximum < 1:
        raise CommandFailed("--max=MAXPODS is required and must be at least 1")
    if maximum < minimum:
        raise CommandFailed(
            f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {maximum}, min: {minimum}"
        )
    live = await kubectl.get(target)
    resource = kubectl.resources.resource_of(target.resource)
    spec: Tree = {
        "scaleTargetRef": {"apiVersion": resource.api_version, "kind": resource.kind, "name": target.name},
        "maxReplicas": maximum,
    }
    if minimum > 0:
        spec["minReplicas"] = minimum
    if cpu_percent > 0:
        utilization = {"type": "Utilization", "averageUtilization": cpu_percent}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": utilization}}]
    scaler: Tree = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name or live["metadata"]["name"], "namespace": target.namespace},
        "spec": spec,
    }
    return await kubectl.create(scaler, manager=MANAGER)
