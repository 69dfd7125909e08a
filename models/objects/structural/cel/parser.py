"""From the text of a CEL expression to its tree: recursive descent by the precedence of the language definition.

Called through `cel.parse`. Expressions are kept once parsed: they are the same for all worlds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

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
    Select,
    Word,
    text_of,
    words,
)

_LEVELS: Final = (
    ("||",),
    ("&&",),
    ("==", "!=", "<", "<=", ">", ">=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
)
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_MACROS: Final = {"all": (2, 3), "exists": (2, 3), "exists_one": (2, 3), "map": (2, 3), "filter": (2,)}
DEPTH_MAX: Final = 250


@lru_cache(maxsize=1024)
def parse(source: str) -> Expression:
    """The tree of an expression. Raises CelError with the reason."""
    reader = _Reader(tuple(words(source)))
    tree = reader.expression()
    reader.expect("<EOF>")
    return tree


class _Reader:
    """The words of one expression, and how far it was read."""

    def __init__(self, found: tuple[Word, ...]) -> None:
        self._words = found
        self._position = 0
        self._depth = 0

    # ---- words

    @property
    def _next(self) -> Word:
        return self._words[self._position]

    def _take(self) -> Word:
        word = self._words[self._position]
        self._position += 1
        return word

    def _takes(self, text: str) -> bool:
        if self._next.text == text and self._next.sort in ("sign", "name", "end"):
            self._position += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """The next word must be this one."""
        if self._next.text != text:
            raise CelError(f"Syntax error: mismatched input '{self._next.text}' expecting '{text}'")
        if self._next.sort != "end":
            self._position += 1

    # ---- expressions

    def expression(self) -> Expression:
        """A whole expression: a choice, or what is above it."""
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise CelError(f"expression recursion limit exceeded: {DEPTH_MAX}")
        condition = self._binary(0)
        if self._takes("?"):
            yes = self._binary(0)
            self.expect(":")
            condition = Choice(condition, yes, self.expression())
        self._depth -= 1
        return condition

    def _binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._next.sort in ("sign", "name") and self._next.text in _LEVELS[level]:
            operator = self._take().text
            left = Call(operator, (left, self._binary(level + 1)))
        return left

    def _unary(self) -> Expression:
        if self._takes("!"):
            return Call("!", (self._unary(),))
        if self._takes("-"):
            return Call("negate", (self._unary(),))
        return self._member()

    def _member(self) -> Expression:
        found = self._primary()
        while True:
            if self._takes("."):
                found = self._after_dot(found)
            elif self._takes("["):
                found = Index(found, self.expression())
                self.expect("]")
            else:
                return found

    def _after_dot(self, target: Expression) -> Expression:
        word = self._take()
        if word.sort != "name":
            raise CelError(f"Syntax error: mismatched input '{word.text}' expecting IDENTIFIER")
        if not self._takes("("):
            return Select(target, word.text)
        arguments = self._list_until(")")
        if len(arguments) in _MACROS.get(word.text, ()):
            return _comprehension(word.text, target, arguments)
        return Call(word.text, (target, *arguments), is_method=True)

    def _primary(self) -> Expression:
        word = self._take()
        if word.sort == "int":
            return Literal(int(word.text, 0))
        if word.sort == "float":
            return Literal(float(word.text))
        if word.sort == "text":
            return Literal(text_of(word.text))
        if word.sort == "name":
            return self._named(word.text)
        if word.text == "(":
            inner = self.expression()
            self.expect(")")
            return inner
        if word.text == "[":
            return ListOf(self._list_until("]"))
        if word.text == "{":
            return MapOf(self._entries())
        raise CelError(f"Syntax error: extraneous input '{word.text}'")

    def _named(self, name: str) -> Expression:
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name])
        if not self._takes("("):
            return Name(name)
        arguments = self._list_until(")")
        if name != "has":
            return Call(name, arguments)
        if len(arguments) != 1 or not isinstance(arguments[0], Select):
            raise CelError("invalid argument to has() macro")
        return Has(arguments[0].operand, arguments[0].field)

    def _list_until(self, end: str) -> tuple[Expression, ...]:
        found: list[Expression] = []
        while not self._takes(end):
            if found:
                self.expect(",")
                if end != ")" and self._takes(end):
                    break
            found.append(self.expression())
        return tuple(found)

    def _entries(self) -> tuple[tuple[Expression, Expression], ...]:
        found: list[tuple[Expression, Expression]] = []
        while not self._takes("}"):
            if found:
                self.expect(",")
            key = self.expression()
            self.expect(":")
            found.append((key, self.expression()))
        return tuple(found)


def _comprehension(macro: str, over: Expression, arguments: tuple[Expression, ...]) -> Expression:
    """`map` with three arguments has a condition; the others have a second name."""
    count = 2 if len(arguments) == 3 and macro != "map" else 1
    names = tuple([one.name for one in arguments[:count] if isinstance(one, Name)])
    if len(names) != count:
        raise CelError("argument must be a simple name")
    return Comprehension(macro, over, names, arguments[count:])
