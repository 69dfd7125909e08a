"""Simpler setups of a cluster, for the minimiser: fewer documents, replicas, nodes, members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chaoskube.scenario import Setup

GROUND = (
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "Role",
    "RoleBinding",
    "ServiceAccount",
)
"""What an operator stands on: without it another thing would break."""
_LEAST = {"nodes": 1, "etcd": 1, "apiservers": 1, "managers": 1, "schedulers": 1}


def simpler(setup: Setup) -> Iterator[Setup]:
    """Each a step simpler than `setup`, the boldest first."""
    documents, shape = setup.get("documents"), setup.get("shape")
    if not isinstance(documents, Sequence) or not isinstance(shape, Mapping):
        return
    ground = [one for one in documents if setup.get("operators") and one.get("kind") in GROUND]
    others = [one for one in documents if one not in ground]
    yield from (_with(setup, documents=[*ground, *kept]) for kept in _fewer_documents(others))
    for field, least in _LEAST.items():
        value = shape.get(field)
        if isinstance(value, int) and value > least:
            for smaller in dict.fromkeys((least, value - 1)):
                yield _with(setup, shape={**shape, field: smaller})
    yield from (_with(setup, documents=kept) for kept in _fewer_replicas(list(documents)))


def _with(setup: Setup, **changes: object) -> Setup:
    return {**setup, **changes}


def _fewer_documents(documents: list[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    """Without everything that one application label groups; then without each single document."""
    groups: dict[str, list[int]] = {}
    for index, document in enumerate(documents):
        groups.setdefault(_application(document), []).append(index)
    for kept in groups.values():
        if 1 < len(groups):
            yield [documents[index] for index in kept]
    for gone in groups.values():
        if 1 < len(groups) and len(gone) > 1:
            yield [document for index, document in enumerate(documents) if index not in gone]
    for gone_index in range(len(documents)):
        yield [document for index, document in enumerate(documents) if index != gone_index]


def _application(document: Mapping[str, object]) -> str:
    """What a document belongs to: the labels that its Service selects or its Deployment is selected by."""
    spec = document.get("spec")
    selector = spec.get("selector") if isinstance(spec, Mapping) else None
    if isinstance(selector, Mapping):
        labels = selector.get("matchLabels", selector)
        if isinstance(labels, Mapping):
            return ",".join(f"{key}={labels[key]}" for key in sorted(labels))
    metadata = document.get("metadata")
    return str(metadata.get("name")) if isinstance(metadata, Mapping) else ""


def _fewer_replicas(documents: list[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    for index, document in enumerate(documents):
        spec = document.get("spec")
        replicas = spec.get("replicas") if isinstance(spec, Mapping) else None
        if isinstance(spec, Mapping) and isinstance(replicas, int) and replicas > 1:
            for fewer in dict.fromkeys((1, replicas - 1)):
                changed = {**document, "spec": {**spec, "replicas": fewer}}
                yield [*documents[:index], changed, *documents[index + 1 :]]
