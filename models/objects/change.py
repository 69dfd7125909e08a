"""The next version of an object: a change by dotted path that shares all the rest.

evolve(pod, **{"status.phase": "Running", "metadata.labels": labels}). Called by every component that writes.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TypeVar

import attrs

from chaoskube.sim import ModelBug

T = TypeVar("T")


def evolve(obj: T, **changes: object) -> T:
    """`obj` with the attributes at these dotted paths changed."""
    direct: dict[str, object] = {}
    nested: dict[str, dict[str, object]] = {}
    for path, value in changes.items():
        head, dot, rest = path.partition(".")
        if dot:
            nested.setdefault(head, {})[rest] = value
        else:
            direct[head] = value
    for head, inner in nested.items():
        part = getattr(obj, head)
        if part is None or head in direct:
            raise ModelBug(f"evolve: {head} of {type(obj).__name__} is absent or set twice; set it whole")
        direct[head] = evolve(part, **inner)
    cls = type(obj)
    names, values_of = _attributes(cls)
    values = dict(zip(names, values_of(obj), strict=True))
    values.update(direct)
    return cls(**values)


_known: dict[
    type, tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]
] = {}  # the same for all worlds


def _attributes(cls: type) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    """The names a class is made from, and what reads them: attrs.evolve, three times as fast."""
    found = _known.get(cls)
    if found is None:
        names = tuple(attribute.name for attribute in attrs.fields(cls) if attribute.init)
        found = _known[cls] = (names, attrgetter(*names))
    return found
