"""Objects to begin with: what a real server returned (tests/models/objects/data), and a small one of every other kind.

Called by `requests.py`, which spoils copies of them, and by `server.py`, which stores some of them first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from chaoskube.models.objects.resources import Resource, resources

Tree = dict[str, Any]
RECORDED: Final = Path(__file__).parents[1] / "models" / "objects" / "data" / "objects.jsonl"
_POD_SPEC: Final[Tree] = {"containers": [{"name": "app", "image": "registry.example/app:v1"}]}
_TEMPLATE: Final[Tree] = {"metadata": {"labels": {"app": "web"}}, "spec": _POD_SPEC}
_SELECTOR: Final[Tree] = {"matchLabels": {"app": "web"}}
_RULES: Final = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
_WEBHOOK: Final[Tree] = {
    "name": "check.example.com",
    "clientConfig": {"url": "https://check.example.com/"},
    "rules": [
        {"apiGroups": ["none.example"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["x"]}
    ],
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "timeoutSeconds": 1,
    "failurePolicy": "Ignore",
}
GADGETS: Final[Tree] = {
    "group": "fuzz.example",
    "scope": "Namespaced",
    "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
    "versions": [
        {
            "name": "v1",
            "served": True,
            "storage": True,
            "subresources": {
                "status": {},
                "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
            },
            "schema": {
                "openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": {
                            "type": "object",
                            "required": ["size"],
                            "properties": {
                                "size": {"type": "integer", "minimum": 1, "maximum": 9},
                                "replicas": {"type": "integer", "default": 2},
                                "mode": {"type": "string", "enum": ["a", "b"], "nullable": True},
                                "port": {"x-kubernetes-int-or-string": True},
                                "label": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 8},
                                "ratio": {"type": "number"},
                                "parts": {
                                    "type": "array",
                                    "maxItems": 5,
                                    "x-kubernetes-list-type": "map",
                                    "x-kubernetes-list-map-keys": ["name"],
                                    "items": {
                                        "type": "object",
                                        "required": ["name"],
                                        "properties": {"name": {"type": "string"}, "on": {"type": "boolean"}},
                                    },
                                },
                                "tags": {
                                    "type": "array",
                                    "x-kubernetes-list-type": "set",
                                    "items": {"type": "string"},
                                },
                                "more": {"type": "object", "additionalProperties": {"type": "string"}},
                            },
                        },
                        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    },
                }
            },
        }
    ],
}
BOXES: Final[Tree] = {
    "group": "fuzz.example",
    "scope": "Cluster",
    "names": {"plural": "boxes", "singular": "box", "kind": "Box"},
    "versions": [
        {
            "name": name,
            "served": True,
            "storage": name == "v1",
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        }
        for name in ("v1", "v2beta1")
    ],
}
SMALL: Final[Mapping[str, Tree]] = {
    "APIService": {
        "spec": {"group": "g.example", "version": "v1", "groupPriorityMinimum": 10, "versionPriority": 10}
    },
    "Binding": {"target": {"kind": "Node", "name": "node-1"}},
    "CertificateSigningRequest": {
        "spec": {
            "request": "YQ==",
            "signerName": "kubernetes.io/kubelet-serving",
            "usages": ["digital signature"],
        }
    },
    "ClusterRole": {"rules": _RULES},
    "ClusterRoleBinding": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}],
    },
    "ConfigMap": {"data": {"a": "1", "b": "2"}, "binaryData": {"c": "aGVsbG8="}},
    "ControllerRevision": {"data": {"spec": {"x": 1}}, "revision": 1},
    "CronJob": {
        "spec": {
            "schedule": "*/5 * * * *",
            "jobTemplate": {"spec": {"template": {"spec": {**_POD_SPEC, "restartPolicy": "Never"}}}},
        }
    },
    "CSIDriver": {"spec": {"attachRequired": True}},
    "CSINode": {"spec": {"drivers": []}},
    "CSIStorageCapacity": {"storageClassName": "fast", "capacity": "1Gi"},
    "CustomResourceDefinition": {"spec": GADGETS},
    "DaemonSet": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "Deployment": {"spec": {"replicas": 2, "selector": _SELECTOR, "template": _TEMPLATE}},
    "Endpoints": {
        "subsets": [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80, "protocol": "TCP"}]}]
    },
    "EndpointSlice": {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.2.3"], "conditions": {"ready": True}}],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
    },
    "Event": {
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
        "reason": "Tested",
        "message": "words",
        "type": "Normal",
    },
    "HorizontalPodAutoscaler": {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 3,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
                }
            ],
        }
    },
    "Ingress": {
        "spec": {
            "rules": [
                {
                    "host": "a.example",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "web", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
            ]
        }
    },
    "IngressClass": {"spec": {"controller": "example.com/ingress"}},
    "IPAddress": {"spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "web"}}},
    "Job": {"spec": {"completions": 2, "template": {"spec": {**_POD_SPEC, "restartPolicy": "Never"}}}},
    "Lease": {
        "spec": {
            "holderIdentity": "me",
            "leaseDurationSeconds": 15,
            "renewTime": "2026-01-01T00:00:00.000000Z",
        }
    },
    "LimitRange": {
        "spec": {"limits": [{"type": "Container", "default": {"cpu": "500m"}, "max": {"cpu": "2"}}]}
    },
    "MutatingWebhookConfiguration": {"webhooks": [_WEBHOOK]},
    "Namespace": {},
    "NetworkPolicy": {
        "spec": {
            "podSelector": _SELECTOR,
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": _SELECTOR}], "ports": [{"port": 80, "protocol": "TCP"}]}],
        }
    },
    "Node": {"spec": {"podCIDR": "10.2.0.0/24", "taints": [{"key": "a", "effect": "NoSchedule"}]}},
    "PersistentVolume": {
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/tmp/x"},
            "persistentVolumeReclaimPolicy": "Retain",
        }
    },
    "PersistentVolumeClaim": {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    },
    "Pod": {"spec": _POD_SPEC},
    "PodDisruptionBudget": {"spec": {"minAvailable": 1, "selector": _SELECTOR}},
    "PodTemplate": {"template": _TEMPLATE},
    "PriorityClass": {"value": 1000},
    "ReplicaSet": {"spec": {"replicas": 1, "selector": _SELECTOR, "template": _TEMPLATE}},
    "ReplicationController": {"spec": {"replicas": 1, "selector": {"app": "web"}, "template": _TEMPLATE}},
    "ResourceQuota": {"spec": {"hard": {"count/leases.coordination.k8s.io": "900"}}},
    "Role": {"rules": _RULES},
    "RoleBinding": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
    },
    "RuntimeClass": {"handler": "runc"},
    "Secret": {"data": {"password": "aHVudGVyMg=="}, "type": "Opaque"},
    "Service": {"spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}},
    "ServiceAccount": {},
    "StatefulSet": {
        "spec": {
            "replicas": 2,
            "serviceName": "web",
            "selector": _SELECTOR,
            "template": _TEMPLATE,
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                }
            ],
        }
    },
    "StorageClass": {"provisioner": "example.com/disk"},
    "ValidatingWebhookConfiguration": {"webhooks": [_WEBHOOK]},
    "VolumeAttachment": {
        "spec": {"attacher": "example.com", "nodeName": "node-1", "source": {"persistentVolumeName": "pv"}}
    },
    "Gadget": {"spec": {"size": 3, "parts": [{"name": "a", "on": True}], "tags": ["x"], "more": {"k": "v"}}},
    "Box": {"spec": {"anything": {"goes": [1, 2.5, None, "x"]}}, "loose": True},
}
NAMES: Final[Mapping[str, str]] = {"CustomResourceDefinition": "gadgets.fuzz.example"}


@cache
def seeds() -> Mapping[str, tuple[Tree, ...]]:
    """By kind: the small one, then the recorded ones (without what a server fills in)."""
    found: dict[str, list[Tree]] = {kind: [tree] for kind, tree in SMALL.items()}
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        tree = json.loads(line)
        found.setdefault(tree["kind"], []).append(
            {name: value for name, value in tree.items() if name not in ("kind", "apiVersion", "metadata")}
            | {"labels": tree["metadata"].get("labels", {})}
        )
    return {kind: tuple(trees) for kind, trees in found.items()}


def custom_resources() -> tuple[Resource, ...]:
    """The resources that the two definitions add."""
    gadgets = Resource(
        plural="gadgets",
        kind="Gadget",
        api_version="fuzz.example/v1",
        namespaced=True,
        has_status=True,
        has_scale=True,
    )
    boxes = [
        Resource(plural="boxes", kind="Box", api_version=f"fuzz.example/{version}", namespaced=False)
        for version in ("v1", "v2beta1")
    ]
    return (gadgets, *boxes)


@cache
def targets() -> tuple[Resource, ...]:
    """Every resource that requests are made about."""
    return (*resources(), *custom_resources())


_NEWER_NAMES: Final = {"involvedObject": "regarding", "message": "note"}


def new_object(resource: Resource, place: int, name: str, namespace: str) -> Tree:
    """A valid object of this resource (the first of its kind's seeds, or another)."""
    of_kind = seeds().get(resource.kind, ({},))
    content = json.loads(json.dumps(of_kind[place % len(of_kind)]))
    metadata: Tree = {"name": name}
    if resource.namespaced:
        metadata["namespace"] = namespace
    labels = content.pop("labels", None)
    if labels:
        metadata["labels"] = labels
    if resource.api_version == "events.k8s.io/v1":
        content = {_NEWER_NAMES.get(name, name): value for name, value in content.items()}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **content}
