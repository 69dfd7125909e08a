"""Values that do not belong where they are put, and trees with some of them in.

Guided by the schema (models/objects/schema): a field is dropped, emptied, doubled, misspelt, given the wrong type, an
absurd number, a hostile text, or a fresh value that its type allows. Called by `requests.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, Final

from chaoskube.models.objects.schema import properties_of, struct_of

Json = Any
Path = tuple[str | int, ...]
NUMBERS: Final = (
    0, -1, 1, 2, 3, 80, 65535, 65536, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1,
    10**30, 10**300, 0.0, 1.0, 1.5, -0.0, 1e-300, 1e300, 0.1,
)  # fmt: skip
TEXTS: Final = (
    "", " ", "a", "A", "-", ".", "..", "/", "a/b", "a//b", "a.b", "a[0]", "a\nb", "a\tb", "a\0b", "\x7f", "é", "ß" * 40,
    "💥", "\u202e", "e\u0301", "٣", "１", "İ", "\ufffd", "\ud800", "a\udfffb", "null", "true", "0", "-1", "1e3", "500m", "1Gi",
    "100%", "-5%", "150%", "9" * 40, "1.5Gi", "1e400", "nan", "inf", "a" * 63, "a" * 64, "a" * 253, "a" * 254, "a" * 1000,
    "{{.}}", "$patch", "%s%n%x", "%00", "../../etc", "*", "=", "a=b", "a in (b)", "!", "kubernetes.io/x", "x/y/z",
    "2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "2026-01-01T00:00:00+99:99", "10.0.0.1", "::1", "300.1.1.1", "10.0.0.0/8", "10.0.0.0/99", "aGVsbG8=", "aGVsb", "=",
    "Always", "Never", "RollingUpdate", "ClusterIP", "None", "TCP", "kubernetes", "foregroundDeletion", "orphan",
)  # fmt: skip
KEYS: Final = (
    "", "a", "spec", "metadata", "name", "$patch", "$retainKeys", "$setElementOrder/containers", "a.b", "a[0]", "a/b",
    "f:a", "k:{}", "0", "é", "💥", "\ud800", "constructor", "a" * 300, "apiVersion", "kind", "data", ".", "..", "~", "~1",
)  # fmt: skip


def deep(depth: int, *, is_list: bool = False) -> Json:
    """So many levels."""
    tree: Json = "bottom"
    for _ in range(depth):
        tree = [tree] if is_list else {"a": tree}
    return tree


def strange(rng: Random) -> Json:
    """Any JSON at all."""
    return rng.choice(_STRANGE)(rng)


_STRANGE: Final[tuple[Callable[[Random], Json], ...]] = (
    lambda rng: None,
    lambda rng: rng.choice((True, False)),
    lambda rng: rng.choice(NUMBERS),
    lambda rng: rng.choice(NUMBERS),
    lambda rng: rng.choice(TEXTS),
    lambda rng: rng.choice(TEXTS),
    lambda rng: [],
    lambda rng: {},
    lambda rng: [rng.choice(TEXTS)],
    lambda rng: [None],
    lambda rng: [[]],
    lambda rng: [{}],
    lambda rng: {rng.choice(KEYS): rng.choice(TEXTS)},
    lambda rng: {rng.choice(KEYS): {}},
    lambda rng: {rng.choice(KEYS): None},
    lambda rng: deep(rng.choice((3, 20, 90)), is_list=rng.random() < 0.5),
)


def fitting(found: Mapping[str, Any], rng: Random, depth: int = 0) -> Json:
    """A value that the type allows, whatever the rules say of it."""
    if "struct" in found:
        return grown(str(found["struct"]), rng, depth + 1)
    if "items" in found:
        return [fitting(found["items"], rng, depth + 1) for _ in range(rng.choice((0, 1, 1, 2)))]
    if "values" in found:
        return {
            rng.choice(TEXTS): fitting(found["values"], rng, depth + 1) for _ in range(rng.choice((0, 1, 2)))
        }
    return _OF_TYPE.get(str(found.get("type")), strange)(rng)


def grown(struct: str, rng: Random, depth: int = 0) -> Json:
    """A mapping with some of the fields of a struct."""
    names = list(properties_of(struct))
    if depth > 4 or not names:
        return {}
    chosen = rng.sample(names, min(len(names), rng.choice((0, 1, 2, 3))))
    return {name: fitting(properties_of(struct)[name], rng, depth) for name in chosen}


def _whole(rng: Random) -> Json:
    return rng.choice((0, 1, 2, 3, 30, 80, 443, -1, 100, 65536, 2**31 - 1))


_OF_TYPE: Final[Mapping[str, Callable[[Random], Json]]] = {
    "string": lambda rng: rng.choice(TEXTS),
    "byte": lambda rng: rng.choice(("", "aGVsbG8=", "YQ==", "?")),
    "integer": _whole,
    "int32": _whole,
    "int64": lambda rng: rng.choice((0, 1, 30, 2**40, 2**63 - 1, -(2**63))),
    "number": lambda rng: rng.choice((0, 1.5, 1e300)),
    "boolean": lambda rng: rng.choice((True, False)),
    "int-or-string": lambda rng: rng.choice((0, 1, -1, "50%", "http", "", 2**31 - 1, "150%", "x%")),
    "quantity": lambda rng: rng.choice(
        ("0", "1", "500m", "1Gi", "-1", "1e3", 1, 0.5, "1n", "9e18", "1E", "0.1m")
    ),
    "date-time": lambda rng: rng.choice(
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456Z", "1970-01-01T00:00:00Z")
    ),
}


# ---- places in a tree


def places(tree: Json, path: Path = ()) -> Iterator[Path]:
    """Every place below the top, at most 90 deep."""
    if len(path) > 90:
        return
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield (*path, name)
            yield from places(value, (*path, name))
    elif isinstance(tree, list):
        for place, value in enumerate(tree):
            yield (*path, place)
            yield from places(value, (*path, place))


def at(tree: Json, path: Path) -> Json:
    """What stands there."""
    for step in path:
        tree = tree[step]
    return tree


def put(tree: Json, path: Path, value: Json) -> None:
    """Change what stands there."""
    at(tree, path[:-1])[path[-1]] = value


def property_at(tree: Json, path: Path) -> Mapping[str, Any]:
    """What the schema says of a place; {} when nothing."""
    if not isinstance(tree, dict):
        return {}
    found: Mapping[str, Any] = {"struct": struct_of(str(tree.get("apiVersion")), str(tree.get("kind")))}
    for step in path:
        if isinstance(step, int):
            found = found.get("items", {})
        elif "values" in found:
            found = found["values"]
        else:
            struct = found.get("struct")
            found = properties_of(str(struct)).get(step, {}) if struct else {}
    return found


# ---- spoiling


def spoiled(tree: Json, rng: Random, times: int) -> Json:
    """A copy with so many things done to it."""
    result = json.loads(json.dumps(tree))
    for _ in range(times):
        found = list(places(result))
        if not found:
            return result
        path = rng.choice(found)
        rng.choice(_SPOILERS)(result, path, rng)
    return result


def _drop(tree: Json, path: Path, rng: Random) -> None:
    del at(tree, path[:-1])[path[-1]]


def _replace(tree: Json, path: Path, rng: Random) -> None:
    put(tree, path, strange(rng))


def _refit(tree: Json, path: Path, rng: Random) -> None:
    found = property_at(tree, path)
    put(tree, path, fitting(found, rng) if found else strange(rng))


def _null(tree: Json, path: Path, rng: Random) -> None:
    put(tree, path, None)


def _empty(tree: Json, path: Path, rng: Random) -> None:
    value = at(tree, path)
    put(tree, path, type(value)() if value is not None else {})


def _add(tree: Json, path: Path, rng: Random) -> None:
    """A field that the schema has, or one that it hasn't."""
    parent = at(tree, path[:-1])
    struct = property_at(tree, path[:-1]).get("struct")
    names = list(properties_of(str(struct))) if struct else []
    if not isinstance(parent, dict):
        parent.append(strange(rng))
    elif names and rng.random() < 0.8:
        name = rng.choice(names)
        parent[name] = fitting(properties_of(str(struct))[name], rng)
    else:
        parent[rng.choice(KEYS)] = strange(rng)


