"""Small StatefulSets, their pods and claims, for tests."""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.controllers.statefulset_core import Revisions
from chaoskube.models.controllers.statefulset_identity import REVISION_LABEL, new_pod
from chaoskube.models.controllers.statefulset_revisions import new_revision
from chaoskube.models.objects import (
    ClaimRetentionPolicy,
    ClaimTemplate,
    LabelSelector,
    ObjectMeta,
    Pod,
    PodCondition,
    PodStatus,
    RollingUpdateStatefulSetStrategy,
    StatefulSet,
    StatefulSetSpec,
    StatefulSetStatus,
    StatefulSetUpdateStrategy,
)
from chaoskube.models.objects.stateful import StatefulSetOrdinals
from chaoskube.sim import SECOND
from tests.models.controllers.making import APP, template

NOW = 1000 * SECOND


def stateful_set(
    replicas: int = 3,
    *,
    image: str = "v1",
    policy: str = "OrderedReady",
    strategy: str = "RollingUpdate",
    partition: int | None = 0,
    start: int = 0,
    claims: tuple[str, ...] = (),
    retention: tuple[str, str] = ("Retain", "Retain"),
    status: StatefulSetStatus | None = None,
    min_ready_seconds: int = 0,
) -> StatefulSet:
    """A StatefulSet `ns/db`."""
    rolling = RollingUpdateStatefulSetStrategy(partition=partition) if partition is not None else None
    return StatefulSet(
        metadata=ObjectMeta(name="db", namespace="ns", uid="uid-db", generation=1),
        spec=StatefulSetSpec(
            replicas=replicas,
            selector=LabelSelector(match_labels=APP),
            template=template(image),
            service_name="db",
            pod_management_policy=policy,
            update_strategy=StatefulSetUpdateStrategy(type=strategy, rolling_update=rolling),
            ordinals=StatefulSetOrdinals(start=start) if start else None,
            volume_claim_templates=tuple(ClaimTemplate(metadata=ObjectMeta(name=name)) for name in claims),
            persistent_volume_claim_retention_policy=ClaimRetentionPolicy(
                when_deleted=retention[0], when_scaled=retention[1]
            ),
            min_ready_seconds=min_ready_seconds,
        ),
        status=status or StatefulSetStatus(),
    )


def revisions_of(old: StatefulSet, new: StatefulSet) -> Revisions:
    """The first's template as the current revision, the second's as the one to come."""
    return Revisions(current=new_revision(old, 1, 0), update=new_revision(new, 2, 0))


def member(
    statefulset: StatefulSet,
    ordinal: int,
    *,
    phase: str = "Running",
    ready: bool = True,
    going: bool = False,
    revision: str = "",
    uid: str = "",
) -> Pod:
    """A pod of the set as the server has it."""
    pod = new_pod(statefulset, statefulset.spec.template, "r1", ordinal)
    condition = PodCondition(type="Ready", status="True" if ready else "False", last_transition_time=0)
    labels = pod.labels.plus({REVISION_LABEL: revision}) if revision else pod.labels
    metadata = evolve(
        pod.metadata, uid=uid or f"uid-{pod.name}", deletion_timestamp=NOW if going else None, labels=labels
    )
    return evolve(pod, metadata=metadata, status=PodStatus(phase=phase, conditions=(condition,)))
