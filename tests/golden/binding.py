"""The two-way binding of what each run named by itself: names, uids, template hashes, addresses, versions.

Left is the recording, right is ours (or a second recording). Both runs' texts are compared in the left run's
words: `to_left` rewrites every bound word of a right text. What stays unbound stays as it is, and so shows as a
difference. The player asks the other way round: `to_right` rewrites a recorded command. A resource version is
bound apart from words, because a small number can be a word by chance. Who calls it: `pairing`, `answers`, `player`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .trees import Json

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
A_TIME = "<time>"
A_VERSION = "<version>"
A_TOKEN = "<continue>"


class Binding:
    """Words of the left run and of the right run that mean the same thing."""

    def __init__(self) -> None:
        self._right_of: dict[str, str] = {}
        self._left_of: dict[str, str] = {}
        self._version_right_of: dict[str, str] = {}

    def bind(self, left: str, right: str) -> None:
        """From now on the two words mean the same."""
        if not left or not right:
            return
        self._right_of[left] = right
        self._left_of[right] = left

    def bind_version(self, left: str, right: str) -> None:
        """The two resource versions name the same write."""
        self._version_right_of[left] = right

    def right_of(self, left: str) -> str | None:
        """The right run's word for a left word, None while it is unbound."""
        return self._right_of.get(left)

    def left_of(self, right: str) -> str | None:
        """The left run's word for a right word, None while it is unbound."""
        return self._left_of.get(right)

    def version_to_right(self, left: str) -> str:
        """The right run's version for that write; a version that names no known write stays as it is."""
        return self._version_right_of.get(left, left)

    def to_left(self, right: Json) -> Json:
        """A right text or tree in the left run's words."""
        return _rewritten(right, self._left_of)

    def to_right(self, left: Json) -> Json:
        """A left text or tree in the right run's words."""
        return _rewritten(left, self._right_of)

    def words_to_left(self, right: str) -> str:
        """One right text in the left run's words."""
        return _words(right, self._left_of)

    def words_to_right(self, left: str) -> str:
        """One left text in the right run's words."""
        return _words(left, self._right_of)


def without_times(tree: Json, key: str = "") -> Json:
    """The tree with every time, resource version and continue token (it holds a version) made alike."""
    if isinstance(tree, str):
        if key == "resourceVersion":
            return A_VERSION if tree else ""
        if key == "continue":
            return A_TOKEN if tree else ""
        return _TIME.sub(A_TIME, tree)
    if isinstance(tree, Mapping):
        return {name: without_times(value, name) for name, value in tree.items()}
    if isinstance(tree, list):
        return [without_times(item) for item in tree]
    return tree


def _rewritten(tree: Json, words: Mapping[str, str]) -> Json:
    if isinstance(tree, str):
        return _words(tree, words)
    if isinstance(tree, Mapping):
        return {_words(key, words): _rewritten(value, words) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_rewritten(item, words) for item in tree]
    return tree


def _words(line: str, words: Mapping[str, str]) -> str:
    def one(found: re.Match[str]) -> str:
        word = found.group()
        if word in words:
            return words[word]
        bare = word.rstrip(".-")  # the end of a sentence, or a generateName
        return words.get(bare, bare) + word[len(bare) :]

    return _WORD.sub(one, line)
