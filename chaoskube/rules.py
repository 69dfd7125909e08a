"""Invariants of a user's own file, by reference: `tests/test_shop.py:my_rule`.

A trace that a user's own invariant broke names the invariant's file, so that `chaoskube replay` finds it
again without pytest. Invariants that belong to an installed scenario need no reference.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path

from chaoskube.invariant import Invariant, collect
from chaoskube.sim import UsageError


def rule_reference(invariant: Invariant) -> str | None:
    """`path:function` of an invariant that no import finds, or None for one of an installed package."""
    module = invariant.function.__module__
    if module.startswith("chaoskube."):
        return None
    path = Path(inspect.getsourcefile(invariant.function) or "")
    try:
        shown = path.relative_to(Path.cwd())
    except ValueError:
        shown = path
    return f"{shown}:{invariant.function.__name__}"


def load_rule(reference: str) -> Invariant:
    """The invariant that a reference names."""
    path, _, name = reference.rpartition(":")
    if not path:
        raise UsageError(f"{reference!r} is no invariant of a file; write it like: rules.py:my_rule")
    found = {one.function.__name__: one for one in load_rules(path)}
    if name not in found:
        raise UsageError(f"{path} has no invariant {name!r}; it has {', '.join(found) or 'none'}")
    return found[name]


def load_rules(path: str) -> tuple[Invariant, ...]:
    """All invariants of a Python file."""
    if not Path(path).is_file():
        raise UsageError(f"{path}: there is no such file (invariants are looked for in it)")
    known = next(
        (one for one in sys.modules.values() if getattr(one, "__file__", None) == str(Path(path).resolve())),
        None,
    )
    if known is not None:
        return collect(known)
    spec = importlib.util.spec_from_file_location(f"chaoskube_rules_{Path(path).stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}: is not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except UsageError as problem:
        raise UsageError(f"{path}: {problem}") from problem
    except (Exception, SystemExit) as problem:
        raise UsageError(f"{path}: cannot be imported: {type(problem).__name__}: {problem}") from problem
    return collect(module)
