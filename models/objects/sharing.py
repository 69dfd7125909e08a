"""One value for all that are equal: a thousand pods of a ReplicaSet share their probes, labels, conditions and owners.

Objects never change, so whoever holds one cannot tell whether others hold it too. The codec asks `share` for parts that
repeat (classes marked `SHARED`, maps of text, tuples of such) and `share_json` for what is carried. Only the newest few
thousand values are remembered. Nothing that can be seen depends on it.

Equal must mean the same JSON: in Python 1 == True == 1.0, so JSON that has more than one of those sorts is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

from chaoskube.models.objects.frozen import FrozenDict

T = TypeVar("T", bound=Hashable)
V = TypeVar("V")
REMEMBERED: Final = 8192
MADE_MAX: Final = 1024


def share(value: T) -> T:
    """The one that stands for all that equal this one."""
    found: T = _shared(value)  # the cache gives back what it was given, or an equal
    return found


def share_json(tree: FrozenDict[str, Any]) -> FrozenDict[str, Any]:
    """The same of carried JSON, if it has no two sorts of number."""
    sorts = _sorts(tree)
    return _shared_json(tree, sorts) if sorts <= {int} or sorts <= {bool} else tree


def made_once(value: V, key: int, make: Callable[[V, int], V]) -> V:
    """What `make` makes of this very value: both API servers that hear of it hold one result.

    Known by identity (comparing would cost more than making), and only for the newest values.
    """
    known = _made.get(id(value))
    if known is not None and known[0] is value and known[1] == key:
        result: V = known[2]
        return result
    if len(_made) >= MADE_MAX:
        _made.clear()
    result = make(value, key)
    _made[id(value)] = (value, key, result)
    return result


_made: dict[int, tuple[Any, int, Any]] = {}  # a memory of pure results: which of them are there shows nowhere


@lru_cache(maxsize=REMEMBERED)
def _shared(value: Any) -> Any:
    return value


@lru_cache(maxsize=REMEMBERED)
def _shared_json(tree: Any, sorts: frozenset[type]) -> Any:
    return tree


def _sorts(tree: object) -> frozenset[type]:
    """Which sorts of number there are."""
    if isinstance(tree, Mapping):
        return frozenset().union(*map(_sorts, tree.values()))
    if isinstance(tree, tuple):
        return frozenset().union(*map(_sorts, tree))
    return frozenset((type(tree),)) if isinstance(tree, (int, float)) else _NONE


_NONE: Final[frozenset[type]] = frozenset()
