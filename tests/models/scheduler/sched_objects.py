"""Pods and nodes in a few words, for the tests of this room."""

from __future__ import annotations

from typing import Any

from chaoskube.models.objects import Node, Pod, decode


def pod(
    name: str, *, uid: str = "", node: str = "", labels: dict[str, str] | None = None, **spec: Any
) -> Pod:
    """A pod in namespace default; `cpu` and `memory` are its only container's requests."""
    requests = {key: spec.pop(key) for key in ("cpu", "memory") if key in spec}
    containers = spec.pop("containers", [{"name": "app", "resources": {"requests": requests}}])
    if node:
        spec["nodeName"] = node
    found = decode(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": uid or f"uid-{name}",
                "labels": labels or {},
            },
            "spec": {"containers": containers, **spec},
        }
    )
    assert isinstance(found, Pod), found
    return found


def node(name: str, *, cpu: str = "4", memory: str = "8Gi", zone: str = "", **spec: Any) -> Node:
    """A node with room for 110 pods."""
    amounts = {"cpu": cpu, "memory": memory, "pods": "110"}
    labels = {"kubernetes.io/hostname": name, **({"topology.kubernetes.io/zone": zone} if zone else {})}
    found = decode(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": spec,
            "status": {"capacity": amounts, "allocatable": amounts},
        }
    )
    assert isinstance(found, Node), found
    return found
