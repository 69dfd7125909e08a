"""`kubectl set image`: new images for the containers of a workload, by a strategic patch of the difference.

Source: staging/src/k8s.io/kubectl/pkg/cmd/set/set_image.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from chaoskube.models.kubectl.session import STRATEGIC, CommandFailed, Kubectl, Target
from chaoskube.models.objects import thaw
from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.patch_diff import two_way_strategic_diff

MANAGER = "kubectl-set"
ALL = "*"
FIRST = ""


async def set_image(kubectl: Kubectl, target: Target, images: Mapping[str, str]) -> None:
    """Give containers new images, by their names; `*` means all, "" the first (ours: whoever names no container)."""
    live = await kubectl.get(target)
    wanted: Tree = thaw(live)
    _change(pod_spec(wanted), images)
    patch = two_way_strategic_diff(live, wanted)
    if patch:
        await kubectl.patch(target, patch, type=STRATEGIC, manager=MANAGER)


def pod_spec(tree: Tree) -> Tree:
    """The spec of the pods that a workload makes; a pod's own."""
    spec: Tree = tree["spec"]
    if tree["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    found: Tree = spec["template"]["spec"] if "template" in spec else spec
    return found


def _change(spec: Tree, images: Mapping[str, str]) -> None:
    containers = [*spec.get("initContainers", ()), *spec["containers"]]
    for name, image in images.items():
        meant = [one for one in containers if name in (ALL, one["name"])]
        if name == FIRST:
            meant = spec["containers"][:1]
        if not meant:
            raise CommandFailed(f'unable to find container named "{name}"')
        for container in meant:
            container["image"] = image
