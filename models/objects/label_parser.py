"""The text of a label selector, read as the real parser reads it: `app=web,tier in (a, b),!canary`.

A lexer with ten signs and two words, and a parser that says what it found and what it expected. `in` and `notin` are words
only where an operator must stand. Source: staging/src/k8s.io/apimachinery/pkg/labels/selector.go. Called by selectors.py.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from chaoskube.models.objects.causes import go_text
from chaoskube.models.objects.names import label_value, qualified_name
from chaoskube.sim import UsageError

_TOKEN: Final = re.compile(r"[ \t\r\n]*(==|!=|[=!(),><]|[^ \t\r\n=!(),><]+)")
_SIGNS: Final = frozenset({"=", "==", "!=", "!", "(", ")", ",", ">", "<"})
_OPERATORS: Final = {"=": "in", "==": "in", "!=": "notin", "in": "in", "notin": "notin", ">": "gt", "<": "lt"}
_EXPECTED: Final = "in, notin, =, ==, !=, gt, lt"


class Term(NamedTuple):
    """One requirement as it was written."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


def parse_terms(text: str) -> tuple[Term, ...]:
    """All requirements, by key; a UsageError has the real parser's message."""
    reader = _Reader(text)
    found: list[Term] = []
    while True:
        token = reader.peek()
        if token == "":
            break
        if token in _SIGNS and token != "!":
            raise UsageError(f"found '{token}', expected: !, identifier, or 'end of string'")
        try:
            found.append(_term(reader))
        except UsageError as problem:
            raise UsageError(f"unable to parse requirement: {problem}") from None
        after = reader.take()
        if after == "":
            break
        if after != ",":
            raise UsageError(f"found '{after}', expected: ',' or 'end of string'")
        following = reader.peek()
        if following == "" or (following in _SIGNS and following != "!"):
            raise UsageError(f"found '{following}', expected: identifier after ','")
    return tuple(sorted(found, key=lambda term: term.key))


class _Reader:
    """The tokens of a text; "" is its end."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text.partition("\0")[0])
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self._at += 1
        return token


def _term(reader: _Reader) -> Term:
    key = reader.take()
    absent = key == "!"
    if absent:
        key = reader.take()
    if key in _SIGNS or key == "":
        raise UsageError(f"found '{key}', expected: identifier")
    wrong = qualified_name(key)
    if wrong:
        raise UsageError(f"<nil>: Invalid value: {go_text(key)}: {'; '.join(wrong)}")
    if absent:
        return Term(key, "!")
    if reader.peek() in ("", ","):
        return Term(key, "exists")
    sign = reader.take()
    operator = _OPERATORS.get(sign)
    if operator is None:
        raise UsageError(f"found '{sign}', expected: {_EXPECTED}")
    values = _values(reader) if sign in ("in", "notin") else (_value(reader),)
    _check(key, operator, values)
    return Term(key, operator, values)


def _value(reader: _Reader) -> str:
    if reader.peek() in ("", ","):
        return ""
    token = reader.take()
    if token in _SIGNS:
        raise UsageError(f"found '{token}', expected: identifier")
    return token


def _values(reader: _Reader) -> tuple[str, ...]:
    opening = reader.take()
    if opening != "(":
        raise UsageError(f"found '{opening}' expected: '('")
    first = reader.peek()
    if first == ")":
        reader.take()
        return ("",)
    if first == "" or first in _SIGNS and first != ",":
        raise UsageError(f"found '{first}', expected: ',', ')' or identifier")
    found: set[str] = set()
    while True:
        token = reader.take()
        following = reader.peek()
        if token == ",":
            if not found or following in (",", ")"):
                found.add("")
            if following == ")":
                break
        elif token == "" or token in _SIGNS:
            raise UsageError(f"found '{token}', expected: ',', or identifier")
        else:
            found.add(token)
            if following == ")":
                break
            if following != ",":
                raise UsageError(f"found '{following}', expected: ',' or ')'")
    reader.take()
    return tuple(sorted(found))


def _check(key: str, operator: str, values: tuple[str, ...]) -> None:
    """NewRequirement: values are labels' values, bounds are whole numbers."""
    problems = []
    for position, value in enumerate(values):
        if operator in ("gt", "lt") and not re.fullmatch(r"[+-]?[0-9]+", value):
            text = "for 'Gt', 'Lt' operators, the value must be an integer"
            problems.append(f"values[{position}]: Invalid value: {go_text(value)}: {text}")
    for position, value in enumerate(values):
        wrong = label_value(value)
        if wrong:
            problems.append(f"values[{position}][{key}]: Invalid value: {go_text(value)}: {'; '.join(wrong)}")
    if problems:
        raise UsageError(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
