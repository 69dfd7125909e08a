"""Things by name, filled by decorators: adding one is one new file, and nothing to extend elsewhere."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Generic, TypeVar

from .errors import ModelBug, UsageError

T = TypeVar("T")
NAMES_SHOWN = 12
"""In a message; of more those that are most like what was written."""


class Catalogue(Generic[T]):
    """A named collection of one kind of thing (`what` says which, for messages)."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._things: dict[str, T] = {}

    def register(self, name: str, thing: T) -> T:
        """Add `thing`; a name may be taken once. Registering the same definition again replaces it."""
        known = self._things.get(name)
        if known is not None and _home(known) != _home(thing):
            raise ModelBug(f"two {self.what}s are called {name!r}: {_home(known)} and {_home(thing)}")
        self._things[name] = thing
        return thing

    def get(self, name: str) -> T:
        """The thing called `name`. Raises UsageError that offers the nearest name."""
        try:
            return self._things[name]
        except KeyError:
            raise UsageError(self._unknown(name)) from None

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._things))

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[T]:
        return iter([self._things[name] for name in self.names()])

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._things, n=1)
        shown = self.names()
        if len(shown) > NAMES_SHOWN:
            shown = (*difflib.get_close_matches(name, shown, n=NAMES_SHOWN, cutoff=0), "...")
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(shown) or 'none'}"
        return f"there is no {self.what} called {name!r}; {hint}"


def load_all(package: str) -> None:
    """Import every module below `package`, in the order of their names, so that decorators register."""
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(root.__path__, prefix=f"{package}.")
    for name in sorted(module.name for module in found):
        importlib.import_module(name)


def _home(thing: object) -> str:
    return f"{getattr(thing, '__module__', '?')}.{getattr(thing, '__qualname__', repr(thing))}"
