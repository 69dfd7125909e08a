"""The value of a CEL tree. Values are those of JSON: None, bool, int, float, str, lists (or tuples) and mappings.

`&&`, `||`, `all` and `exists` take an error for "don't know": it only counts when the other side doesn't decide.

Called through `cel.evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from chaoskube.models.objects.structural.cel.functions import FUNCTIONS, compare, plain_index
from chaoskube.models.objects.structural.cel.syntax import (
    Call,
    CelError,
    Choice,
    Comprehension,
    Expression,
    Has,
    Index,
    ListOf,
    Literal,
    MapOf,
    Name,
    NotModelled,
    Select,
)
from chaoskube.models.objects.structural.equality import same

Variables = Mapping[str, object]


def evaluate(tree: Expression, variables: Variables) -> object:
    """The value of `tree`. Raises CelError when it has none."""
    return _EVALUATORS[type(tree)](tree, variables)


def _name(tree: Name, variables: Variables) -> object:
    if tree.name not in variables:
        raise CelError(f"undeclared reference to '{tree.name}'")
    return variables[tree.name]


def _select(tree: Select, variables: Variables) -> object:
    operand = evaluate(tree.operand, variables)
    if not isinstance(operand, Mapping):
        raise CelError("no such overload")
    field = unescaped(tree.field)
    if field not in operand:
        raise CelError(f"no such key: {field}")
    return operand[field]


def _has(tree: Has, variables: Variables) -> bool:
    operand = evaluate(tree.operand, variables)
    if not isinstance(operand, Mapping):
        raise CelError("no such overload")
    return unescaped(tree.field) in operand


def unescaped(field: str) -> str:
    """A property's own name: CEL spells what is no identifier with escapes, and marks its keywords."""
    if "__" not in field:
        return field
    if field.startswith("__") and field.endswith("__") and field[2:-2] in _KEYWORDS:
        return field[2:-2]
    for escape, sign in _ESCAPED_SIGNS:
        field = field.replace(escape, sign)
    return field


_KEYWORDS: Final = (
    *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
    *("import", "let", "loop", "package", "namespace", "return"),
)
_ESCAPED_SIGNS: Final = (("__dot__", "."), ("__dash__", "-"), ("__slash__", "/"), ("__underscores__", "__"))


def _index(tree: Index, variables: Variables) -> object:
    return plain_index(evaluate(tree.operand, variables), evaluate(tree.key, variables))


def _choice(tree: Choice, variables: Variables) -> object:
    return evaluate(tree.yes if _truth(tree.condition, variables) else tree.no, variables)


def _call(tree: Call, variables: Variables) -> object:
    if tree.function in ("&&", "||"):
        return _decided([(one, variables) for one in tree.arguments], deciding=tree.function == "||")
    arguments = [evaluate(one, variables) for one in tree.arguments]
    if tree.function in ("==", "!="):
        return same(*arguments) is (tree.function == "==")
    if tree.function in ("<", "<=", ">", ">="):
        return compare(tree.function, *arguments)
    function = FUNCTIONS.get(tree.function)
    if function is None:
        raise NotModelled(f"function {tree.function!r}")
    try:
        return function(*arguments)
    except (TypeError, AttributeError) as error:
        raise CelError("no such overload") from error


def _truth(tree: Expression, variables: Variables) -> bool:
    value = evaluate(tree, variables)
    if not isinstance(value, bool):
        raise CelError("no such overload")
    return value


def _decided(parts: Iterable[tuple[Expression, Variables]], *, deciding: bool) -> bool:
    """One part that says `deciding` decides; else an error is passed on; else it is the opposite."""
    error: CelError | None = None
    for part, variables in parts:
        try:
            if _truth(part, variables) is deciding:
                return deciding
        except CelError as found:
            error = error or found
    if error is not None:
        raise error
    return not deciding


# ---- macros


def _comprehension(tree: Comprehension, variables: Variables) -> object:
    over = evaluate(tree.over, variables)
    if not isinstance(over, (Mapping, list, tuple)):
        raise CelError("no such overload")
    scopes = [{**variables, **bound} for bound in _bindings(over, tree.names)]
    first, last = tree.bodies[0], tree.bodies[-1]
    if tree.macro in ("all", "exists"):
        return _decided([(first, one) for one in scopes], deciding=tree.macro == "exists")
    if tree.macro == "exists_one":
        return sum(_truth(first, one) for one in scopes) == 1
    if tree.macro == "filter":
        return [one[tree.names[0]] for one in scopes if _truth(first, one)]
    is_kept = len(tree.bodies) == 1
    return [evaluate(last, one) for one in scopes if is_kept or _truth(first, one)]


def _bindings(over: Any, names: tuple[str, ...]) -> list[dict[str, object]]:
    if len(names) == 1:
        return [{names[0]: item} for item in over]
    pairs = over.items() if isinstance(over, Mapping) else enumerate(over)
    return [dict(zip(names, pair, strict=True)) for pair in pairs]


_EVALUATORS: Final[Mapping[type, Callable[[Any, Variables], object]]] = {
    Literal: lambda tree, _: tree.value,
    Name: _name,
    Select: _select,
    Has: _has,
    Index: _index,
    Call: _call,
    Choice: _choice,
    ListOf: lambda tree, variables: [evaluate(item, variables) for item in tree.items],
    MapOf: lambda tree, variables: {
        evaluate(key, variables): evaluate(value, variables) for key, value in tree.entries
    },
    Comprehension: _comprehension,
}
