"""The words and the trees of CEL. Called by the parser and the evaluation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from attrs import frozen


class CelError(Exception):
    """An expression has no value: no such key, division by zero, a wrong type."""


class NotModelled(CelError):
    """An expression uses what this interpreter doesn't know: nobody can say what it means."""


@frozen
class Literal:
    """A number, a text, true, false, null."""

    value: object


@frozen
class Name:
    """A variable."""

    name: str


@frozen
class Select:
    """operand.field"""

    operand: Expression
    field: str


@frozen
class Has:
    """has(operand.field)"""

    operand: Expression
    field: str


@frozen
class Index:
    """operand[key]"""

    operand: Expression
    key: Expression


@frozen
class Call:
    """An operator or a function; a method's target is its first argument."""

    function: str
    arguments: tuple[Expression, ...]
    is_method: bool = False


@frozen
class Choice:
    """condition ? yes : no"""

    condition: Expression
    yes: Expression
    no: Expression


@frozen
class ListOf:
    """[a, b]"""

    items: tuple[Expression, ...]


@frozen
class MapOf:
    """{a: b}"""

    entries: tuple[tuple[Expression, Expression], ...]


@frozen
class Comprehension:
    """over.all(name, ...) and its sisters; `names` has two for the forms with a key or an index."""

    macro: str
    over: Expression
    names: tuple[str, ...]
    bodies: tuple[Expression, ...]


Expression: TypeAlias = Literal | Name | Select | Has | Index | Call | Choice | ListOf | MapOf | Comprehension

_WORD: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<float>\d+\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)
    |(?P<int>0x[0-9a-fA-F]+|\d+)
    |(?P<text>[rR]?(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))
    |(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@frozen
class Word:
    """One word of an expression: its sort (int, float, text, name, sign, end) and what it says."""

    sort: str
    text: str


def words(source: str) -> Iterator[Word]:
    """The words of an expression, and an end."""
    position = 0
    while position < len(source):
        found = _WORD.match(source, position)
        if found is None:
            raise CelError(f"Syntax error: token recognition error at: '{source[position]}'")
        position = found.end()
        if found.lastgroup != "space":
            yield Word(str(found.lastgroup), found.group())
    yield Word("end", "<EOF>")


def text_of(word: str) -> str:
    """What a text literal means."""
    is_raw = word[0] in "rR"
    body = word[1:] if is_raw else word
    quote = 3 if body[:3] in ("'''", '"""') and len(body) >= 6 else 1
    body = body[quote:-quote]
    return body if is_raw else re.sub(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", _unescaped, body)


def _unescaped(found: re.Match[str]) -> str:
    code = found.group(1)
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, code)
