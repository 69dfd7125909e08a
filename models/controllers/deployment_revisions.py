"""Revisions: which ReplicaSet is the new one, what it is called, and the annotations that keep the history.

The new ReplicaSet is the oldest whose template equals the Deployment's, the hash label aside; so going back to an
old template finds its old ReplicaSet, which then gets the highest revision. Pure.

Source: pkg/controller/deployment/util/deployment_util.go, pkg/controller/deployment/sync.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from chaoskube.models.controllers.deployment_rolling import (
    DESIRED_ANNOTATION,
    MAX_ANNOTATION,
    annotation_number,
    by_age,
    max_surge,
    wanted,
)
from chaoskube.models.controllers.replicaset_core import wanted_replicas
from chaoskube.models.objects import (
    Deployment,
    LabelSelector,
    ObjectMeta,
    OwnerReference,
    PodTemplateSpec,
    ReplicaSet,
    ReplicaSetSpec,
    template_hash,
)

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
HISTORY_CHARS_MAX = 2000
_NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_ANNOTATION,
    MAX_ANNOTATION,
    "deprecated.deployment.rollback.to",
)


def same_template(one: PodTemplateSpec, other: PodTemplateSpec) -> bool:
    """Whether two templates are equal but for the hash label."""
    return one.spec == other.spec and _bare(one) == _bare(other)


def _bare(template: PodTemplateSpec) -> PodTemplateSpec:
    metadata = template.metadata
    return evolve(template, metadata=evolve(metadata, labels=metadata.labels.minus(HASH_LABEL)))


def find_new(deployment: Deployment, replicasets: Iterable[ReplicaSet]) -> ReplicaSet | None:
    """The ReplicaSet of the Deployment's present template, the oldest if there are several."""
    for replicaset in by_age(replicasets):
        if same_template(replicaset.spec.template, deployment.spec.template):
            return replicaset
    return None


def revision_of(obj: ReplicaSet | Deployment) -> int:
    """The revision annotation as a number, 0 when it is missing or not one."""
    try:
        return int(obj.metadata.annotations.get(REVISION, "0") or "0")
    except ValueError:
        return 0


def next_revision(old_sets: Iterable[ReplicaSet]) -> int:
    """One more than the highest revision of the old ReplicaSets."""
    return max((revision_of(replicaset) for replicaset in old_sets), default=0) + 1


def annotated(deployment: Deployment, replicaset: ReplicaSet, revision: int, *, exists: bool) -> ReplicaSet:
    """The new ReplicaSet with the Deployment's annotations and its revision (SetNewReplicaSetAnnotations)."""
    annotations = dict(replicaset.metadata.annotations)
    annotations.update(
        {key: text for key, text in deployment.metadata.annotations.items() if key not in _NOT_COPIED}
    )
    standing = annotations.get(REVISION, "")
    if revision_of(replicaset) < revision:
        annotations[REVISION] = str(revision)
        if standing:
            annotations[REVISION_HISTORY] = _history(annotations.get(REVISION_HISTORY, ""), standing)
    made = replicaset.metadata.annotations.plus(annotations)
    changed = evolve(replicaset, metadata=evolve(replicaset.metadata, annotations=made))
    return changed if exists else sized(deployment, changed, wanted_replicas(changed))


def _history(standing: str, revision: str) -> str:
    revisions = [text for text in standing.split(",") if text] + [revision]
    while len(",".join(revisions)) > HISTORY_CHARS_MAX:
        del revisions[0]
    return ",".join(revisions)


def sized(deployment: Deployment, replicaset: ReplicaSet, size: int) -> ReplicaSet:
    """A ReplicaSet of that size, with the annotations that remember what it is a share of."""
    annotations = replicaset.metadata.annotations.plus(
        {
            DESIRED_ANNOTATION: str(wanted(deployment)),
            MAX_ANNOTATION: str(wanted(deployment) + max_surge(deployment)),
        }
    )
    return evolve(
        replicaset,
        metadata=evolve(replicaset.metadata, annotations=annotations),
        spec=evolve(replicaset.spec, replicas=size),
    )


def needs_resize(deployment: Deployment, replicaset: ReplicaSet, size: int) -> bool:
    """Whether a write is due: the size or its annotations differ."""
    return (
        wanted_replicas(replicaset) != size
        or annotation_number(replicaset, DESIRED_ANNOTATION) != wanted(deployment)
        or annotation_number(replicaset, MAX_ANNOTATION) != wanted(deployment) + max_surge(deployment)
    )


def make_new(deployment: Deployment, revision: int) -> ReplicaSet:
    """The ReplicaSet for the present template, of size 0 for now."""
    code = template_hash(deployment.spec.template, deployment.status.collision_count)
    label = {HASH_LABEL: code}
    template = deployment.spec.template
    labels = template.metadata.labels.plus(label)
    selector = deployment.spec.selector or LabelSelector()
    replicaset = ReplicaSet(
        metadata=ObjectMeta(
            name=f"{deployment.name}-{code}",
            namespace=deployment.namespace,
            labels=labels,
            owner_references=(
                OwnerReference(
                    api_version=deployment.api_version,
                    kind=deployment.kind,
                    name=deployment.name,
                    uid=deployment.uid,
                    controller=True,
                    block_owner_deletion=True,
                ),
            ),
        ),
        spec=ReplicaSetSpec(
            replicas=0,
            min_ready_seconds=deployment.spec.min_ready_seconds,
            selector=evolve(selector, match_labels=selector.match_labels.plus(label)),
            template=evolve(template, metadata=evolve(template.metadata, labels=labels)),
        ),
    )
    return annotated(deployment, replicaset, revision, exists=False)


def beyond_history(deployment: Deployment, old_sets: Sequence[ReplicaSet]) -> tuple[ReplicaSet, ...]:
    """The old ReplicaSets to delete, lowest revision first (cleanupDeployment)."""
    limit = deployment.spec.revision_history_limit
    if limit is None or limit == 2**31 - 1:
        return ()
    alive = [each for each in old_sets if each.metadata.deletion_timestamp is None]
    surplus = len(alive) - limit
    if surplus <= 0:
        return ()
    alive.sort(key=lambda each: (revision_of(each), each.metadata.creation_timestamp or 0, each.name))
    return tuple([each for each in alive[:surplus] if _is_empty(each)])


def _is_empty(replicaset: ReplicaSet) -> bool:
    return (
        replicaset.status.replicas == 0
        and wanted_replicas(replicaset) == 0
        and replicaset.metadata.generation <= replicaset.status.observed_generation
    )
