"""From files, folders and standard input to checked documents, or one sentence that says what to mend.

Every document is held against the API's own schema and validation before anything runs, so that a mistake
is told with its file and line, not by a simulated API server. What people hand over by mistake is
recognised: folders for Kustomize, charts of Helm, custom resources. Called by `manifests.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from chaoskube.models.apiserver.custom.validation import causes_of_create
from chaoskube.models.apiserver.strategy import prepare_create
from chaoskube.models.apps.behaviour import PREFIX, behaviour_of
from chaoskube.models.objects import (
    Deployment,
    Document,
    KubeObject,
    Pod,
    ReplicaSet,
    check,
    decode,
    default,
    freeze,
    load_documents,
)
from chaoskube.models.objects.resources import Resources, custom_resources
from chaoskube.models.objects.structural import pruned, with_defaults, without_nulls
from chaoskube.sim import UsageError

SUFFIXES = (".yaml", ".yml", ".json")
TRACES = ".chaos.yaml"
PROBLEMS_MAX = 3
_KUSTOMIZE = ("kustomization.yaml", "kustomization.yml")
_CHART = "Chart.yaml"
_ANY_UID = "00000000-0000-4000-8000-000000000000"
_TEMPLATE = re.compile(
    r"\{\{-?\s*(?:[.$(]|/\*|(?:if|else|end|range|with|include|template|define|toYaml|default)\b)"
)
_RENDER_FIRST = "it looks like a template of Helm: render it first, helm template CHART | chaoskube hunt -"


def read_documents(paths: Sequence[str], stdin: str | None) -> list[Document]:
    """The documents in these files, folders and standard input; UsageError when there is none."""
    found = [document for path in paths for document in _load(path, stdin)]
    if not found:
        names = ", ".join("standard input" if path == "-" else path for path in paths)
        raise UsageError(f"{names}: there is no Kubernetes object in here")
    return found


def checked(document: Document, known: Resources) -> dict[str, object]:
    """The document's tree, complete with its namespace; UsageError for what an API server would refuse."""
    tree = document.tree
    if is_custom(tree, known):
        return _checked_custom(document, known)
    _refuse_foreign(document)
    _refuse([(one.path, one.message) for one in check(tree)], document)
    complete = _with_namespace(tree, known)
    _refuse_generated_name(document)
    obj = decode(default(complete))
    _refuse_invalid(obj, document, known)
    _check_annotations(obj, document)
    return complete


def resources_in(trees: Iterable[Mapping[str, object]]) -> Resources:
    """The built-in resources, and those that CustomResourceDefinitions among the documents define."""
    known = Resources()
    for tree in trees:
        spec = tree.get("spec")
        if tree.get("kind") == "CustomResourceDefinition" and isinstance(spec, Mapping):
            try:
                found = custom_resources(freeze(spec))
            except (KeyError, TypeError):
                continue  # it is refused when it is looked at
            known.put(f"{found[0].plural}.{found[0].group}" if found else "", found)
    return known


def is_custom(tree: Mapping[str, object], known: Resources) -> bool:
    """Whether a document is of a kind that one of the others defines."""
    try:
        return known.resource_for(str(tree.get("kind")), str(tree.get("apiVersion"))).custom is not None
    except UsageError:
        return False


def _checked_custom(document: Document, known: Resources) -> dict[str, object]:
    """A custom object against the schema of its definition."""
    resource = known.resource_for(str(document.tree["kind"]), str(document.tree["apiVersion"]))
    assert resource.custom is not None
    schema = resource.custom.schema
    kept, unknown = pruned(dict(document.tree), schema)
    filled = with_defaults(without_nulls(kept, schema), schema)
    _refuse([(path, "unknown field") for path in unknown], document)
    _refuse_generated_name(document)
    _refuse_invalid(decode(_with_namespace(filled, known)), document, known)
    return _with_namespace(document.tree, known)


def refuse_doubles(documents: Sequence[Document], trees: Sequence[Mapping[str, object]]) -> None:
    """UsageError when two documents are one object."""
    seen: dict[tuple[str, str], str] = {}
    for document, tree in zip(documents, trees, strict=True):
        obj = decode(tree)
        identity = (obj.kind, obj.key)
        if identity in seen:
            raise UsageError(f"{document.place}: {obj.kind} {obj.key} is defined at {seen[identity]} already")
        seen[identity] = document.place


# -- files


def _load(path: str, stdin: str | None) -> Iterator[Document]:
    if path == "-":
        yield from _parse(stdin or "", "standard input")
        return
    files = _files(Path(path))
    if not files:
        raise UsageError(
            f"{path}: there is no {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file in this folder"
        )
    for file in files:
        yield from _parse(_text(file), str(file))


