"""The scale subresource of custom objects: where replicas and their selector stand is said by the definition. Pure.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/{etcd,validator}.go.

Called by `subresources.py` and `validation.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from chaoskube.models.apiserver.errors import ApiError, bad_request, internal_error
from chaoskube.models.objects import GenericObject, KubeObject, freeze, thaw
from chaoskube.models.objects.causes import Cause, invalid
from chaoskube.models.objects.resources import CustomVersion, Resource

INT32_MAX: Final = 2**31 - 1


def custom_replicas(obj: GenericObject, version: CustomVersion) -> tuple[int | None, int, str]:
    """What is wanted (None: nothing is said), what there is, and which pods these are."""
    wanted = _found(obj.content, version.spec_replicas_path)
    there = _found(obj.content, version.status_replicas_path)
    selector = _found(obj.content, version.label_selector_path) if version.label_selector_path else ""
    return (
        wanted if isinstance(wanted, int) else None,
        there if isinstance(there, int) else 0,
        selector if isinstance(selector, str) else "",
    )


def with_custom_replicas(obj: GenericObject, replicas: int, version: CustomVersion) -> KubeObject:
    """The object with so many replicas wanted."""
    content: dict[str, Any] = thaw(obj.content)
    *steps, last = _steps(version.spec_replicas_path)
    node = content
    for step in steps:
        inner = node.setdefault(step, {})
        if not isinstance(inner, dict):
            raise bad_request(
                f"value cannot be set because {version.spec_replicas_path} is not a map[string]interface{{}}"
            )
        node = inner
    node[last] = replicas
    return evolve(obj, content=freeze(content))


def no_replicas(version: CustomVersion, *, is_write: bool) -> ApiError:
    """There is nothing at the path of the replicas: a read is the server's trouble, a write the client's."""
    path = version.spec_replicas_path
    if is_write:
        return bad_request(f'the spec replicas field "{path}" cannot be empty')
    return internal_error(f'the spec replicas field "{path}" does not exist')


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
