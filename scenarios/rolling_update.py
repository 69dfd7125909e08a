"""A web server that does all that Kubernetes asks for, rolled, scaled and drained under faults.

Three replicas, a readiness probe, a preStop sleep longer than slices and proxies need, and grace longer than
that: no request may be lost in calm, whatever is done on purpose.
"""

from __future__ import annotations

from attrs import asdict, evolve

from chaoskube.models.cluster import Shape
from chaoskube.models.objects import load_documents
from chaoskube.scenario import Scenario, scenario
from chaoskube.scenarios.manifests import of_documents

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: registry.example/web:v1
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 2}
          lifecycle: {preStop: {sleep: {seconds: 8}}}
          resources: {requests: {cpu: 100m, memory: 64Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""


@scenario("rolling-update")
def rolling_update() -> Scenario:
    """A careful web server under everything that users do and that goes wrong."""
    trees = [document.tree for document in load_documents(WEB, "rolling_update.py")]
    made = of_documents(trees, title="a careful web server with three replicas")
    return evolve(
        made,
        name="rolling-update",
        doc="A careful web server with three replicas, rolled, scaled and drained under traffic and faults.",
        setup={**made.setup, "shape": asdict(Shape())},
    )
