"""What an owner could change in a manifest: each a remedy that is tried, never taken for granted.

For the Deployments behind a Service that lost a request: a readiness probe, a preStop sleep within the grace
period, a second replica. The harness replays the trace with each alone, then together, and names what made
the violation go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chaoskube.scenario import Failure, Remedy, Setup

PRE_STOP_SECONDS = 15
GRACE_SECONDS = 30
PROBE_PERIOD_SECONDS = 2
Tree = Mapping[str, object]


def remedies(setup: Setup, failure: Failure) -> Iterator[Remedy]:
    """Every single change that might help with this failure, the most usual first."""
    documents = setup.get("documents")
    if not isinstance(documents, Sequence):
        return
    for index, document in enumerate(documents):
        if document.get("kind") != "Deployment" or not _is_served(document, documents):
            continue
        name = _text(_map(document, "metadata"), "name")
        for words, changed in _changes(document, documents):
            kept = [*documents[:index], changed, *documents[index + 1 :]]
            yield Remedy(text=f"{words} in Deployment {name}", setup={**setup, "documents": kept})


def _changes(document: Tree, documents: Sequence[Tree]) -> Iterator[tuple[str, Tree]]:
    container = _first_container(document)
    port = _port(container, document, documents)
    if port is not None and "readinessProbe" not in container:
        probe = {"tcpSocket": {"port": port}, "periodSeconds": PROBE_PERIOD_SECONDS}
        yield f"a readinessProbe on port {port}", _set_container(document, readinessProbe=probe)
    if "preStop" not in _map(container, "lifecycle"):
        yield f"a preStop sleep of {PRE_STOP_SECONDS} s", _with_pre_stop(document, container)
    spec = _map(document, "spec")
    if spec.get("replicas", 1) == 1:
        yield "a second replica", {**document, "spec": {**spec, "replicas": 2}}


def _with_pre_stop(document: Tree, container: Tree) -> Tree:
    hook = {**_map(container, "lifecycle"), "preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}}
    changed = _set_container(document, lifecycle=hook)
    pod = _map(_map(_map(changed, "spec"), "template"), "spec")
    grace = pod.get("terminationGracePeriodSeconds", GRACE_SECONDS)
    if isinstance(grace, int) and grace <= PRE_STOP_SECONDS:
        return _set_pod(changed, terminationGracePeriodSeconds=GRACE_SECONDS)
    return changed


def _is_served(document: Tree, documents: Sequence[Tree]) -> bool:
    return any(_selects(one, document) for one in documents if one.get("kind") == "Service")


def _selects(service: Tree, deployment: Tree) -> bool:
    selector = _map(_map(service, "spec"), "selector")
    labels = _map(_map(_map(_map(deployment, "spec"), "template"), "metadata"), "labels")
    same = _map(service, "metadata").get("namespace") == _map(deployment, "metadata").get("namespace")
    return same and bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _port(container: Tree, document: Tree, documents: Sequence[Tree]) -> int | str | None:
    for one in documents:
        if one.get("kind") == "Service" and _selects(one, document):
            for port in _list(_map(one, "spec"), "ports"):
                target = port.get("targetPort", port.get("port"))
                if isinstance(target, int | str):
                    return target
    for port in _list(container, "ports"):
        number = port.get("containerPort")
        if isinstance(number, int):
            return number
    return None


def _first_container(document: Tree) -> Tree:
    pod = _map(_map(_map(document, "spec"), "template"), "spec")
    return next(iter(_list(pod, "containers")), {})


def _set_container(document: Tree, **fields: object) -> Tree:
    pod = _map(_map(_map(document, "spec"), "template"), "spec")
    first, *others = _list(pod, "containers")
    return _set_pod(document, containers=[{**first, **fields}, *others])


def _set_pod(document: Tree, **fields: object) -> Tree:
    spec = _map(document, "spec")
    template = _map(spec, "template")
    pod = {**_map(template, "spec"), **fields}
    return {**document, "spec": {**spec, "template": {**template, "spec": pod}}}


def _map(tree: Tree, field: str) -> Tree:
    value = tree.get(field)
    return value if isinstance(value, Mapping) else {}


def _list(tree: Tree, field: str) -> list[Tree]:
    value = tree.get(field)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Sequence) else []


def _text(tree: Tree, field: str) -> str:
    return str(tree.get(field, ""))