def _double(tree: Json, path: Path, rng: Random) -> None:
    value, parent = at(tree, path), at(tree, path[:-1])
    if isinstance(parent, list):
        parent.append(json.loads(json.dumps(value)))
    elif isinstance(value, list):
        put(tree, path, json.loads(json.dumps(value * 2)))


def _rename(tree: Json, path: Path, rng: Random) -> None:
    parent = at(tree, path[:-1])
    if isinstance(parent, dict):
        name = str(path[-1])
        parent[rng.choice((name.upper(), f"{name}s", name[:-1], f" {name}"))] = parent.pop(path[-1])


def _stretch(tree: Json, path: Path, rng: Random) -> None:
    value = at(tree, path)
    many = rng.choice((20, 200))
    if isinstance(value, str):
        put(tree, path, value * many)
    elif isinstance(value, list):
        put(tree, path, json.loads(json.dumps(value * many)) if len(value) < 5 else value)
    elif isinstance(value, dict) and len(value) < 50:
        value.update({f"k{place}": "v" for place in range(many)})
    elif isinstance(value, int):
        put(tree, path, value * 10**9)


def _nudge(tree: Json, path: Path, rng: Random) -> None:
    value = at(tree, path)
    if isinstance(value, bool):
        put(tree, path, not value)
    elif isinstance(value, int):
        put(tree, path, value + rng.choice((-1, 1)))
    elif isinstance(value, str):
        put(tree, path, rng.choice((value + "x", value[:-1], value.upper(), value + "-", rng.choice(TEXTS))))
    elif isinstance(value, list):
        value.reverse()


_SPOILERS: Final = (
    _drop, _replace, _refit, _refit, _refit, _null, _empty, _add, _add, _add, _double, _rename, _stretch, _nudge, _nudge,
)  # fmt: skip
