"""The next version of an object: a change by dotted path that shares all the rest.

evolve(pod, **{"status.phase": "Running", "metadata.labels": labels}). Called by every component that writes.
"""

from __future__ import annotations

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
    return attrs.evolve(obj, **direct)  # type: ignore[misc]  # T is an attrs class; there is no bound for that
