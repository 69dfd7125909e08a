"""Compares the watches that a scenario opened on purpose: the same events in the same order, under the same label.

Versions are compared as an order, not as numbers; so are those in messages. Of a lease that is renewed for ever only
the holders count, in their order: how many renewals fall into a scenario is a matter of milliseconds. Who calls it:
`compare`.
"""

from __future__ import annotations

import json
import re

from .answers import tree_differences
from .binding import Binding, without_times
from .difference import Difference
from .recording import OwnWatch, Recording
from .trees import Json, Tree, at, text

_NUMBER = re.compile(r"\d+")


def compare_own_watches(left: Recording, right: Recording, binding: Binding) -> list[Difference]:
    """A difference for the first wrong event under each label."""
    ours, theirs = _by_label(left), _by_label(right)
    found = []
    for label in {**ours, **theirs}:
        wrong = _first_wrong(ours.get(label, []), theirs.get(label, []), binding)
        if wrong:
            found.append(Difference(what=f"watch {label}: {wrong}"))
    return found


def _by_label(recording: Recording) -> dict[str, list[OwnWatch]]:
    found: dict[str, list[OwnWatch]] = {}
    for record in recording.records:
        if isinstance(record, OwnWatch):
            found.setdefault(record.label, []).append(record)
    return found


def _first_wrong(ours: list[OwnWatch], theirs: list[OwnWatch], binding: Binding) -> str:
    if all(text(one.object, "kind") == "Lease" for one in [*ours, *theirs]):
        left, right = _holders(ours), _holders(theirs)
        return "" if left == right else f"holders were {left}, here {right}"
    if _is_unordered(ours):
        ours, theirs = _sorted(ours), _sorted(theirs)
    for place in range(max(len(ours), len(theirs))):
        if place >= len(theirs):
            return f"{_called(ours[place])} is missing"
        if place >= len(ours):
            return f"{_called(theirs[place])} is not in the recording"
        one, other = ours[place], theirs[place]
        if one.type != other.type:
            return f"{_called(one)}, here {_called(other)}"
        wrong = tree_differences(_comparable(one.object), _comparable(binding.to_left(other.object)))
        if wrong:
            return f"{_called(one)}: {'; '.join(wrong[:3])}"
    return ""


def _is_unordered(events: list[OwnWatch]) -> bool:
    """Whether it began with a state, whose objects have no order among each other."""
    versions = [text(event.object, "metadata", "resourceVersion") for event in events]
    numbers = [int(version) for version in versions if version.isdecimal()]
    return numbers != sorted(numbers) and all(event.type == "ADDED" for event in events)


def _sorted(events: list[OwnWatch]) -> list[OwnWatch]:
    return sorted(events, key=_called)


def _holders(events: list[OwnWatch]) -> list[tuple[int, Json, Json]]:
    """Who held the lease, by order of appearance, with its transitions and duration; repeats left out."""
    names: dict[str, int] = {}
    found: list[tuple[int, Json, Json]] = []
    for event in events:
        holder = names.setdefault(text(event.object, "spec", "holderIdentity"), len(names))
        state = (
            holder,
            at(event.object, "spec", "leaseTransitions"),
            at(event.object, "spec", "leaseDurationSeconds"),
        )
        if found[-1:] != [state]:
            found.append(state)
    return found


def _comparable(tree: Json) -> Json:
    alike = without_times(tree)
    if isinstance(alike, dict) and text(alike, "kind") == "Status":
        return {**alike, "message": _NUMBER.sub("N", text(alike, "message"))}
    return alike


def _called(event: OwnWatch) -> str:
    tree: Tree = event.object
    name = text(tree, "metadata", "name") or text(tree, "reason") or json.dumps(tree)[:60]
    return f"{event.type} {text(tree, 'kind')} {name}"
