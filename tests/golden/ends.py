"""Compares where two runs end: the objects that live then, by their decisions and conditions, and the number of pods.

For recordings whose histories are a race of two equal actors (`not_comparable`). Who calls it: `compare`.
"""

from __future__ import annotations

import json
from collections import Counter

from .answers import tree_differences
from .binding import Binding
from .difference import Difference
from .facets import facets_of
from .history import History, Run, labels_of
from .pairing import Pairs
from .trees import Json, text

_HASH_LABELS = (
    "pod-template-hash",
    "controller-revision-hash",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
)
_COUNTED = ("generation", "resourceVersion")


def compare_ends(left: Run, right: Run, pairs: Pairs, binding: Binding) -> list[Difference]:
    """A difference for each object that ends otherwise, and for each other number of pods."""
    found = []
    for one, other in pairs.both:
        if one.kind in ("Pod", "EndpointSlice"):
            continue
        what = _difference(one, other, binding)
        if what:
            found.append(
                Difference(
                    what=f"{one.kind} {one.name}: {what}", left=one.commits[-1], right=other.commits[-1]
                )
            )
    ours, theirs = _pods(left), _pods(right)
    for group in sorted({*ours, *theirs}):
        if ours[group] != theirs[group]:
            found.append(Difference(what=f"pods {group}: {ours[group]} at the end, here {theirs[group]}"))
    return found


def _difference(one: History, other: History, binding: Binding) -> str:
    ours, theirs = facets_of(one, lambda tree: tree), facets_of(other, binding.to_left)
    wrong = []
    for name in {**ours, **theirs}:
        if name not in ours or name not in theirs:
            wrong.append(f"{name} is only in {'the recording' if name in ours else 'ours'}")
        elif name == "decided":
            wrong += tree_differences(_decided(ours[name][-1].value), _decided(theirs[name][-1].value))
        elif ours[name][-1].value != theirs[name][-1].value:
            wrong.append(f"{name} is {ours[name][-1].value}, here {theirs[name][-1].value}")
    return "; ".join(wrong[:3])


def _decided(value: str) -> Json:
    return {key: one for key, one in json.loads(value).items() if key not in _COUNTED}


def _pods(run: Run) -> Counter[str]:
    """How many pods live at the end, by labels without hashes, phase and whether they go."""
    found: Counter[str] = Counter()
    for pod in run.of_kind("Pod"):
        if pod.commits[-1].type == "DELETED":
            continue
        labels = {key: value for key, value in labels_of(pod.last).items() if key not in _HASH_LABELS}
        phase = text(pod.last, "status", "phase")
        found[f"{json.dumps(labels, sort_keys=True)} {phase}"] += 1
    return found
