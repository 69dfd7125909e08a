"""Compares the answers to the scenario's commands: status, reason, message, body.

Strict but for bound words, times and versions. The status of an object that controllers write meanwhile is not the
answer's business, so `status` is compared only where the request itself decides it: at a create, on a `/status`
path and in a `Status`. Who calls it: `compare`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from .binding import Binding, without_times
from .difference import Difference
from .not_comparable import HEALTH_PATHS
from .recording import Command, Kubelet, Recording
from .trees import Json, Tree, as_tree, items, text

_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def compare_answers(left: Recording, right: Recording, binding: Binding) -> list[Difference]:
    """A difference for each command whose answers differ."""
    found: list[Difference] = []
    for ours, theirs in zip(left.commands, right.commands, strict=False):
        if ours.path in HEALTH_PATHS:
            continue
        what = _difference(ours, theirs, binding)
        if what:
            found.append(Difference(what=f"{ours.verb} {ours.path}: {what}", left=ours, right=theirs))
    for ours in left.commands[len(right.commands) :]:
        found.append(Difference(what=f"{ours.verb} {ours.path}: was not sent", left=ours))
    return found


def _difference(ours: Command, theirs: Command, binding: Binding) -> str:
    if ours.status != theirs.status:
        return f"answered {_short(ours)}, here {_short(theirs)}"
    if ours.status is None:
        return ""  # what a client says when nobody answers is its own
    left = comparable(ours, ours.response)
    right = comparable(theirs, binding.to_left(theirs.response))
    return "" if left == right else "; ".join(tree_differences(left, right)[:3])


def _short(command: Command) -> str:
    if text(command.response, "kind") != "Status":
        return str(command.status)
    return f"{command.status} {text(command.response, 'reason')}: {text(command.response, 'message')}"


def bind_answers(left: Recording, right: Recording, binding: Binding) -> None:
    """Bind what the runs called differently in their commands: names in paths, and the objects answered."""
    for ours, theirs in zip(left.commands, right.commands, strict=False):
        for one, other in zip(ours.path.split("/"), theirs.path.split("/"), strict=False):
            if one != other:
                binding.bind(one, other)
        bind_answer(ours, theirs, binding)
    _bind_nodes(left, right, binding)


def bind_answer(ours: Command, theirs: Command, binding: Binding) -> None:
    """Bind the objects that two answers to one command carry."""
    _bind_object(as_tree(ours.response), as_tree(theirs.response), binding)
    for one, other in zip(items(ours.response, "items"), items(theirs.response, "items"), strict=False):
        if text(one, "metadata", "name") == text(other, "metadata", "name"):
            _bind_object(one, other, binding)
    _bind_uids(json.dumps(ours.response), json.dumps(theirs.response), binding)


def _bind_uids(ours: str, theirs: str, binding: Binding) -> None:
    """Bind the uids of two answers by their place, as far as neither is bound yet."""
    left, right = _UID.findall(ours), _UID.findall(theirs)
    if len(left) == len(right):
        for one, other in zip(left, right, strict=True):
            if one != other and binding.right_of(one) is None and binding.left_of(other) is None:
                binding.bind(one, other)


def _bind_nodes(left: Recording, right: Recording, binding: Binding) -> None:
    """Bind nodes (and pods) that the scenarios chose for the same part, by their place in the kubelet records."""
    asked, also = ([record for record in run.records if isinstance(record, Kubelet)] for run in (left, right))
    for one, other in zip(asked, also, strict=False):
        for ours, theirs in zip(one.args, other.args, strict=False):
            if isinstance(ours, str) and isinstance(theirs, str) and ours != theirs:
                binding.bind(ours, theirs)
                if binding.right_of(theirs) is None:
                    binding.bind(theirs, ours)


def _bind_object(ours: Tree, theirs: Tree, binding: Binding) -> None:
    """Bind the names of one object as both runs answered it."""
    for path in (("metadata", "uid"), ("metadata", "name"), ("spec", "clusterIP"), ("details", "uid")):
        one, other = text(ours, *path), text(theirs, *path)
        if one and other and one != other:
            binding.bind(one, other)


def comparable(command: Command, response: Json) -> Json:
    """The part of an answer that is compared."""
    decided_here = command.verb == "POST" or command.path.endswith("/status")
    chosen = _without_chosen_ports(response, json.dumps(command.body))
    return without_times(_stripped(chosen, decided_here))


def _without_chosen_ports(tree: Json, asked: str) -> Json:
    """The answer with every node port that the request didn't name made alike."""
    if isinstance(tree, Mapping):
        return {
            key: "<a port>"
            if key.endswith("odePort") and str(value) not in asked
            else _without_chosen_ports(value, asked)
            for key, value in tree.items()
        }
    return [_without_chosen_ports(item, asked) for item in tree] if isinstance(tree, list) else tree


def _stripped(response: Json, status_too: bool) -> Json:
    if not isinstance(response, Mapping):
        return response
    listed = response.get("items")
    if isinstance(listed, list):
        return {**response, "items": [_stripped(item, status_too) for item in listed]}
    if text(response, "kind") == "Status":
        return response
    return _without_bystanders(response, status_too)


def _without_bystanders(tree: Tree, status_too: bool) -> Tree:
    """The object without what others wrote into it in the meantime."""
    kept = dict(tree)
    if not status_too:
        kept.pop("status", None)
        managers = [
            one for one in items(tree, "metadata", "managedFields") if text(one, "subresource") != "status"
        ]
        if managers:
            kept["metadata"] = {**as_tree(tree["metadata"]), "managedFields": list[Json](managers)}
    spec = kept.get("spec")
    if isinstance(spec, Mapping) and "nodeName" in spec:
        kept["spec"] = {**spec, "nodeName": "<a node>"}
    return kept


def tree_differences(left: Json, right: Json, path: str = "") -> list[str]:
    """The paths at which two trees differ, with both values."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        found = []
        for key in {**left, **right}:
            found += tree_differences(left.get(key), right.get(key), f"{path}.{key}" if path else key)
        return found
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        found = []
        for at, (ours, theirs) in enumerate(zip(left, right, strict=True)):
            found += tree_differences(ours, theirs, f"{path}[{at}]")
        return found
    return [] if left == right else [f"{path} is {_json(left)}, here {_json(right)}"]


def _json(tree: Json) -> str:
    line = json.dumps(tree, sort_keys=True)
    return line if len(line) <= 160 else line[:157] + "..."
