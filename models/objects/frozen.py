"""Immutable JSON: the dictionary that nobody can scribble on.

One object stands in etcd, in two watch caches and in five informers at once, so whatever is reachable from
it must not change. `freeze` turns a plain JSON tree into FrozenDicts and tuples, `thaw` gives a plain,
private copy back. Called by the codec and by whoever holds JSON that isn't modelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

K = TypeVar("K")
V = TypeVar("V")

Tree: TypeAlias = dict[str, Any]  # a JSON object as json.loads gives it: the one place where Any is honest


class FrozenDict(dict[K, V]):
    """A dict that never changes and can be hashed; `plus` and `minus` make new ones."""

    __slots__ = ("_hash",)
    _hash: int

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a FrozenDict never changes: use plus() or minus() to make another")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # dict has none; this one cannot change
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", hash(frozenset(self.items())))
            return self._hash

    def plus(self, more: Mapping[K, V]) -> FrozenDict[K, V]:
        """This one with `more` on top."""
        return FrozenDict({**self, **more}) if more else self

    def minus(self, *keys: K) -> FrozenDict[K, V]:
        """This one without `keys`."""
        if not any(key in self for key in keys):
            return self
        return FrozenDict({key: value for key, value in self.items() if key not in keys})

    def __or__(self, more: Mapping[K, V]) -> FrozenDict[K, V]:  # type: ignore[override]  # stays frozen
        return self.plus(more)

    def copy(self) -> FrozenDict[K, V]:
        return self

    def __copy__(self) -> FrozenDict[K, V]:
        return self

    def __deepcopy__(self, _: object) -> FrozenDict[K, V]:
        return self

    def __reduce__(self) -> tuple[type[FrozenDict[K, V]], tuple[dict[K, V]]]:
        return (FrozenDict, (dict(self),))


EMPTY: FrozenDict[str, Any] = FrozenDict()
_LEAVES: Final = frozenset({str, int, bool, float, type(None)})


def freeze(tree: object) -> Any:
    """The same JSON, immutable: mappings become FrozenDicts, lists become tuples."""
    if type(tree) in _LEAVES or isinstance(tree, FrozenDict):
        return tree
    if isinstance(tree, Mapping):
        return FrozenDict({key: freeze(value) for key, value in tree.items()})
    if isinstance(tree, (list, tuple)):
        return tuple([freeze(value) for value in tree])
    return tree


def thaw(tree: object) -> Any:
    """A private, plain copy: dicts and lists."""
    if type(tree) in _LEAVES:
        return tree
    if isinstance(tree, Mapping):
        return {key: thaw(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [thaw(value) for value in tree]
    return tree
