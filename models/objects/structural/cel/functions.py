"""Operators and functions of CEL: those of the language, and the ones on text and lists that Kubernetes adds.

Sources: cel-spec's langdef.md, github.com/google/cel-go/ext/strings.go, staging/src/k8s.io/apiserver/pkg/cel/library/{lists,
regex}.go.

Called by evaluation.py: TypeError and AttributeError mean that there is no such overload.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from chaoskube.models.objects.structural.cel.syntax import CelError
from chaoskube.models.objects.structural.equality import same
from chaoskube.models.objects.structural.numbers import INT64

_NO_OVERLOAD: Final = "no such overload"


def compare(operator: str, one: object, two: object) -> bool:
    """<, <=, > and >= of two numbers, two texts or two truths."""
    is_number = all(isinstance(side, (int, float)) and not isinstance(side, bool) for side in (one, two))
    if not is_number and (type(one) is not type(two) or not isinstance(one, (str, bool))):
        raise CelError(_NO_OVERLOAD)
    return _ORDERS[operator](one, two)


_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": lambda one, two: one < two,
    "<=": lambda one, two: one <= two,
    ">": lambda one, two: one > two,
    ">=": lambda one, two: one >= two,
}


def plain_index(operand: object, key: object) -> object:
    """operand[key]"""
    if isinstance(operand, Mapping):
        if key not in operand:
            raise CelError(f"no such key: {key}")
        return operand[key]
    if not isinstance(operand, (list, tuple)) or not isinstance(key, int) or isinstance(key, bool):
        raise CelError(_NO_OVERLOAD)
    if not 0 <= key < len(operand):
        raise CelError(f"index out of bounds: {key}")
    item: object = operand[key]
    return item


# ---- arithmetic


def _in_range(value: float) -> float:
    if isinstance(value, int) and not -INT64 <= value < INT64:
        raise CelError("return error for overflow")
    return value


def _numbers(one: object, two: object) -> tuple[Any, Any]:
    if type(one) is not type(two) or not isinstance(one, (int, float)) or isinstance(one, bool):
        raise CelError(_NO_OVERLOAD)
    return one, two


def _add(one: object, two: object) -> object:
    if isinstance(one, str) and isinstance(two, str):
        return one + two
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
        return [*one, *two]
    left, right = _numbers(one, two)
    return _in_range(left + right)


def _subtract(one: object, two: object) -> object:
    left, right = _numbers(one, two)
    return _in_range(left - right)


def _multiply(one: object, two: object) -> object:
    left, right = _numbers(one, two)
    return _in_range(left * right)


def _divide(one: object, two: object) -> object:
    left, right = _numbers(one, two)
    if isinstance(left, float):
        return left / right if right else float("nan") if not left else left * float("inf")
    if right == 0:
        raise CelError("division by zero")
    quotient = abs(left) // abs(right)
    return _in_range(quotient if (left < 0) == (right < 0) else -quotient)


def _modulo(one: object, two: object) -> object:
    if not isinstance(one, int) or not isinstance(two, int):
        raise CelError(_NO_OVERLOAD)
    if two == 0:
        raise CelError("modulus by zero")
    rest = abs(one) % abs(two)
    return rest if one >= 0 else -rest


def _negate(one: object) -> object:
    return _subtract(0.0 if isinstance(one, float) else 0, one)


def _not(one: object) -> bool:
    if not isinstance(one, bool):
        raise CelError(_NO_OVERLOAD)
    return not one


def _is_in(one: object, container: object) -> bool:
    if isinstance(container, Mapping):
        return one in container
    if not isinstance(container, (list, tuple)):
        raise CelError(_NO_OVERLOAD)
    return any(same(one, item) for item in container)


# ---- types


def _size(value: object) -> int:
    if not isinstance(value, (str, list, tuple, Mapping)):
        raise CelError(_NO_OVERLOAD)
    return len(value)


def _int(value: Any) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise CelError(f'strconv.ParseInt: parsing "{value}": invalid syntax') from error


def _double(value: Any) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise CelError(f'strconv.ParseFloat: parsing "{value}": invalid syntax') from error


def _string(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


# ---- text


def _is_matched(text: str, pattern: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error as error:
        raise CelError(f"error parsing regexp: {error}") from error


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found.group() if found else ""


def _char_at(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise CelError(f"index out of range: {index}")
    return text[index : index + 1]


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if not 0 <= start <= stop <= len(text):
        raise CelError(f"index out of range: {start if start > len(text) else stop}")
    return text[start:stop]


def _index_of(where: Any, what: object, start: int = 0) -> int:
    if isinstance(where, str) and isinstance(what, str):
        return where.find(what, start)
    return next((index for index, item in enumerate(where) if same(item, what)), -1)


def _last_index_of(where: Any, what: object) -> int:
    if isinstance(where, str) and isinstance(what, str):
        return where.rfind(what)
    return next((index for index in reversed(range(len(where))) if same(where[index], what)), -1)


# ---- lists


def _is_sorted(items: Sequence[Any]) -> bool:
    return all(compare("<=", one, two) for one, two in pairwise(items))


def _sum(items: Sequence[Any]) -> object:
    return _in_range(sum(items))


def _extreme(choose: Callable[[Sequence[Any]], Any], name: str) -> Callable[[Sequence[Any]], object]:
    def chosen(items: Sequence[Any]) -> object:
        if not items:
            raise CelError(f"{name} called on empty list")
        return choose(items)

    return chosen


FUNCTIONS: Final[Mapping[str, Callable[..., object]]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _modulo,
    "!": _not,
    "negate": _negate,
    "in": _is_in,
    "size": _size,
    "int": _int,
    "double": _double,
    "string": _string,
    "startsWith": lambda text, prefix: text.startswith(prefix),
    "endsWith": lambda text, suffix: text.endswith(suffix),
    "contains": lambda text, part: part in text,
    "matches": _is_matched,
    "find": _find,
    "findAll": lambda text, pattern: [found.group() for found in re.finditer(pattern, text)],
    "charAt": _char_at,
    "substring": _substring,
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "lowerAscii": lambda text: text.lower(),
    "upperAscii": lambda text: text.upper(),
    "replace": lambda text, old, new: text.replace(old, new),
    "split": lambda text, separator: text.split(separator) if separator else list(text),
    "join": lambda items, separator="": separator.join(items),
    "trim": lambda text: text.strip(),
    "isSorted": _is_sorted,
    "sum": _sum,
    "min": _extreme(min, "min"),
    "max": _extreme(max, "max"),
}
