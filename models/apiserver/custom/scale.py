"""The scale subresource of custom objects: where replicas and their selector stand is said by the definition. Pure.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/{etcd,validator}.go.

Called by `subresources.py` and `validation.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from chaoskube.models.apiserver.errors import bad_request, internal_error
from chaoskube.models.objects import GenericObject, KubeObject, freeze, thaw
from chaoskube.models.objects.causes import Cause, invalid
from chaoskube.models.objects.resources import CustomVersion, Resource

INT32_MAX: Final = 2**31 - 1


def custom_replicas(obj: KubeObject, resource: Resource) -> tuple[int, int, str]:
    """What is wanted, what there is, and which pods these are; 500 where nothing says what is wanted."""
    version, content = _scaled(resource), _content(obj)
    wanted = _found(content, version.spec_replicas_path)
    if not isinstance(wanted, int):
        raise internal_error(f'the spec replicas field "{version.spec_replicas_path}" does not exist')
    there = _found(content, version.status_replicas_path)
    selector = _found(content, version.label_selector_path) if version.label_selector_path else ""
    return wanted, there if isinstance(there, int) else 0, selector if isinstance(selector, str) else ""


def check_has_replicas(obj: KubeObject, patch: Mapping[str, Any], resource: Resource) -> None:
    """400 for a patch of scale that says nothing of replicas, where the object says nothing either."""
    path = _scaled(resource).spec_replicas_path
    if _found(_content(obj), path) is None and _found(patch, "spec.replicas") is None:
        raise bad_request(f'the spec replicas field "{path}" cannot be empty')


def with_custom_replicas(obj: KubeObject, replicas: int, resource: Resource) -> KubeObject:
    """The object with so many replicas wanted."""
    path = _scaled(resource).spec_replicas_path
    content: dict[str, Any] = thaw(_content(obj))
    *steps, last = _steps(path)
    node = content
    for step in steps:
        inner = node.setdefault(step, {})
        if not isinstance(inner, dict):
            raise bad_request(f"value cannot be set because {path} is not a map[string]interface{{}}")
        node = inner
    node[last] = replicas
    assert isinstance(obj, GenericObject)
    return evolve(obj, content=freeze(content))


def _content(obj: KubeObject) -> Mapping[str, Any]:
    assert isinstance(obj, GenericObject), f"a custom object, not {obj!r}"
    return obj.content


def _scaled(resource: Resource) -> CustomVersion:
    assert resource.custom is not None and resource.has_scale, f"{resource.name} has no scale subresource"
    return resource.custom


def replicas_causes(
    tree: Mapping[str, Any], resource: Resource, *, only_status: bool = False
) -> tuple[Cause, ...]:
    """What is wrong with the numbers at the paths of the scale subresource."""
    version = resource.custom
    if version is None or not resource.has_scale:
        return ()
    paths = (
        [version.status_replicas_path]
        if only_status
        else [version.spec_replicas_path, version.status_replicas_path]
    )
    return tuple([cause for path in paths for cause in _number_causes(tree, path)])


def _number_causes(tree: Mapping[str, Any], path: str) -> list[Cause]:
    value = _found(tree, path)
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, int):
        what = f"{path} accessor error: {value} is of the type {_go_type(value)}, expected int64"
        return [invalid(path, 0, what)]
    if value < 0:
        return [invalid(path, value, "should be a non-negative integer")]
    if value > INT32_MAX:
        return [invalid(path, value, f"should be less than or equal to {INT32_MAX}")]
    return []


def _go_type(value: object) -> str:
    names = {
        bool: "bool",
        float: "float64",
        str: "string",
        list: "[]interface {}",
        dict: "map[string]interface {}",
    }
    return names.get(type(value), "string")


def _steps(path: str) -> list[str]:
    return path.removeprefix(".").split(".")


def _found(tree: Mapping[str, Any], path: str) -> object:
    node: object = tree
    for step in _steps(path):
        if not isinstance(node, Mapping) or step not in node:
            return None
        node = node[step]
    return node
