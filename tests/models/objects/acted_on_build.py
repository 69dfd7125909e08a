"""Makes models/objects/acted_on.json: which fields of which class are read by which room; run by hand, after new code reads more.

    python -m tests.models.objects.acted_on_build

mypy is asked for the type of everything that has an attribute read in `models/` (but for the rules about objects in
models/objects themselves), so a `name` of a Node is not taken for a `name` of a Pod. What is carried in `extra` counts
when it is asked for by its name: `spec.extra.get("hostPID")`.

Not seen: reads by a computed name (`getattr(status, name)`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from mypy import build
from mypy.modulefinder import BuildSource
from mypy.nodes import (
    CallExpr,
    ComparisonExpr,
    Expression,
    IndexExpr,
    MemberExpr,
    MypyFile,
    Node,
    StrExpr,
)
from mypy.options import Options
from mypy.types import Instance, Type, TypeVarType, UnionType, get_proper_type

from chaoskube.models.objects.fields import json_name

OBJECTS = "chaoskube.models.objects"
ABOUT_STORING = ("strategy", "subresources", "bodies", "paths", "apply")  # what any kind goes through
ABOUT_OBJECTS = (
    "conditions",
    "selectors",
    "hash",
)  # questions that components ask of objects through this room


def main() -> None:
    """Write the file."""
    models = Path(__file__).parents[3] / "models"
    modules = [
        ".".join(("chaoskube", "models", *path.relative_to(models).with_suffix("").parts))
        for path in sorted(models.rglob("*.py"))
        if path.name != "__init__.py"
    ]
    result = build.build([BuildSource(None, module) for module in modules], options=_options())
    found: dict[str, dict[str, set[str]]] = {}
    for module, tree in sorted(result.files.items()):
        room = _room(module)
        if room:
            for cls, field in _reads(tree, result.types):
                found.setdefault(cls, {}).setdefault(field, set()).add(room)
    rows = {
        cls: {field: sorted(rooms) for field, rooms in sorted(fields.items())}
        for cls, fields in sorted(found.items())
    }
    (models / "objects" / "acted_on.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(f"{len(rows)} classes", file=sys.stderr)


def _options() -> Options:
    options = Options()
    options.export_types = True
    options.incremental = False
    options.preserve_asts = True
    options.namespace_packages = True
    options.ignore_missing_imports = True
    options.python_version = (3, 11)
    return options


def _room(module: str) -> str:
    """The room that a module stands in, "" where it doesn't count."""
    if not module.startswith("chaoskube.models."):
        return ""
    room, _, rest = module.removeprefix("chaoskube.models.").partition(".")
    if room == "objects":
        return "components" if rest in ABOUT_OBJECTS else ""
    return "" if room == "apiserver" and rest.startswith(ABOUT_STORING) else room


def _reads(tree: MypyFile, types: dict[Expression, Type]) -> Iterator[tuple[str, str]]:
    """(class, JSON name) of every attribute that a module reads of an object."""
    for node in _nodes(tree):
        if isinstance(node, MemberExpr):
            for cls in _classes(types.get(node.expr)):
                yield cls, json_name(node.name)
        elif isinstance(node, CallExpr) and isinstance(node.callee, MemberExpr):
            if node.callee.name == "get" and node.args:
                yield from _carried(node.callee.expr, node.args[0], types)
        elif isinstance(node, IndexExpr):
            yield from _carried(node.base, node.index, types)
        elif isinstance(node, ComparisonExpr) and node.operators in (["in"], ["not in"]):
            yield from _carried(node.operands[1], node.operands[0], types)


def _carried(holder: Expression, key: Expression, types: dict[Expression, Type]) -> Iterator[tuple[str, str]]:
    if isinstance(holder, MemberExpr) and holder.name == "extra" and isinstance(key, StrExpr):
        for cls in _classes(types.get(holder.expr)):
            yield cls, key.value


def _nodes(tree: MypyFile) -> Iterator[Node]:
    """All nodes of a module; mypy's own visitors cannot be subclassed from here."""
    waiting: list[object] = [tree]
    seen: set[int] = set()
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, (list, tuple)):
            waiting.extend(thing)
        elif isinstance(thing, Node) and id(thing) not in seen:
            seen.add(id(thing))
            yield thing
            waiting.extend(getattr(thing, name, None) for name in _CHILDREN)


_CHILDREN = [
    "analyzed",
    "args",
    "arguments",
    "base",
    "begin_index",
    "bodies",
    "body",
    "callee",
    "cond",
    "condlists",
    "defs",
    "else_body",
    "else_expr",
    "end_index",
    "expr",
    "exprs",
    "finally_body",
    "from_expr",
    "func",
    "generator",
    "guards",
    "handlers",
    "if_expr",
    "impl",
    "index",
    "indices",
    "initializer",
    "items",
    "key",
    "left",
    "left_expr",
    "lvalue",
    "lvalues",
    "msg",
    "operands",
    "original_def",
    "patterns",
    "right",
    "rvalue",
    "sequences",
    "stmt",
    "stmts",
    "stride",
    "subject",
    "target",
    "to_expr",
    "tuple_expr",
    "value",
    "vars",
]


def _classes(kind: Type | None) -> Iterator[str]:
    """The names of the object classes that a value may be of."""
    proper = get_proper_type(kind)
    if isinstance(proper, UnionType):
        for item in proper.items:
            yield from _classes(item)
    elif isinstance(proper, TypeVarType):
        yield from _classes(proper.upper_bound)
    elif isinstance(proper, Instance) and proper.type.fullname.startswith(OBJECTS):
        yield proper.type.name


if __name__ == "__main__":
    main()
