"""What the API server fills in of pods, on plain JSON trees: containers, probes, ports, volumes.

Source: pkg/apis/core/v1/defaults.go. Called by the other defaults_*.py, for pods and for templates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from chaoskube.models.objects.frozen import Tree


def fill_pod(tree: Tree) -> None:
    """A Pod."""
    spec = tree.setdefault("spec", {})
    default_pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    for container in (*items_of(spec, "initContainers"), *items_of(spec, "containers")):
        resources = container["resources"]
        for name, amount in resources.get("limits", {}).items():
            resources.setdefault("requests", {}).setdefault(name, amount)
    tree.setdefault("status", {})


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
    for volume in items_of(spec, "volumes"):
        _volume(volume)
    for container in (*items_of(spec, "initContainers"), *items_of(spec, "containers")):
        _container(container, host_network=bool(spec.get("hostNetwork")))


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
    for port in items_of(container, "ports"):
        port.setdefault("protocol", "TCP")
        if host_network and port.get("containerPort"):
            port.setdefault("hostPort", port["containerPort"])
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _probe(container[name])
    for hook in container.get("lifecycle", {}).values():
        if isinstance(hook, dict):
            _http_get(hook)
    for variable in items_of(container, "env"):
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
    for source in items_of(volume.get("projected", {}), "sources"):
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
    for holder in (volume.get("downwardAPI", {}), *items_of(volume.get("projected", {}), "sources")):
        for item in items_of(holder.get("downwardAPI", holder), "items"):
            if "fieldRef" in item:
                item["fieldRef"].setdefault("apiVersion", "v1")


def items_of(tree: Tree, name: str) -> Iterable[Tree]:
    """The structs in a list that may not be there."""
    return [item for item in tree.get(name) or () if isinstance(item, dict)]
