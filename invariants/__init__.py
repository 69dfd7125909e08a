"""What must hold, one file a subject. Reads `models.objects` and `models.observer`, no component's insides.

A file's functions are found by themselves; see CONTRIBUTING.md for how to add one.
"""

from __future__ import annotations

if not __name__.startswith("chaoskube."):
    raise ImportError("import chaoskube.invariants: the bare name would load every class twice")

import importlib
import pkgutil

from chaoskube.invariant import Invariant, collect


def all_of_a_cluster() -> tuple[Invariant, ...]:
    """Every invariant of every file here, by file and in order of definition."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found: dict[str, Invariant] = {}
    for name in names:
        for one in collect(importlib.import_module(f"{__name__}.{name}")):
            found.setdefault(one.name, one)
    return tuple(found.values())
