"""What the API server fills in of all kinds but pods and workloads, on plain JSON trees.

Sources: pkg/apis/{core,discovery,networking,policy,rbac,scheduling,storage,admissionregistration}/v1/defaults.go,
staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/defaults.go. Called by `defaults.py`.

Not modelled: defaults of the sources of a PersistentVolume, but for the type of a hostPath.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final

from chaoskube.models.objects.defaults_pod import items_of
from chaoskube.models.objects.frozen import Tree

RBAC_GROUP: Final = "rbac.authorization.k8s.io"


def fill_service(tree: Tree) -> None:
    """A Service."""
    spec = tree.setdefault("spec", {})
    if spec.setdefault("sessionAffinity", "None") == "ClientIP":
        affinity = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        affinity.setdefault("timeoutSeconds", 10800)
    else:
        spec.pop("sessionAffinityConfig", None)
    kind = spec.setdefault("type", "ClusterIP")
    fill_ports(spec)
    for port in items_of(spec, "ports"):
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port", 0)
    if kind in ("NodePort", "LoadBalancer") or kind == "ClusterIP" and spec.get("externalIPs"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    tree.setdefault("status", {}).setdefault("loadBalancer", {})


def fill_ports(holder: Tree) -> None:
    """Ports are TCP unless they say otherwise."""
    for port in items_of(holder, "ports"):
        port.setdefault("protocol", "TCP")


def fill_endpoints(tree: Tree) -> None:
    """An Endpoints."""
    for subset in items_of(tree, "subsets"):
        fill_ports(subset)


def fill_endpoint_slice(tree: Tree) -> None:
    """An EndpointSlice."""
    for port in items_of(tree, "ports"):
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")
    for endpoint in items_of(tree, "endpoints"):
        endpoint.setdefault("conditions", {})


def fill_ingress(tree: Tree) -> None:
    """An Ingress."""
    tree.setdefault("spec", {})
    tree.setdefault("status", {}).setdefault("loadBalancer", {})


def fill_ingress_class(tree: Tree) -> None:
    """An IngressClass."""
    parameters = tree.setdefault("spec", {}).get("parameters")
    if parameters is not None:
        parameters.setdefault("scope", "Cluster")


def fill_network_policy(tree: Tree) -> None:
    """A NetworkPolicy: one without types is for what comes in, and for what goes out if it says anything of that."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("podSelector", {})
    for rule in (*items_of(spec, "ingress"), *items_of(spec, "egress")):
        fill_ports(rule)
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def fill_node(tree: Tree) -> None:
    """A Node."""
    tree.setdefault("spec", {})
    status = tree.setdefault("status", {})
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


def fill_namespace(tree: Tree) -> None:
    """A Namespace: its name is a label, too."""
    metadata = tree.setdefault("metadata", {})
    if metadata.get("name"):
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]
    tree.setdefault("spec", {})
    tree.setdefault("status", {})


def fill_secret(tree: Tree) -> None:
    """A Secret: what came as text is kept as base64."""
    tree.setdefault("type", "Opaque")
    texts = tree.pop("stringData", {})
    for name, text in texts.items():
        tree.setdefault("data", {})[name] = b64encode(text.encode()).decode()


def fill_spec(tree: Tree) -> None:
    """A kind of whose spec nothing is filled in: it is written all the same."""
    tree.setdefault("spec", {})


def fill_volume(tree: Tree) -> None:
    """A PersistentVolume."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    if isinstance(spec.get("hostPath"), dict):
        spec["hostPath"].setdefault("type", "")
    tree.setdefault("status", {}).setdefault("phase", "Pending")


def fill_claim(tree: Tree) -> None:
    """A PersistentVolumeClaim."""
    spec = tree.setdefault("spec", {})
    spec.setdefault("resources", {})
    spec.setdefault("volumeMode", "Filesystem")
    tree.setdefault("status", {}).setdefault("phase", "Pending")


def fill_storage_class(tree: Tree) -> None:
    """A StorageClass."""
    tree.setdefault("reclaimPolicy", "Delete")
    tree.setdefault("volumeBindingMode", "Immediate")


def fill_limit_range(tree: Tree) -> None:
    """A LimitRange: for containers, a missing default is the maximum, a missing default request the default or minimum."""
    tree.setdefault("spec", {}).setdefault("limits", None)  # Go always writes the list
    for item in items_of(tree["spec"], "limits"):
        if item.get("type") != "Container":
            continue
        for source, target in (("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")):
            for name, amount in item.get(source, {}).items():
                item.setdefault(target, {}).setdefault(name, amount)


def fill_priority_class(tree: Tree) -> None:
    """A PriorityClass."""
    tree.setdefault("value", 0)
    tree.setdefault("preemptionPolicy", "PreemptLowerPriority")


def fill_role(tree: Tree) -> None:
    """A Role or ClusterRole: no rules are written as null."""
    tree.setdefault("rules", None)


def fill_binding(tree: Tree) -> None:
    """A RoleBinding or ClusterRoleBinding: users and groups are rbac's own, ServiceAccounts core's."""
    reference = tree.setdefault("roleRef", {})
    if not reference.get("apiGroup"):
        reference["apiGroup"] = RBAC_GROUP
    for subject in items_of(tree, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", RBAC_GROUP)


def fill_revision(tree: Tree) -> None:
    """A ControllerRevision."""
    tree.setdefault("data", None)


def fill_webhooks(tree: Tree) -> None:
    """A Validating- or MutatingWebhookConfiguration."""
    for webhook in items_of(tree, "webhooks"):
        webhook.setdefault("failurePolicy", "Fail")
        webhook.setdefault("matchPolicy", "Equivalent")
        webhook.setdefault("namespaceSelector", {})
        webhook.setdefault("objectSelector", {})
        webhook.setdefault("timeoutSeconds", 10)
        if tree.get("kind") == "MutatingWebhookConfiguration":
            webhook.setdefault("reinvocationPolicy", "Never")
        service = webhook.get("clientConfig", {}).get("service")
        if service is not None:
            service.setdefault("port", 443)
        for rule in items_of(webhook, "rules"):
            rule.setdefault("scope", "*")


def fill_definition(tree: Tree) -> None:
    """A CustomResourceDefinition: the names that follow from its kind, and no conversion."""
    spec = tree.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind", "")
    if kind:
        names.setdefault("singular", kind.lower())
        names.setdefault("listKind", f"{kind}List")
    conversion = spec.setdefault("conversion", {})
    conversion.setdefault("strategy", "None")
    service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
    if isinstance(service, dict):
        service.setdefault("port", 443)
