"""Where a version of etcd is known to be wrong: what we answer there, and why it doesn't count as a difference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import frozen

from chaoskube.models.etcd.messages import Event, EventType


@frozen(kw_only=True)
class Deviation:
    """A known bug of some versions of etcd, as seen in a watch that starts in the past."""

    issue: int
    versions: tuple[str, ...]
    says: str
    explains: Callable[[list[Event], list[Event], int], bool]
    """Do these events of ours, those of the real one, and the compacted revision differ by this alone?"""


def _lost_deletions(ours: list[Event], real: list[Event], compacted: int) -> bool:
    left = [
        event for event in ours if not (event.type is EventType.DELETE and event.kv.mod_revision == compacted)
    ]
    return left == real


KNOWN: Final = (
    Deviation(
        issue=18089,
        versions=("3.4.23", "3.5.1"),
        says="a compaction at r takes away the deletions made at r, and a watch from r misses them",
        explains=_lost_deletions,
    ),
)


def explanation(version: str, ours: list[Event], real: list[Event], compacted: int) -> Deviation | None:
    """The known deviation that makes these differ."""
    for one in KNOWN:
        if version in one.versions and one.explains(ours, real, compacted):
            return one
    return None
