"""`kubectl expose`: a Service in front of a workload, a pod, or another Service.

The selector comes from the object, the ports from its containers unless they are given, labels are copied.
Sources: staging/src/k8s.io/kubectl/pkg/cmd/expose/expose.go, pkg/polymorphichelpers/{mapbasedselectorforobject,portsforobject}.go.
Not modelled: several protocols on one port.
"""

from __future__ import annotations

from collections.abc import Mapping

from chaoskube.models.kubectl.session import CommandFailed, Kubectl, Target, at
from chaoskube.models.kubectl.set_image import pod_spec
from chaoskube.models.objects.frozen import Tree

MANAGER = "kubectl-expose"


async def expose(
    kubectl: Kubectl,
    target: Target,
    *,
    port: int = 0,
    target_port: int | str = "",
    name: str = "",
    type: str = "",
    cluster_ip: str = "",
) -> Tree:
    """Create the Service, under the object's own name unless another is given."""
    live = await kubectl.get(target)
    ports = ports_of(live) if not port else ((port, "TCP"),)
    if not ports and cluster_ip != "None":
        raise CommandFailed("couldn't find port via --port flag or introspection")
    spec: Tree = {"selector": selector_of(live)}
    if ports:
        spec["ports"] = [
            {
                **({"name": f"port-{number}"} if len(ports) > 1 else {}),
                "port": each,
                "protocol": protocol,
                "targetPort": target_port or each,
            }
            for number, (each, protocol) in enumerate(ports, start=1)
        ]
    spec |= ({"type": type} if type else {}) | ({"clusterIP": cluster_ip} if cluster_ip else {})
    service: Tree = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name or target.name,
            "namespace": target.namespace,
            "labels": dict(at(live, "metadata", "labels") or {}),
        },
        "spec": spec,
    }
    return await kubectl.create(service, manager=MANAGER)


def selector_of(tree: Tree) -> Mapping[str, str]:
    """The labels by which the object finds its pods; expressions can't become a Service's selector."""
    kind = tree["kind"]
    if kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        selector = at(tree, "spec", "selector") or {}
        if selector.get("matchExpressions"):
            raise CommandFailed("couldn't convert expressions to map-based selector format")
        found = selector.get("matchLabels")
    elif kind == "Pod":
        found = at(tree, "metadata", "labels")
    elif kind in ("Service", "ReplicationController"):
        found = at(tree, "spec", "selector")
    else:
        raise CommandFailed(f"cannot expose a {kind}")
    if not found:
        raise CommandFailed(f"the {kind} has no labels or selector and cannot be exposed")
    return dict(found)


def ports_of(tree: Tree) -> tuple[tuple[int, str], ...]:
    """The ports that its containers (a Service's own) name."""
    if tree["kind"] == "Service":
        named = at(tree, "spec", "ports") or ()
        return tuple([(one["port"], one.get("protocol", "TCP")) for one in named])
    containers = pod_spec(tree)["containers"]
    ports = [one for container in containers for one in container.get("ports", ())]
    return tuple([(one["containerPort"], one.get("protocol", "TCP")) for one in ports])
