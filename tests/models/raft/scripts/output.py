"""What the commands of a script print, silenced and indented as scripts ask."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

LEVELS: Final = ("debug", "info", "warn", "error", "fatal", "none")


class UnknownLevel(Exception):
    """A level of logging that doesn't exist; the text is etcd's."""


class Output:
    """Text being collected; at level `none` nothing is."""

    def __init__(self) -> None:
        self.text = ""
        self.level = LEVELS[0]

    @property
    def is_quiet(self) -> bool:
        """Is everything silenced?"""
        return self.level == LEVELS[-1]

    def set_level(self, name: str) -> None:
        """Let through what is at least as important; only `none` matters here, as we log nothing."""
        if name.lower() not in LEVELS:
            raise UnknownLevel(f"log levels must be either of [{' '.join(LEVELS).upper()}]")
        self.level = name.lower()

    def write(self, text: str) -> None:
        """Add `text` as it is."""
        if not self.is_quiet:
            self.text += text

    def take(self) -> str:
        """Everything since the last time."""
        text, self.text = self.text, ""
        return text

    @contextlib.contextmanager
    def under(self, heading: str) -> Iterator[None]:
        """A heading, and what is written meanwhile indented below it."""
        self.write(f"> {heading}\n")
        above, self.text = self.text, ""
        try:
            yield
        finally:
            self.text = above + "".join(f"  {line}\n" for line in self.text.splitlines())
