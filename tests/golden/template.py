"""Which ReplicaSet of a Deployment is the new one: the oldest whose template is the Deployment's.

Source: pkg/controller/deployment/util/deployment_util.go FindNewReplicaSet, EqualIgnoreHash.
"""

from __future__ import annotations

from collections.abc import Iterable

from .trees import Json, Tree, mapping, text


def is_new(deployment: Tree, sets: Iterable[Tree]) -> Tree:
    """The new ReplicaSet among `sets`, an empty tree when there is none yet."""
    wanted = without_hash(mapping(deployment, "spec", "template"))
    same = [tree for tree in sets if without_hash(mapping(tree, "spec", "template")) == wanted]
    oldest = min(
        same,
        key=lambda tree: (text(tree, "metadata", "creationTimestamp"), text(tree, "metadata", "name")),
        default={},
    )
    return oldest


def without_hash(template: Tree) -> dict[str, Json]:
    """The template without its pod-template-hash label and creation time."""
    meta = dict(mapping(template, "metadata"))
    meta.pop("creationTimestamp", None)
    labels = {key: value for key, value in mapping(meta, "labels").items() if key != "pod-template-hash"}
    return {**template, "metadata": {**meta, "labels": labels}}
