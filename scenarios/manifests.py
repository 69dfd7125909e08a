"""The door for manifests: a scenario made of the YAML that will really be applied.

`read` is the entry point of the group `chaoskube.inputs`: it takes files, folders and standard input, has
every document checked (`reading.py`), and answers with a scenario whose menu fits what is in the files. The documents travel inside the setup, so a trace carries them. Kinds that nothing acts on are stored
and listed; `notes` says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attrs import asdict

from chaoskube import invariants
from chaoskube.action import Action
from chaoskube.models.client.operator import Operator
from chaoskube.models.cluster import Cluster, Shape
from chaoskube.models.objects import (
    Deployment,
    Document,
    GenericObject,
    KubeObject,
    ReplicaSet,
    StatefulSet,
    check,
    decode,
)
from chaoskube.models.objects.acted_on import is_acted_on
from chaoskube.models.objects.resources import Resources
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios import menus
from chaoskube.scenarios.reading import (
    SUFFIXES,
    checked,
    is_custom,
    read_documents,
    refuse_doubles,
    resources_in,
)
from chaoskube.scenarios.remedies import remedies
from chaoskube.scenarios.simpler import simpler
from chaoskube.sim import SECOND, UsageError, World

NAME = "manifests"
NO_CONTROLLER = ("ReplicationController",)
"""API servers read their scale; nobody makes their pods."""
_WORKLOADS = {"deployment": Deployment, "statefulset": StatefulSet}


def read(paths: tuple[str, ...], stdin: str | None) -> Scenario | None:
    """A scenario of these files, folders or standard input; None when a file is of another kind.

    Raises UsageError that says what is wrong and where.
    """
    if any(path != "-" and Path(path).is_file() and Path(path).suffix not in SUFFIXES for path in paths):
        return None
    documents = read_documents(paths, stdin)
    known = resources_in([document.tree for document in documents])
    trees = [checked(document, known) for document in documents]
    refuse_doubles(documents, trees)
    for document, tree in zip(documents, trees, strict=True):
        _refuse_too_many(document, tree, Shape())
    return of_documents([*_namespaces(trees), *trees], title=f"the objects in {', '.join(paths)}")


def of_documents(
    trees: Sequence[Mapping[str, object]], *, title: str, shape: Shape | None = None
) -> Scenario:
    """The scenario of these documents, which have been checked."""
    setup = {"shape": asdict(shape if shape is not None else Shape()), "documents": list(trees)}
    return _scenario(setup, title)


@scenario(NAME, hidden=True)
def manifests() -> Scenario:
    """What a trace of somebody's manifests names; its setup carries the documents."""
    return _scenario({"shape": asdict(Shape()), "documents": []}, "the objects in this trace")


def _scenario(setup: Setup, title: str) -> Scenario:
    return Scenario(
        name=NAME,
        doc=f"A cluster that runs {title}, with traffic to every Service.",
        setup=setup,
        build=build,
        menu=menu_of(setup),
        invariants=invariants.all_of_a_cluster(),
        duration_ns=90 * SECOND,
        warm_ns=900 * SECOND,
        settle_ns=900 * SECOND,
        actions_max=6,
        simpler=simpler,
        remedies=remedies,
        notes=notes,
    )


def build(
    world: World, setup: Setup, operators: Sequence[Operator] = (), *, make: type[Cluster] = Cluster
) -> Cluster:
    """The cluster of a setup. Raises UsageError where the setup is not one."""
    if not isinstance(setup.get("shape"), Mapping) or not isinstance(setup.get("documents"), Sequence):
        raise UsageError("setup needs shape (a mapping) and documents (a list of Kubernetes objects)")
    return make(world, shape_of(setup), list(_objects(setup)), operators)


def notes(setup: Setup) -> tuple[str, ...]:
    """Kinds among the documents that are stored and listed, and that nothing acts on."""
    is_operated = bool(setup.get("operators"))
    kinds = sorted(
        {
            obj.kind
            for obj in _objects(setup)
            if (obj.kind in NO_CONTROLLER or not is_acted_on(obj.api_version, obj.kind))
            and not (is_operated and isinstance(obj, GenericObject))
        }
    )
    return (f"stored, but nothing acts on them yet: {', '.join(kinds)}",) if kinds else ()


def menu_of(setup: Setup) -> tuple[type[Action], ...]:
    """What may happen to what is in a setup."""
    objects = list(_objects(setup))
    there = [name for name, kind in _WORKLOADS.items() if any(isinstance(obj, kind) for obj in objects)]
    return menus.fitting(there if objects else menus.WORKLOADS)


def _objects(setup: Setup) -> Iterable[KubeObject]:
    documents = setup.get("documents")
    if not isinstance(documents, Sequence):
        return []
    known = resources_in([tree for tree in documents if isinstance(tree, Mapping)])
    return [_object(tree, known) for tree in documents]


def _object(tree: object, known: Resources) -> KubeObject:
    if not isinstance(tree, Mapping):
        raise UsageError("each of the setup's documents must be a Kubernetes object with apiVersion and kind")
    for problem in () if is_custom(tree, known) else check(tree):
        raise UsageError(f"{tree.get('kind', 'object')} in the setup: {problem.path}: {problem.message}")
    return decode(tree)


def shape_of(setup: Setup) -> Shape:
    """How large a setup's cluster is. Raises UsageError where it doesn't say so."""
    given = setup.get("shape")
    if not isinstance(given, Mapping):
        raise UsageError("setup needs shape (a mapping)")
    known = asdict(Shape())
    for key, value in given.items():
        if key not in known:
            raise UsageError(f"shape has no {key!r}; it has {', '.join(known)}")
        if not isinstance(value, type(known[key])):
            raise UsageError(f"shape: {key}={value!r} must be like {known[key]!r}")
    return Shape(**{**known, **given})


# -- reading


def _refuse_too_many(document: Document, tree: Mapping[str, object], shape: Shape) -> None:
    """More pods than the nodes have room for would only be waited for, until the patience is over."""
    obj = decode(tree)
    replicas = obj.spec.replicas if isinstance(obj, Deployment | ReplicaSet | StatefulSet) else None
    room = shape.nodes * shape.pods
    if replicas is not None and replicas > room:
        raise UsageError(
            f"{document.place_of('spec.replicas')}: {obj.kind} {obj.key}: spec.replicas: {replicas} pods have no room: "
            f"the simulated cluster has {shape.nodes} nodes for {shape.pods} pods each"
        )


def _namespaces(trees: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Namespaces that objects live in and that no document makes are taken to be there."""
    there = {"default", "kube-system", "kube-public", "kube-node-lease"}
    there |= {decode(tree).name for tree in trees if tree["kind"] == "Namespace"}
    used = {decode(tree).namespace for tree in trees} - there - {""}
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in sorted(used)]
