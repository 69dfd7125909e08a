"""Custom objects as they come in: read, pruned, defaulted; and patches of them. Pure.

What the schema doesn't know is dropped, refused (fieldValidation=Strict) or warned about (Warn), as for built-in kinds; a null
that isn't allowed means absent; then come the defaults of the schema. A strategic merge patch needs Go types, so there is none.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go (unstructuredSchemaCoercer,
unstructuredDefaulter), staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch}.go.

Called by `bodies.py` for resources that a definition added.
Not modelled: unknown fields of metadata are dropped without a word.
"""

from __future__ import annotations

from typing import Any

from chaoskube.models.apiserver.errors import ApiError, bad_request, unsupported_media_type
from chaoskube.models.objects import DecodeError, KubeObject, decode
from chaoskube.models.objects.resources import CustomVersion, Resource
from chaoskube.models.objects.schema import check, known
from chaoskube.models.objects.structural import pruned, with_defaults, without_nulls

Tree = dict[str, Any]  # plain JSON
PATCH_MEDIA = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
)


def custom_object(
    tree: Tree, resource: Resource, field_validation: str
) -> tuple[KubeObject, tuple[str, ...]]:
    """The object that a whole tree means, and warnings."""
    version = version_of(resource)
    if tree["apiVersion"] != resource.api_version:
        raise bad_request(
            f"the API version in the data ({tree['apiVersion']}) does not match the expected API version "
            f"({resource.api_version})"
        )
    tree, warnings = _without_unknown(tree, resource, field_validation)
    tree = with_defaults(without_nulls(tree, version.schema), version.schema)
    return _decoded(tree, resource), warnings


def version_of(resource: Resource) -> CustomVersion:
    """What the definition says of a custom resource."""
    assert resource.custom is not None, f"{resource.name} is no custom resource"
    return resource.custom


def no_strategic_patch() -> ApiError:
    """415: only these patches are known for custom objects."""
    return unsupported_media_type(PATCH_MEDIA)


def _without_unknown(tree: Tree, resource: Resource, field_validation: str) -> tuple[Tree, tuple[str, ...]]:
    version = version_of(resource)
    if version.preserve_unknown_fields:
        return tree, ()
    kept, dropped = pruned(tree, version.schema)
    if not dropped:
        return kept, ()
    said = tuple([f'unknown field "{path}"' for path in dropped])
    if field_validation == "Strict":
        raise _cannot_handle(tree, resource, "strict decoding error: " + ", ".join(said))
    return kept, () if field_validation == "Ignore" else said


def _decoded(tree: Tree, resource: Resource) -> KubeObject:
    assert not known(str(tree["apiVersion"]), str(tree["kind"])), f"{tree['kind']} is a built-in kind"
    for problem in _metadata_problems(tree):
        raise _cannot_handle(tree, resource, problem)
    try:
        return decode(tree)
    except DecodeError as error:
        raise _cannot_handle(tree, resource, str(error)) from error


def _metadata_problems(tree: Tree) -> list[str]:
    """What is of the wrong type in metadata: asked of a kind that has nothing else."""
    metadata = tree.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        return [f"metadata: Invalid value: expected map[string]interface{{}}, got {type(metadata).__name__}"]
    stand_in = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata or {}}
    problems = [problem for problem in check(stand_in) if not problem.message.startswith("unknown field")]
    return [f"{problem.path}: {problem.message}" for problem in problems]


def _cannot_handle(tree: Tree, resource: Resource, why: str) -> ApiError:
    version = str(tree["apiVersion"]).rpartition("/")[2]
    kind = tree["kind"]
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {resource.kind}: {why}')
