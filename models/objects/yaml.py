"""YAML files to documents, read as kubectl reads them.

Scalars follow go-yaml (sigs.k8s.io/yaml), which is neither YAML 1.1 nor 1.2: `22:22` and timestamps are text, `1e3`
is a number, `0o644` and `0644` are octal, `y` and `no` are booleans, keys become text. A duplicate key is refused,
where kubectl would silently take the last. The stream of events is counted first, because deep nesting kills the C
loader and aliases explode later. A `List` is unpacked into its items.

Called by scenarios when they load manifests.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import Any, Final

import yaml
from attrs import field, frozen

from chaoskube.models.objects.frozen import Tree
from chaoskube.sim import UsageError

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # a PyYAML that was built without libyaml: slower, the same result
    from yaml import SafeLoader  # type: ignore[assignment]  # the same interface

DEPTH_MAX: Final = 100
ALIASES_MAX: Final = 1000
NODES_MAX: Final = 1_000_000


@frozen(kw_only=True)
class Document:
    """One object of a file, and where it stands."""

    tree: Tree
    source: str
    line: int
    node: yaml.Node | None = field(default=None, eq=False, repr=False)

    @property
    def place(self) -> str:
        """file:line, as errors say it."""
        return f"{self.source}:{self.line}"

    def place_of(self, path: str) -> str:
        """file:line of a field such as `spec.template.spec.containers[0].image`, or of what is nearest to it."""
        line = _line_of(self.node, path)
        return f"{self.source}:{line if line is not None else self.line}"


def load_documents(text: str, source: str) -> list[Document]:
    """All objects of a YAML (or JSON) text; empty documents are left out."""
    found: list[Document] = []
    try:
        _guard(text, source)
        loader = KubeLoader(text)
        try:
            while loader.check_node():
                node = loader.get_node()
                if node is None:
                    continue
                line = node.start_mark.line + 1
                size = _size(node, {})
                if size > NODES_MAX:
                    raise UsageError(f"{source}:{line}: document contains excessive aliasing ({size} values)")
                found.extend(_objects(loader.construct_document(node), source, node))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise UsageError(
            f"{_place(source, error.problem_mark or error.context_mark)}: {_words(error, text)}"
        ) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, max(0, text.find(chr(error.character)))) + 1
        words = f"the character U+{error.character:04X} is not allowed in YAML"
        raise UsageError(f"{source}:{line}: {words}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{source}: {' '.join(str(error).split())}") from error
    return found


def _objects(tree: object, source: str, node: yaml.Node) -> Iterator[Document]:
    line = node.start_mark.line + 1
    if tree is None:
        return
    if not isinstance(tree, dict):
        raise UsageError(f"{source}:{line}: a document must be a mapping with apiVersion and kind")
    for needed in ("apiVersion", "kind"):
        if not isinstance(tree.get(needed), str) or not tree[needed]:
            raise UsageError(
                f"{source}:{line}: {needed} is missing: every object needs apiVersion and kind, as text"
            )
    items = tree.get("items", ())
    if tree["kind"] == "List" and items is None:
        return
    if tree["kind"].endswith("List") and isinstance(items, list):
        nodes = _child(node, "items")
        for number, item in enumerate(items):
            yield from _objects(item, source, nodes.value[number] if nodes is not None else node)
    else:
        yield Document(tree=tree, source=source, line=line, node=node)


def _guard(text: str, source: str) -> None:
    """Refuse what would crash the loader or explode behind it."""
    depth = aliases = 0
    for event in yaml.parse(text, Loader=SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > DEPTH_MAX:
            raise UsageError(f"{_place(source, event.start_mark)}: nested more than {DEPTH_MAX} levels deep")
        if aliases > ALIASES_MAX:
            raise UsageError(f"{_place(source, event.start_mark)}: more than {ALIASES_MAX} aliases")


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for once its aliases are written out; a node inside itself is endless."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    place = id(node)  # identity is what an alias shares; the numbers order nothing
    if place in known:
        return known[place]
    known[place] = NODES_MAX + 1
    children = (
        [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    )
    total = 1
    for child in children:
        total += _size(child, known)
    known[place] = total
    return total


def _child(node: yaml.Node, name: str) -> yaml.Node | None:
    """The value under this key."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in reversed(pairs) if key.value == name), None)


def _line_of(node: yaml.Node | None, path: str) -> int | None:
    """The line of a path's field; of the nearest parent that is there, when the field is not."""
    line: int | None = None
    while node is not None and path:
        found = _step(node, path)
        if found is None:
            break
        mark, node, path = found
        line = mark.line + 1
    return line


