"""Scripts of etcd's Raft: commands with the answers that the Go code gave, read into values.

    command key key=value key=(v1,v2)
    lines of input
    ----
    the answer, up to a blank line; or, when it holds blank lines itself, between two pairs of ----

The grammar is that of cockroachdb/datadriven. `kind_of` says which of the three kinds a script is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

RULE: Final = "----"
_WORD: Final = re.compile(r"(?P<key>[^\s=]+)(?:=(?:\((?P<list>[^)]*)\)|(?P<one>\S*)))?")
_KINDS: Final = {
    "quorum": ("committed", "vote"),
    "confchange": ("simple", "enter-joint", "leave-joint"),
}


class BadScript(Exception):
    """The text is not a script; the message says where and why."""


@frozen(kw_only=True)
class Argument:
    """One word of a command line: a bare key, or a key with values."""

    key: str
    values: tuple[str, ...] = ()


@frozen(kw_only=True)
class Directive:
    """One command and the answer that is expected."""

    line: int
    name: str
    arguments: tuple[Argument, ...] = ()
    input: str = ""
    expected: tuple[str, ...] = ()

    def bare(self) -> tuple[str, ...]:
        """The words without a value."""
        return tuple(argument.key for argument in self.arguments if not argument.values)

    def numbers(self) -> tuple[int, ...]:
        """The words without a value, which are numbers of nodes."""
        return tuple(int(word) for word in self.bare())

    def values(self, key: str) -> tuple[str, ...]:
        """What `key` was given, () when it is absent."""
        return tuple(value for argument in self.arguments if argument.key == key for value in argument.values)

    def value(self, key: str, otherwise: str) -> str:
        """The one value of `key`."""
        values = self.values(key)
        return values[-1] if values else otherwise


def read_script(path: Path) -> list[Directive]:
    """The commands in the file at `path`."""
    return list(parse(path.read_text(encoding="utf-8")))


def kind_of(script: list[Directive]) -> str:
    """`quorum`, `confchange` or `interaction`, by the commands in it."""
    for kind, commands in _KINDS.items():
        if any(directive.name in commands for directive in script):
            return kind
    return "interaction"


def parse(text: str) -> Iterator[Directive]:
    """Commands one after the other."""
    lines = text.splitlines()
    place = 0
    while place < len(lines):
        line = lines[place].strip()
        if not line or line.startswith("#"):
            place += 1
            continue
        start = place
        while line.endswith("\\") and place + 1 < len(lines):
            place += 1
            line = line[:-1] + " " + lines[place].strip()
        rule = _next_rule(lines, place + 1, start)
        expected, after = _expected(lines, rule + 1)
        name, *words = _words(line)
        yield Directive(
            line=start + 1,
            name=name.key,
            arguments=tuple(words),
            input="\n".join(lines[place + 1 : rule]).strip(),
            expected=tuple(expected),
        )
        place = after


def _words(line: str) -> list[Argument]:
    return [
        Argument(key=match["key"], values=_values(match["list"], match["one"]))
        for match in _WORD.finditer(line)
    ]


def _values(several: str | None, one: str | None) -> tuple[str, ...]:
    if several is not None:
        return tuple(value for value in re.split(r"[,\s]+", several) if value)
    return () if one is None else (one,)


def _next_rule(lines: list[str], place: int, start: int) -> int:
    for at in range(place, len(lines)):
        if lines[at] == RULE:
            return at
    raise BadScript(f"line {start + 1}: {lines[start]!r} is not followed by {RULE} and what is expected")


def _expected(lines: list[str], place: int) -> tuple[list[str], int]:
    """The lines expected, and where the next command may begin."""
    if lines[place : place + 1] == [RULE]:
        for end in range(place + 1, len(lines)):
            if lines[end : end + 2] == [RULE, RULE]:
                return lines[place + 1 : end], end + 2
        raise BadScript(f"line {place + 1}: {RULE} {RULE} is never closed")
    end = place
    while end < len(lines) and lines[end].strip():
        end += 1
    return lines[place:end], end
