"""Changes of members as scripts write them: `v1 l2 r3 u4` for voter, learner, remove, update."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chaoskube.models.raft.messages import ConfChangeSingle, ConfChangeType

_KINDS: Final = {
    "v": ConfChangeType.ADD_NODE,
    "l": ConfChangeType.ADD_LEARNER_NODE,
    "r": ConfChangeType.REMOVE_NODE,
    "u": ConfChangeType.UPDATE_NODE,
}
_LETTERS: Final = {kind: letter for letter, kind in _KINDS.items()}


class BadChange(Exception):
    """A word that is no change; the text is etcd's."""


def changes_from(text: str) -> tuple[ConfChangeSingle, ...]:
    """The changes in `text`, in order."""
    return tuple(_change(word) for word in text.split())


def _change(word: str) -> ConfChangeSingle:
    if len(word) < 2:
        raise BadChange(f"unknown token {word}")
    if word[0] not in _KINDS:
        raise BadChange(f"unknown input: {word}")
    return ConfChangeSingle(type=_KINDS[word[0]], node_id=int(word[1:]))


def text_of(changes: Iterable[ConfChangeSingle]) -> str:
    """The other way round."""
    return " ".join(f"{_LETTERS[change.type]}{change.node_id}" for change in changes)
