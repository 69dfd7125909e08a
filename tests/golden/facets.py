"""What is compared strictly of an object: its decisions, its phase, its conditions, each as a sequence.

A facet is one question (`decided`: spec, generation, labels, owners, finalizers, deletion; `phase`; one for each
type of condition: status and reason); its sequence are the answers in the order of commits, repeats left out.
Facets are separate because a status may coalesce between two runs while a spec may not. Left out here and held by
rules instead: replicas and generation of a ReplicaSet that a Deployment scales, endpoints of a slice, which node,
all counts. Who calls it: `pairing` (alike is what has equal facets) and `objects`.

Not modelled: annotations, messages of conditions; the pod-template-hash inside a ReplicaSet's template (it stands
in its labels and selector too; the recorder's scenarios took it out of objects they had already recorded).
"""

from __future__ import annotations

import json
from collections.abc import Callable

from attrs import frozen

from .binding import without_times
from .history import History
from .recording import Watched
from .template import without_hash
from .trees import Json, Tree, items, mapping, text

Words = Callable[[Json], Json]
_NO_SPEC = {"apiVersion", "kind", "metadata", "status"}


@frozen(kw_only=True)
class Step:
    """One value of a facet and the commit that brought it."""

    value: str
    commit: Watched


def facets_of(history: History, words: Words) -> dict[str, list[Step]]:
    """The object's facets, by name, in the words that `words` rewrites to."""
    found: dict[str, list[Step]] = {}
    for commit in history.commits:
        for name, value in _values(commit, words).items():
            steps = found.setdefault(name, [])
            if not steps or steps[-1].value != value:
                steps.append(Step(value=value, commit=commit))
    return found


def _values(commit: Watched, words: Words) -> dict[str, str]:
    tree = commit.object
    values = {"decided": json.dumps(without_times(words(_decided(commit))), sort_keys=True)}
    phase = text(tree, "status", "phase")
    if phase:
        values["phase"] = phase
    for found in items(tree, "status", "conditions"):
        values[f"condition {text(found, 'type')}"] = f"{text(found, 'status')}({text(found, 'reason')})"
    return values


def _decided(commit: Watched) -> dict[str, Json]:
    tree, meta = commit.object, mapping(commit.object, "metadata")
    decided: dict[str, Json] = {
        "spec": _spec(tree),
        "generation": meta.get("generation"),
        "labels": meta.get("labels"),
        "owners": meta.get("ownerReferences"),
        "finalizers": meta.get("finalizers"),
        "deletionGracePeriodSeconds": meta.get("deletionGracePeriodSeconds"),
        "deleting": bool(meta.get("deletionTimestamp")),
        "gone": commit.type == "DELETED",
    }
    if commit.kind == "EndpointSlice" or is_scaled_by_deployment(tree):
        decided.pop("generation")
    return decided


def _spec(tree: Tree) -> Json:
    kind = text(tree, "kind")
    if kind == "EndpointSlice":
        return tree.get("addressType")
    spec = dict(mapping(tree, "spec")) if "spec" in tree else _rest(tree)
    if kind == "Pod" and "nodeName" in spec:
        spec["nodeName"] = "<a node>"
    if kind == "Service":
        spec["ports"] = [{**port, "nodePort": bool(port.get("nodePort"))} for port in items(spec, "ports")]
        spec.pop("healthCheckNodePort", None)
    if is_scaled_by_deployment(tree):
        spec.pop("replicas", None)
        spec["template"] = without_hash(mapping(spec, "template"))
    return spec


def is_scaled_by_deployment(tree: Tree) -> bool:
    """Whether this is a ReplicaSet whose replicas a Deployment sets."""
    owners = items(tree, "metadata", "ownerReferences")
    return text(tree, "kind") == "ReplicaSet" and any(text(owner, "kind") == "Deployment" for owner in owners)


def _rest(tree: Tree) -> dict[str, Json]:
    return {key: value for key, value in tree.items() if key not in _NO_SPEC}
