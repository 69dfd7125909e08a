"""What the API server fills in when it decodes an object, on plain JSON trees.

Sources: pkg/apis/core/v1/defaults.go, pkg/apis/apps/v1/defaults.go, pkg/apis/batch/v1/defaults.go,
pkg/apis/discovery/v1/defaults.go, pkg/apis/scheduling/v1/defaults.go; and what Go's encoder makes of absent structs (`resources: {}`, `status: {}`).

`default` also does what decoding into Go structs does: null and empty values that mean absent go, quantities are
written in their canonical form. Called by the API server at its door, before validation.
Not modelled: defaults of kinds that have neither a class here nor a pod template; admission's and strategy's
defaults (tolerations, priority, clusterIP, phase) belong to the API server's own room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from chaoskube.models.objects.codec import decode, encode
from chaoskube.models.objects.config import Namespace
from chaoskube.models.objects.frozen import Tree
from chaoskube.models.objects.kinds import TYPED, class_of
from chaoskube.models.objects.lease import Lease
from chaoskube.models.objects.meta import KubeObject
from chaoskube.models.objects.node import Node
from chaoskube.models.objects.quantity import Quantity
from chaoskube.models.objects.service import EndpointSlice


def default(tree: Mapping[str, Any]) -> Tree:
    """The object with its defaults, tidied as Go would; the tree given stays as it is."""
    obj = decode(tree)
    result = encode(obj, carried=False)
    if class_of(obj.api_version, obj.kind) is None:
        result = encode(obj)
    fill = _DEFAULTS.get((obj.api_version, obj.kind))
    if fill is not None:
        fill(result)
    return result


def is_filled(cls: type[KubeObject]) -> bool:
    """Whether defaults matter to an object of this class that a component made itself: the others come whole."""
    return cls in _FILLED


def default_template(template: Tree) -> None:
    """Fill in a pod template, in place."""
    template.setdefault("metadata", {})
    default_pod_spec(template.setdefault("spec", {}))


def default_pod_spec(spec: Tree) -> None:
    """Fill in the spec of a pod or of a template, in place."""
    for name, value in _POD_SPEC.items():
        spec.setdefault(name, value)
    spec.setdefault("securityContext", {})
    if spec.get("serviceAccountName") and not spec.get("serviceAccount"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount") and not spec.get("serviceAccountName"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for volume in _items(spec, "volumes"):
        _volume(volume)
    for container in (*_items(spec, "initContainers"), *_items(spec, "containers")):
        _container(container, host_network=bool(spec.get("hostNetwork")))
    for name in ("overhead",):
        _canonical(spec.get(name))
    for name in ("requests", "limits"):
        _canonical(spec.get("resources", {}).get(name))


_POD_SPEC: Final[Mapping[str, Any]] = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
}
_PROBE: Final[Mapping[str, int]] = {
    "timeoutSeconds": 1,
    "periodSeconds": 10,
    "successThreshold": 1,
    "failureThreshold": 3,
}
_VOLUME_SOURCES: Final[Mapping[str, Mapping[str, Any]]] = {
    "configMap": {"defaultMode": 420},
    "secret": {"defaultMode": 420},
    "downwardAPI": {"defaultMode": 420},
    "projected": {"defaultMode": 420},
    "hostPath": {"type": ""},
}


def _container(container: Tree, *, host_network: bool) -> None:
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    if "imagePullPolicy" not in container:
        container["imagePullPolicy"] = pull_policy(container.get("image", ""))
    for port in _items(container, "ports"):
        port.setdefault("protocol", "TCP")
        if host_network and port.get("containerPort"):
            port.setdefault("hostPort", port["containerPort"])
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _probe(container[name])
    for hook in container.get("lifecycle", {}).values():
        if isinstance(hook, dict):
            _http_get(hook)
    for name in ("requests", "limits"):
        _canonical(container["resources"].get(name))
    for variable in _items(container, "env"):
        source = variable.get("valueFrom", {}).get("fieldRef")
        if source is not None:
            source.setdefault("apiVersion", "v1")


def pull_policy(image: str) -> str:
    """Always for an image without a tag or with :latest, else IfNotPresent (parsers.ParseImageName)."""
    name, at, _ = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if tag == "latest" or not tag and not at:
        return "Always"
    return "IfNotPresent"


def _probe(probe: Tree) -> None:
    for name, value in _PROBE.items():
        probe.setdefault(name, value)
    _http_get(probe)
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")


def _http_get(handler: Tree) -> None:
    if "httpGet" in handler:
        handler["httpGet"].setdefault("path", "/")
        handler["httpGet"].setdefault("scheme", "HTTP")


def _volume(volume: Tree) -> None:
    if not any(isinstance(source, dict) for source in volume.values()):
        volume["emptyDir"] = {}
    for name, values in _VOLUME_SOURCES.items():
        if isinstance(volume.get(name), dict):
            for field, value in values.items():
                volume[name].setdefault(field, value)
    for source in _items(volume.get("projected", {}), "sources"):
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    for holder in (volume.get("downwardAPI", {}), *_items(volume.get("projected", {}), "sources")):
        for item in _items(holder.get("downwardAPI", holder), "items"):
            if "fieldRef" in item:
                item["fieldRef"].setdefault("apiVersion", "v1")


def _canonical(amounts: Tree | None) -> None:
    for name, value in (amounts or {}).items():
        amounts[name] = Quantity(value).canonical()  # type: ignore[index]  # amounts has items here


def _pod(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    default_pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    for container in (*_items(spec, "initContainers"), *_items(spec, "containers")):
        resources = container["resources"]
        for name, amount in resources.get("limits", {}).items():
            resources.setdefault("requests", {}).setdefault(name, amount)
    tree.setdefault("status", {})


def _deployment(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    default_template(spec.setdefault("template", {}))
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    tree.setdefault("status", {})


def _replica_set(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    default_template(spec.setdefault("template", {}))
    tree.setdefault("status", {}).setdefault("replicas", 0)


def _service(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    if spec.setdefault("sessionAffinity", "None") == "ClientIP":
        spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {}).setdefault(
            "timeoutSeconds", 10800
        )
    kind = spec.setdefault("type", "ClusterIP")
    for port in _items(spec, "ports"):
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port", 0)
    if kind in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    tree.setdefault("status", {}).setdefault("loadBalancer", {})


def _endpoint_slice(tree: Tree) -> None:
    for port in tree.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")
    for endpoint in tree.get("endpoints") or ():
        endpoint.setdefault("conditions", {})


def _node(tree: Tree) -> None:
    tree.setdefault("spec", {})
    status = tree.setdefault("status", {})
    _canonical(status.get("capacity"))
    _canonical(status.get("allocatable"))
    if "allocatable" not in status and status.get("capacity"):
        status["allocatable"] = dict(status["capacity"])
    status.setdefault("daemonEndpoints", {}).setdefault("kubeletEndpoint", {}).setdefault("Port", 0)
    info = status.setdefault("nodeInfo", {})
    for name in _NODE_INFO:
        info.setdefault(name, "")


_NODE_INFO: Final = (
    "machineID",
    "systemUUID",
    "bootID",
    "kernelVersion",
    "osImage",
    "containerRuntimeVersion",
    "kubeletVersion",
    "kubeProxyVersion",
    "operatingSystem",
    "architecture",
)


def _namespace(tree: Tree) -> None:
    metadata = tree.setdefault("metadata", {})
    if metadata.get("name"):
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]
    tree.setdefault("spec", {})
    tree.setdefault("status", {})


def _lease(tree: Tree) -> None:
    tree.setdefault("spec", {})


def _stateful_set(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    default_template(spec.setdefault("template", {}))
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    for name in ("replicas", "availableReplicas"):
        tree.setdefault("status", {}).setdefault(name, 0)


def _daemon_set(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    default_template(spec.setdefault("template", {}))
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    for name in ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"):
        tree.setdefault("status", {}).setdefault(name, 0)


def _priority_class(tree: Tree) -> None:
    tree.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _items(tree: Tree, name: str) -> Iterable[Tree]:
    return [item for item in tree.get(name) or () if isinstance(item, dict)]


_DEFAULTS: Final[Mapping[tuple[str, str], Callable[[Tree], None]]] = {
    ("v1", "Pod"): _pod,
    ("v1", "Service"): _service,
    ("v1", "Node"): _node,
    ("v1", "Namespace"): _namespace,
    ("apps/v1", "Deployment"): _deployment,
    ("apps/v1", "ReplicaSet"): _replica_set,
    ("apps/v1", "StatefulSet"): _stateful_set,
    ("apps/v1", "DaemonSet"): _daemon_set,
    ("discovery.k8s.io/v1", "EndpointSlice"): _endpoint_slice,
    ("coordination.k8s.io/v1", "Lease"): _lease,
    ("scheduling.k8s.io/v1", "PriorityClass"): _priority_class,
}
_WHOLE: Final = (
    EndpointSlice,
    Lease,
    Namespace,
    Node,
)  # what components write themselves, often, and complete
_FILLED: Final[frozenset[type[KubeObject]]] = frozenset(
    cls for identity, cls in TYPED.items() if identity in _DEFAULTS and cls not in _WHOLE
)
