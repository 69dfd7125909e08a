"""Plays a script and says where ours first differs from it.

Lines of the library's log (`DEBUG`, `INFO`, `WARN`, `ERROR`) are etcd's own wording and are dropped on both
sides; everything else is compared character by character. A command that prints nothing says `ok`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import zip_longest
from typing import Final, Protocol

from .confchange_player import ConfChangePlayer
from .environment import Environment
from .quorum_player import QuorumPlayer
from .script import BadScript, Directive, kind_of, parse

_LOG_LINE: Final = re.compile(r"\s*(DEBUG|INFO|WARN|ERROR|FATAL) ")


class Player(Protocol):
    """Answers the commands of one kind of script."""

    def answer(self, directive: Directive) -> str:
        """What the command prints."""
        ...


def player_for(kind: str) -> Player:
    """A fresh player; one script is played by one."""
    if kind == "quorum":
        return QuorumPlayer()
    if kind == "confchange":
        return ConfChangePlayer()
    return Environment()


def first_difference(text: str) -> str | None:
    """Where ours departs from the script in `text`, in one line; None when it doesn't."""
    try:
        script = list(parse(text))
    except BadScript as problem:
        return f"not a script: {problem}"
    player = player_for(kind_of(script))
    return next((one for directive in script if (one := _difference(player, directive)) is not None), None)


def _difference(player: Player, directive: Directive) -> str | None:
    where = f"line {directive.line}, {directive.name}"
    try:
        answer = player.answer(directive)
    except Exception as problem:  # noqa: BLE001  # whatever goes wrong is a verdict on the file
        return f"{where}: {type(problem).__name__}: {problem}"
    expected, ours = structured(directive.expected), structured(answer.splitlines())
    for theirs, mine in zip_longest(expected, ours):
        if theirs != mine:
            return f"{where}: expected {_shown(theirs)}, got {_shown(mine)}"
    return None


def structured(lines: Iterable[str]) -> list[str]:
    """The lines to compare."""
    kept = [line.rstrip() for line in lines if not _LOG_LINE.match(line)]
    return [] if kept == ["ok"] else kept


def _shown(line: str | None) -> str:
    return "no more lines" if line is None else repr(line.strip())
