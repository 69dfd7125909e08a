"""Compares the facets of paired objects, step by step, and says which objects only one run has.

Who calls it: `compare`.
"""

from __future__ import annotations

import json
from itertools import zip_longest

from .answers import tree_differences
from .binding import Binding
from .difference import Difference
from .facets import Step, facets_of
from .history import History
from .pairing import Pairs
from .span import Span


def compare_objects(pairs: Pairs, binding: Binding, span: Span) -> list[Difference]:
    """A difference for the first wrong step of each facet, and for each object without its like."""
    found: list[Difference] = []
    for left, right in pairs.both:
        found += _compare_facets(left, right, binding, span)
    for lone in pairs.only_left:
        if not span.right_may_lack(lone.commits[0].t):
            found.append(Difference(what=f"{_called(lone)} has no like", left=lone.commits[0]))
    for lone in pairs.only_right:
        if not span.left_may_lack(lone.commits[0].t):
            what = f"{_called(lone)} is not in the recording"
            found.append(Difference(what=what, right=lone.commits[0]))
    return found


def _compare_facets(left: History, right: History, binding: Binding, span: Span) -> list[Difference]:
    ours, theirs = facets_of(left, lambda tree: tree), facets_of(right, binding.to_left)
    found = []
    for name in {**ours, **theirs}:
        wrong = _first_wrong(ours.get(name, []), theirs.get(name, []), span)
        if wrong is not None:
            step, here = wrong
            what = f"{_called(left)}: {_explained(name, step, here)}"
            found.append(
                Difference(what=what, left=step.commit if step else None, right=here.commit if here else None)
            )
    return found


def _first_wrong(ours: list[Step], theirs: list[Step], span: Span) -> tuple[Step | None, Step | None] | None:
    for step, here in zip_longest(ours, theirs):
        if step is None and here is not None:
            return None if span.left_may_lack(here.commit.t) else (None, here)
        if here is None and step is not None:
            return None if span.right_may_lack(step.commit.t) else (step, None)
        if step is not None and here is not None and step.value != here.value:
            return step, here
    return None


def _explained(name: str, step: Step | None, here: Step | None) -> str:
    if step is None or here is None:
        missing = "is missing" if here is None else "is not in the recording"
        present = step or here
        return f"{name} {_short(name, present.value if present else '')} {missing}"
    if name == "decided":
        return "; ".join(tree_differences(json.loads(step.value), json.loads(here.value))[:3])
    return f"{name} is {step.value}, here {here.value}"


def _short(name: str, value: str) -> str:
    if name != "decided":
        return value
    tree = json.loads(value)
    told = {key: tree[key] for key in ("generation", "deleting", "gone", "finalizers") if tree.get(key)}
    return json.dumps(told)


def _called(history: History) -> str:
    return f"{history.kind} {history.name}"