def _files(path: Path) -> list[Path]:
    """A folder's files by name, without hidden folders, traces, and what Kustomize or Helm must build first."""
    if path.is_dir():
        files = sorted(
            file
            for file in path.rglob("*")
            if file.suffix in SUFFIXES
            and file.is_file()
            and not file.name.endswith(TRACES)
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        )
    else:
        files = [path]
    for file in files:
        if file.name in _KUSTOMIZE:
            raise UsageError(
                f"{file}: this folder is for Kustomize, its files are not yet what is applied; "
                f"build it first: kubectl kustomize {file.parent} | chaoskube hunt -"
            )
        if file.name == _CHART:
            raise UsageError(
                f"{file}: this folder is a chart of Helm, its files are not yet what is applied; "
                f"render it first: helm template {file.parent} | chaoskube hunt -"
            )
    return files


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not a text file in UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None


def _parse(text: str, source: str) -> list[Document]:
    try:
        return load_documents(text, source)
    except UsageError as problem:
        if _TEMPLATE.search(text):
            raise UsageError(f"{problem}; {_RENDER_FIRST}") from problem
        raise


# -- documents


def _refuse(problems: Sequence[tuple[str, str]], document: Document) -> None:
    """UsageError for the first few problems (path, message), at the line of the first."""
    if not problems:
        return
    told = "; ".join(f"{path}: {message}" if path else message for path, message in problems[:PROBLEMS_MAX])
    more = f"; and {len(problems) - PROBLEMS_MAX} more" if len(problems) > PROBLEMS_MAX else ""
    hint = f"; {_RENDER_FIRST}" if _TEMPLATE.search(told) else ""
    raise UsageError(f"{document.place_of(problems[0][0])}: {_named(document.tree)}: {told}{more}{hint}")


def _refuse_invalid(obj: KubeObject, document: Document, known: Resources) -> None:
    """UsageError for what validation would say, once the server has filled in what it fills in (a Job's selector)."""
    resource = known.resource_for(obj.kind, obj.api_version)
    new = prepare_create(
        obj, uid=_ANY_UID, name=obj.name, namespace=obj.namespace, now_ns=0, has_status=resource.has_status
    )
    _refuse([(one.field, one.message) for one in causes_of_create(new, resource)], document)


def _refuse_foreign(document: Document) -> None:
    """A custom resource is nothing that a cluster does by itself: say so, rather than guess at a near name."""
    group = str(document.tree["apiVersion"]).rpartition("/")[0]
    if group == "kustomize.config.k8s.io":
        raise UsageError(
            f"{document.place}: {document.tree['kind']} is a file for Kustomize, not an object of the API; "
            "build what it describes first: kubectl kustomize DIR | chaoskube hunt -"
        )
    if "." in group and group != "k8s.io" and not group.endswith(".k8s.io"):
        raise UsageError(
            f"{document.place_of('apiVersion')}: {_named(document.tree)}: {group} is no API group of Kubernetes "
            "itself, and none of these files defines it: add its CustomResourceDefinition, or leave this document out"
        )


def _refuse_generated_name(document: Document) -> None:
    metadata = document.tree.get("metadata")
    if isinstance(metadata, Mapping) and not metadata.get("name") and metadata.get("generateName"):
        message = "generateName cannot be applied; give it a metadata.name"
        _refuse([("metadata.generateName", message)], document)


def _check_annotations(obj: KubeObject, document: Document) -> None:
    """How applications behave is set on the pod template; anywhere else it would be silently without effect."""
    if isinstance(obj, Deployment | ReplicaSet):
        place, annotations = "spec.template.metadata.annotations", obj.spec.template.metadata.annotations
    elif isinstance(obj, Pod):
        place, annotations = "metadata.annotations", obj.metadata.annotations
    else:
        return
    for key in sorted(annotations):
        try:
            behaviour_of({key: annotations[key]}, _named(document.tree))
        except UsageError as problem:
            raise UsageError(f"{document.place_of(f'{place}.{key}')}: {problem}") from None
    stray = [key for key in sorted(obj.metadata.annotations) if key.startswith(PREFIX)]
    if stray and not isinstance(obj, Pod):
        message = f"has no effect here; it belongs to the pod template, {place}"
        _refuse([(f"metadata.annotations.{stray[0]}", message)], document)


def _named(tree: Mapping[str, object]) -> str:
    metadata = tree.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f"{tree.get('kind')} {name}" if name else f"{tree.get('kind')}"


def _with_namespace(tree: Mapping[str, object], known: Resources) -> dict[str, object]:
    resource = known.resource_for(str(tree["kind"]), str(tree["apiVersion"]))
    metadata = tree.get("metadata")
    given = dict(metadata) if isinstance(metadata, Mapping) else {}
    if resource.namespaced and not given.get("namespace"):
        given["namespace"] = "default"
    return {**tree, "metadata": given}
