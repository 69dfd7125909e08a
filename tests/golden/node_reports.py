"""What the stand-in kubelet says about its nodes: registration, leases, the Ready condition.

The words are those of the recordings' fake kubelet. Who calls it: `stand_in_kubelet`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from .trees import Json, Tree, mapping, text

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def node_object(shape: Tree) -> Tree:
    """The Node for a node of the recording's meta line, with the annotation that the TTL controller adds to all."""
    name = text(shape, "name")
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        **mapping(shape, "labels"),
    }
    spec: dict[str, Json] = {"taints": shape["taints"]} if shape.get("taints") else {}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": spec,
    }


def node_status(shape: Tree, ip: str, wall_ns: int) -> Tree:
    """A healthy node's status."""
    amounts: dict[str, Json] = {
        "cpu": text(shape, "cpu") or "4",
        "memory": text(shape, "memory") or "8Gi",
        "pods": text(shape, "pods") or "110",
        "ephemeral-storage": "100Gi",
        **mapping(shape, "extra"),
    }
    return {
        "capacity": amounts,
        "allocatable": amounts,
        "conditions": node_conditions(wall_ns),
        "addresses": [
            {"type": "InternalIP", "address": ip},
            {"type": "Hostname", "address": text(shape, "name")},
        ],
        "nodeInfo": {
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
            "kernelVersion": "fake",
            "osImage": "fake",
            "containerRuntimeVersion": "fake://0",
            "kubeletVersion": "v1.36.2",
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": "amd64",
        },
    }


def node_conditions(wall_ns: int) -> list[Json]:
    """All is well, as of now."""
    now = stamp(wall_ns)
    return [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        for kind, status, reason, message in _CONDITIONS
    ]


def lease_object(name: str, wall_ns: int) -> Tree:
    """A node's lease, renewed now."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro_stamp(wall_ns)},
    }


def stamp(wall_ns: int) -> str:
    """A metav1.Time."""
    return datetime.fromtimestamp(wall_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(wall_ns: int) -> str:
    """A metav1.MicroTime."""
    micros = wall_ns // 1000
    whole = datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{micros % 1_000_000:06d}Z"
