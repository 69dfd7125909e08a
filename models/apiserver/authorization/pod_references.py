"""The secrets, config maps and claims that a pod uses, by name. Pure.

Sources: pkg/api/v1/pod/util.go (VisitPodSecretNames, VisitPodConfigmapNames), plugin/pkg/auth/authorizer/node/graph.go.
Called by the node authorizer. Not modelled: secrets of volume plug-ins (ceph, iscsi, ...).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chaoskube.models.objects import Pod, encode

SECRETS = "secrets"
CONFIG_MAPS = "configmaps"
CLAIMS = "persistentvolumeclaims"


def names_in(pod: Pod, resource: str) -> frozenset[str]:
    """The names of that resource that the pod's volumes and containers refer to."""
    spec: Mapping[str, Any] = encode(pod).get("spec") or {}
    found = [*_in_volumes(spec, resource), *_in_containers(spec, resource)]
    if resource == SECRETS:
        found += [one.get("name", "") for one in spec.get("imagePullSecrets") or ()]
    return frozenset([name for name in found if name])


def _in_volumes(spec: Mapping[str, Any], resource: str) -> Iterator[str]:
    for volume in spec.get("volumes") or ():
        if resource == CLAIMS:
            yield (volume.get("persistentVolumeClaim") or {}).get("claimName", "")
        elif resource == SECRETS:
            yield (volume.get("secret") or {}).get("secretName", "")
        else:
            yield (volume.get("configMap") or {}).get("name", "")
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield _named(source, resource, "secret", "configMap")


def _in_containers(spec: Mapping[str, Any], resource: str) -> Iterator[str]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            for variable in container.get("env") or ():
                yield _named(variable.get("valueFrom") or {}, resource, "secretKeyRef", "configMapKeyRef")
            for source in container.get("envFrom") or ():
                yield _named(source, resource, "secretRef", "configMapRef")


def _named(tree: Mapping[str, Any], resource: str, secret: str, config_map: str) -> str:
    field = {SECRETS: secret, CONFIG_MAPS: config_map}.get(resource, "")
    return str((tree.get(field) or {}).get("name", "")) if field else ""
