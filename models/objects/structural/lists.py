"""Lists that are sets or maps: what may stand in them only once. And resources embedded in a custom object.

Sources: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{listtype,objectmeta}/validation.go.

Called by the API server for custom objects.
Not modelled: names and labels of embedded resources are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chaoskube.models.objects.causes import Cause, duplicate, invalid, required
from chaoskube.models.objects.frozen import EMPTY
from chaoskube.models.objects.structural.coercion import EMBEDDED, Schema, values_of
from chaoskube.models.objects.structural.equality import same

_KIND = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_KIND_RULE = (
    "may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric "
    "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
    "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_Check = Callable[[object, Schema, str], Iterator[Cause]]


def repeated_items(value: object, schema: Schema) -> tuple[Cause, ...]:
    """Items of sets and maps that stand there more than once."""
    return tuple(_walk(value, schema, "", _repeated))


def embedded_problems(value: object, schema: Schema) -> tuple[Cause, ...]:
    """What is wrong with apiVersion and kind of embedded resources."""
    return tuple(_walk(value, schema, "", _embedded))


def _walk(value: object, schema: Schema | None, path: str, check: _Check) -> Iterator[Cause]:
    if schema is None:
        return
    yield from check(value, schema, path)
    if isinstance(value, Mapping):
        properties, others = schema.get("properties") or EMPTY, values_of(schema)
        for name in sorted(value):
            if name in properties:
                yield from _walk(value[name], properties[name], f"{path}.{name}" if path else name, check)
            elif others is not None:
                yield from _walk(value[name], others, f"{path}[{name}]", check)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _walk(item, schema.get("items"), f"{path}[{index}]", check)


def _repeated(value: object, schema: Schema, path: str) -> Iterator[Cause]:
    if not isinstance(value, (list, tuple)):
        return
    kind = schema.get("x-kubernetes-list-type")
    if kind == "set":
        for index in _second_ones(value):
            yield duplicate(f"{path}[{index}]", value[index])
    elif kind == "map":
        yield from _repeated_keys(value, schema.get("x-kubernetes-list-map-keys") or (), path)


def _repeated_keys(value: Sequence[object], keys: Sequence[str], path: str) -> Iterator[Cause]:
    for index, item in enumerate(value):
        if item is not None and not isinstance(item, Mapping):
            yield invalid(f"{path}[{index}]", item, "must be an object for an array of list-type map")
            return
    items: list[Mapping[str, Any]] = [item if isinstance(item, Mapping) else {} for item in value]
    by_keys = [{key: item[key] for key in keys if key in item} for item in items]
    for index in _second_ones(by_keys):
        yield duplicate(f"{path}[{index}]", by_keys[index])


def _second_ones(items: Sequence[object]) -> Iterator[int]:
    """The second of each value that stands there more than once; a third isn't told."""
    for index, item in enumerate(items):
        if sum(same(item, earlier) for earlier in items[:index]) == 1:
            yield index


def _embedded(value: object, schema: Schema, path: str) -> Iterator[Cause]:
    if not schema.get(EMBEDDED) or not isinstance(value, Mapping):
        return
    for name in ("apiVersion", "kind"):
        where = f"{path}.{name}" if path else name
        found = value.get(name)
        if name not in value:
            yield required(where)
        elif not isinstance(found, str):
            yield invalid(where, found, "must be a string")
        elif not found:
            yield invalid(where, found, "must not be empty")
        elif name == "kind" and not _KIND.fullmatch(found.lower()):
            yield invalid(where, found, _KIND_RULE)
        elif name == "apiVersion" and found.count("/") > 1:
            yield invalid(where, found, f"unexpected GroupVersion string: {found}")
