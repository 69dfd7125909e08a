"""`kubectl create -f`, and `kubectl run`: a POST of what the document says.

Source: staging/src/k8s.io/kubectl/pkg/cmd/create/create.go, pkg/cmd/run/run.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaoskube.models.kubectl.last_applied import annotated
from chaoskube.models.kubectl.session import DEFAULT_NAMESPACE, Kubectl
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.frozen import Tree

MANAGER = "kubectl-create"
RUN_MANAGER = "kubectl-run"


async def create(
    kubectl: Kubectl, given: KubeObject | Mapping[str, Any], *, save_config: bool = False
) -> Tree:
    """Create it; with `save_config` as if it had been applied."""
    document = kubectl.document(given)
    return await kubectl.create(annotated(document) if save_config else document, manager=MANAGER)


async def run(kubectl: Kubectl, name: str, image: str, *, namespace: str = DEFAULT_NAMESPACE) -> Tree:
    """`kubectl run NAME --image=IMAGE`: a bare pod, labelled with its name."""
    pod: Tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"run": name}},
        "spec": {
            "containers": [{"name": name, "image": image, "resources": {}}],
            "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst",
        },
    }
    return await kubectl.create(pod, manager=RUN_MANAGER)
