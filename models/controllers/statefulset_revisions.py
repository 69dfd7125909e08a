"""The revisions of a StatefulSet's template: their content and names, which one is which, which may go. Pure.

A revision holds the template as a patch; its name is a hash of exactly those bytes, so names are the real ones.

Sources: pkg/controller/history/controller_history.go, pkg/controller/statefulset/stateful_set_utils.go (getPatch,
newRevision, ApplyRevision), stateful_set_control.go (getStatefulSetRevisions, truncateHistory).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve, frozen

from chaoskube.models.controllers.statefulset_identity import controller_reference, revision_of
from chaoskube.models.objects import (
    ControllerRevision,
    ObjectMeta,
    Pod,
    PodTemplateSpec,
    StatefulSet,
    decode_as,
    encode,
    freeze,
    safe_encode,
    thaw,
)

HASH_LABEL = "controller.kubernetes.io/hash"
PREFIX_MAX = 223
HISTORY_LIMIT = 10
_HTML = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


@frozen(kw_only=True)
class Chosen:
    """What the set's template is called: as it stands, by a new number, or not yet at all (`create`)."""

    update: ControllerRevision
    create: bool = False
    renumber: int | None = None


def sorted_revisions(revisions: Iterable[ControllerRevision]) -> tuple[ControllerRevision, ...]:
    """Oldest number first; of one number the older, then by name."""
    return tuple(
        sorted(revisions, key=lambda one: (one.revision, one.metadata.creation_timestamp or 0, one.name))
    )


def new_revision(statefulset: StatefulSet, number: int, collisions: int) -> ControllerRevision:
    """The revision that the set's template makes."""
    template = statefulset.spec.template
    data = freeze({"spec": {"template": {**encode(template, carried=False), "$patch": "replace"}}})
    revision_hash = hash_of(data, collisions)
    return ControllerRevision(
        metadata=ObjectMeta(
            name=f"{statefulset.name[:PREFIX_MAX]}-{revision_hash}",
            namespace=statefulset.namespace,
            labels=template.metadata.labels.plus({HASH_LABEL: revision_hash}),
            annotations=statefulset.metadata.annotations,
            owner_references=(controller_reference(statefulset),),
        ),
        data=data,
        revision=number,
    )


def hash_of(data: object, collisions: int) -> str:
    """The hash of a revision's content (HashControllerRevision)."""
    return safe_encode(str(fnv32(f"{go_json(data)}{collisions}".encode())))


def fnv32(data: bytes) -> int:
    """FNV-1 with 32 bits."""
    value = 2166136261
    for byte in data:
        value = (value * 16777619 & 0xFFFFFFFF) ^ byte
    return value


def go_json(data: object) -> str:
    """JSON as Go writes a map: keys sorted, no space, nothing that HTML would read."""
    text = json.dumps(thaw(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_HTML)


def is_equal(left: ControllerRevision, right: ControllerRevision) -> bool:
    """Whether two revisions hold the same template."""
    return bool(left.data == right.data)


def next_number(revisions: Sequence[ControllerRevision]) -> int:
    """One more than the newest (they come sorted)."""
    return revisions[-1].revision + 1 if revisions else 1


def choose(statefulset: StatefulSet, revisions: Sequence[ControllerRevision], collisions: int) -> Chosen:
    """Which revision the template is: the newest, an older one that is to be the newest again, or a new one."""
    wanted = new_revision(statefulset, next_number(revisions), collisions)
    equal = [one for one in revisions if is_equal(one, wanted)]
    if not equal:
        return Chosen(update=wanted, create=True)
    if is_equal(revisions[-1], equal[-1]):
        return Chosen(update=revisions[-1])
    return Chosen(update=equal[-1], renumber=wanted.revision)


def current_of(
    statefulset: StatefulSet, revisions: Sequence[ControllerRevision], update: ControllerRevision
) -> ControllerRevision:
    """The revision that status.currentRevision names; the update revision where there is none."""
    for revision in revisions:
        if revision.name == statefulset.status.current_revision:
            return revision
    return update


def template_of(revision: ControllerRevision) -> PodTemplateSpec:
    """The template that a revision holds."""
    tree = revision.data["spec"]["template"]
    assert isinstance(tree, Mapping), f"revision {revision.key} holds {tree!r} as its template"
    return decode_as(PodTemplateSpec, {key: value for key, value in tree.items() if key != "$patch"})


def surplus(
    statefulset: StatefulSet,
    pods: Iterable[Pod],
    revisions: Sequence[ControllerRevision],
    live: Iterable[ControllerRevision],
) -> tuple[ControllerRevision, ...]:
    """The revisions beyond the history's limit that nobody uses, oldest first."""
    used = {one.name for one in live} | {revision_of(pod) for pod in pods}
    history = [one for one in revisions if one.name not in used]
    limit = statefulset.spec.revision_history_limit
    limit = HISTORY_LIMIT if limit is None else limit
    if limit < 0 or len(history) <= limit:
        return ()
    return tuple(history[: len(history) - limit])


def renumbered(revision: ControllerRevision, number: int) -> ControllerRevision:
    """The same revision, newer."""
    return evolve(revision, revision=number)
