"""Values as the API server itself holds them: some of its messages print its own Go structs, not the JSON of the API.

`Invalid value: {"Volumes":null,...}` is json.Marshal of such a struct: all fields by their Go names, in the order of the
source, nil as null. `difference` is what it shows of two of them. The shapes are in inside.json.gz (made by
inside_build.py). Source: staging/src/k8s.io/apimachinery/pkg/util/{validation/field,diff}. Called by validation.

Not modelled: structs that inside.json.gz doesn't have; they are shown as the API has them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from difflib import unified_diff
from functools import cache
from importlib.resources import files
from typing import Any, Final

import attrs

from chaoskube.models.objects.codec import encode

_LINES_AROUND: Final = 3
_OF_THE_SECURITY_CONTEXT: Final = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_EMPTY: Final[Mapping[str, object]] = {"string": "", "bool": False}


def inside(value: object) -> object:
    """A part of an object as the server's own struct, as plain JSON with the server's names."""
    if not attrs.has(type(value)):
        return list(value) if isinstance(value, tuple) else value
    tree = encode(value)
    name = type(value).__name__
    return _struct(tree, name) if name in _shapes() else tree


def difference(old: object, new: object) -> str:
    """How two values differ: their structs as indented JSON, and the lines that changed with some around them."""
    before, after = _indented(inside(old)), _indented(inside(new))
    changed = list(unified_diff(before, after, n=_LINES_AROUND, lineterm=""))[2:]
    return "".join(f"{line}\n" for line in changed)


def _indented(value: object) -> list[str]:
    return json.dumps(value, indent=1, ensure_ascii=False).splitlines()


def _struct(tree: Mapping[str, Any], name: str) -> dict[str, Any]:
    by_lower = {key.lower(): value for key, value in tree.items()}
    if name == "PodSpec":
        context = dict(by_lower.get("securitycontext") or {})
        context.update({key: tree[key] for key in _OF_THE_SECURITY_CONTEXT if key in tree})
        by_lower["securitycontext"] = context if "securitycontext" in by_lower else None
    result: dict[str, Any] = {}
    for field, kind in _shapes()[name]:
        if field:
            result[field] = _value(by_lower.get(field.lower()), kind)
        elif kind.rpartition(".")[2] in _shapes():
            result.update(_struct(tree, kind.rpartition(".")[2]))
        elif kind == "metav1.ObjectMeta":
            result.update(tree.get("metadata") or {})
    return result


def _value(value: Any, kind: str) -> object:
    if kind.startswith("*"):
        return None if value is None else _value(value, kind[1:])
    if kind.startswith("[]"):
        return None if not value else [_value(item, kind[2:]) for item in value]
    if kind.startswith("map[]"):
        return None if not value else {key: _value(value[key], kind[5:]) for key in sorted(value)}
    if kind in _shapes():
        return _struct(value or {}, kind)
    if value is not None:
        return value
    if kind in _EMPTY:
        return _EMPTY[kind]
    if kind.startswith(("int", "float")):
        return 0
    if kind == "resource.Quantity":
        return "0"
    return {} if kind == "metav1.LabelSelector" else None


@cache
def _shapes() -> dict[str, list[list[str]]]:
    packed = files(__package__).joinpath("inside.json.gz").read_bytes()
    result: dict[str, list[list[str]]] = json.loads(gzip.decompress(packed))
    return result