def _step(node: yaml.Node, path: str) -> tuple[Any, yaml.Node, str] | None:
    """One step along a path: where it leads to, and what is left. A key may hold dots: the longest wins."""
    if isinstance(node, yaml.SequenceNode):
        match = re.match(r"\[(\d+)\]\.?", path)
        if match is None or int(match[1]) >= len(node.value):
            return None
        item = node.value[int(match[1])]
        return item.start_mark, item, path[match.end() :]
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    fitting = [
        (key, value)
        for key, value in pairs
        if isinstance(key.value, str)
        and path.startswith(key.value)
        and path[len(key.value) :][:1] in ("", ".", "[")
    ]
    if not fitting:
        return None
    key, value = max(fitting, key=lambda pair: len(pair[0].value))
    return key.start_mark, value, path[len(key.value) :].removeprefix(".")


def _place(source: str, mark: Any) -> str:
    return f"{source}:{mark.line + 1}" if mark is not None else source


def _words(error: yaml.MarkedYAMLError, text: str) -> str:
    mark, problem = error.problem_mark, error.problem or ""
    lines = text.split("\n")
    found = lines[mark.line][mark.column :][:1] if mark is not None and mark.line < len(lines) else ""
    if "tab character" in problem or (found == "\t" and "cannot start any token" in problem):
        return "a tab stands where spaces must: YAML indents with spaces only"
    if found and "cannot start any token" in problem:
        return f"a value cannot begin with {found!r} unless it is in quotes"
    return ": ".join(part for part in (error.context, problem) if part)


class KubeLoader(SafeLoader):
    """PyYAML's C loader with go-yaml's rules."""


KubeLoader.yaml_implicit_resolvers = {}


def _resolver(tag: str, pattern: str, first: list[str]) -> None:
    KubeLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)


_resolver(
    "bool",
    r"^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$",
    list("yYnNtTfFoO"),
)
_resolver(
    "int",
    r"^(?:[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$",
    list("-+0123456789"),
)
_resolver(
    "float",
    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
    list("-+0123456789."),
)
_resolver("merge", r"^(?:<<)$", ["<"])
_resolver("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""])


def _construct_bool(loader: KubeLoader, node: yaml.ScalarNode) -> bool:
    return node.value.lower() in ("y", "yes", "true", "on")


def _construct_int(loader: KubeLoader, node: yaml.ScalarNode) -> int | float:
    text = node.value.replace("_", "").lower()
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    for prefix, base in (("0b", 2), ("0o", 8), ("0x", 16)):
        if digits.startswith(prefix):
            value = sign * int(digits[2:], base)
            break
    else:
        value = sign * int(digits, 8 if len(digits) > 1 and digits[0] == "0" else 10)
    return value if -(2**63) <= value < 2**64 else float(value)


def _construct_float(loader: KubeLoader, node: yaml.ScalarNode) -> float | int:
    text = node.value.replace("_", "").lower()
    if text.lstrip("+-") in (".inf", ".nan"):
        raise yaml.constructor.ConstructorError(
            None, None, f"{node.value} has no place in JSON", node.start_mark
        )
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _construct_mapping(loader: KubeLoader, node: yaml.MappingNode) -> Iterator[dict[str, object]]:
    result: dict[str, object] = {}
    yield result
    own = sum(key.tag != "tag:yaml.org,2002:merge" for key, _ in node.value)
    loader.flatten_mapping(node)
    merged = len(node.value) - own  # flatten_mapping puts merged pairs first; the mapping's own override them
    seen: dict[str, bool] = {}
    for position, (key_node, value_node) in enumerate(node.value):
        key = _key(loader.construct_object(key_node, deep=True), key_node)
        if position >= merged:
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is set twice", key_node.start_mark
                )
            seen[key] = True
        result[key] = loader.construct_object(value_node, deep=True)


def _key(key: Hashable, node: yaml.Node) -> str:
    if isinstance(key, str):
        return key
    if key is None:
        return "null"
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, (int, float)):
        return str(key)
    raise yaml.constructor.ConstructorError(None, None, "a key must be a plain value", node.start_mark)


KubeLoader.add_constructor("tag:yaml.org,2002:bool", _construct_bool)
KubeLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
KubeLoader.add_constructor("tag:yaml.org,2002:float", _construct_float)
KubeLoader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
