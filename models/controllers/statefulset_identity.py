"""A StatefulSet's pods by number: names, labels, the claims that are theirs, the pod for a number. Pure.

Source: pkg/controller/statefulset/stateful_set_utils.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import evolve

from chaoskube.models.objects import (
    ClaimTemplate,
    FrozenDict,
    KubeObject,
    ObjectMeta,
    OwnerReference,
    PersistentVolumeClaim,
    PersistentVolumeClaimVolumeSource,
    Pod,
    PodTemplateSpec,
    StatefulSet,
    Volume,
)

POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"
POD_INDEX_LABEL = "apps.kubernetes.io/pod-index"
REVISION_LABEL = "controller-revision-hash"
_NAME = re.compile(r"(.*)-([0-9]+)")
_ORDINAL_MAX = 2**31 - 1


def parent_and_ordinal(name: str) -> tuple[str, int]:
    """The set and the number that a pod's name tells; ("", -1) when it is no such name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return "", -1
    ordinal = int(found[2])
    return found[1], ordinal if ordinal <= _ORDINAL_MAX else -1


def ordinal_of(pod: Pod) -> int:
    """The pod's number; -1 without one."""
    return parent_and_ordinal(pod.name)[1]


def is_member(statefulset: StatefulSet, pod: KubeObject) -> bool:
    """Whether the pod's name is one of the set's."""
    return parent_and_ordinal(pod.name)[0] == statefulset.name


def replicas_of(statefulset: StatefulSet) -> int:
    """spec.replicas, 1 when it isn't set."""
    return 1 if statefulset.spec.replicas is None else statefulset.spec.replicas


def start_of(statefulset: StatefulSet) -> int:
    """The number of the first replica."""
    return statefulset.spec.ordinals.start if statefulset.spec.ordinals is not None else 0


def is_in_range(statefulset: StatefulSet, ordinal: int) -> bool:
    """Whether a replica of that number is wanted."""
    start = start_of(statefulset)
    return start <= ordinal < start + replicas_of(statefulset)


def pod_name(statefulset: StatefulSet, ordinal: int) -> str:
    """SET-NUMBER."""
    return f"{statefulset.name}-{ordinal}"


def claim_name(statefulset: StatefulSet, template: ClaimTemplate, ordinal: int) -> str:
    """TEMPLATE-SET-NUMBER."""
    return f"{template.metadata.name}-{statefulset.name}-{ordinal}"


def claims_for(statefulset: StatefulSet, ordinal: int) -> tuple[PersistentVolumeClaim, ...]:
    """The claims that the pod of that number needs, in the order of their templates."""
    selector = statefulset.spec.selector
    own = selector.match_labels if selector is not None else FrozenDict()
    return tuple(
        [
            PersistentVolumeClaim(
                metadata=evolve(
                    template.metadata,
                    name=claim_name(statefulset, template, ordinal),
                    namespace=statefulset.namespace,
                    labels=template.metadata.labels.plus(own),
                ),
                spec=template.spec,
            )
            for template in statefulset.spec.volume_claim_templates
        ]
    )


def controller_reference(owner: KubeObject) -> OwnerReference:
    """The reference by which `owner` manages something."""
    return OwnerReference(
        api_version=owner.api_version,
        kind=owner.kind,
        name=owner.name,
        uid=owner.uid,
        controller=True,
        block_owner_deletion=True,
    )


# -- the pod of a number


def new_pod(statefulset: StatefulSet, template: PodTemplateSpec, revision: str, ordinal: int) -> Pod:
    """The pod of that number and revision, as it is sent to the server."""
    metadata = ObjectMeta(
        generate_name=f"{statefulset.name}-",
        namespace=statefulset.namespace,
        labels=template.metadata.labels.plus({REVISION_LABEL: revision}),
        annotations=template.metadata.annotations,
        finalizers=template.metadata.finalizers,
        owner_references=(controller_reference(statefulset),),
    )
    name = pod_name(statefulset, ordinal)
    spec = evolve(template.spec, hostname=name, subdomain=statefulset.spec.service_name or None)
    return with_storage(statefulset, with_identity(statefulset, Pod(metadata=metadata, spec=spec), ordinal))


def has_identity(statefulset: StatefulSet, pod: Pod) -> bool:
    """Whether name, namespace and label are those of a member."""
    parent, ordinal = parent_and_ordinal(pod.name)
    return (
        ordinal >= 0
        and parent == statefulset.name
        and pod.name == pod_name(statefulset, ordinal)
        and pod.namespace == statefulset.namespace
        and pod.labels.get(POD_NAME_LABEL) == pod.name
    )


def with_identity(statefulset: StatefulSet, pod: Pod, ordinal: int) -> Pod:
    """The pod under the name of that number."""
    name = pod_name(statefulset, ordinal)
    labels = pod.labels.plus({POD_NAME_LABEL: name, POD_INDEX_LABEL: str(ordinal)})
    metadata = evolve(pod.metadata, name=name, namespace=statefulset.namespace, labels=labels)
    return evolve(pod, metadata=metadata)


def has_storage(statefulset: StatefulSet, pod: Pod) -> bool:
    """Whether the pod's volumes are its claims."""
    ordinal = ordinal_of(pod)
    volumes = {volume.name: volume.persistent_volume_claim for volume in pod.spec.volumes}
    for template in statefulset.spec.volume_claim_templates:
        source = volumes.get(template.metadata.name)
        if source is None or source.claim_name != claim_name(statefulset, template, ordinal):
            return False
    return ordinal >= 0


def with_storage(statefulset: StatefulSet, pod: Pod) -> Pod:
    """The pod with its claims as volumes, before those that its template brings."""
    templates = statefulset.spec.volume_claim_templates
    if not templates:
        return pod
    ordinal = ordinal_of(pod)
    own = [
        Volume(
            name=template.metadata.name,
            persistent_volume_claim=PersistentVolumeClaimVolumeSource(
                claim_name=claim_name(statefulset, template, ordinal)
            ),
        )
        for template in templates
    ]
    names = {template.metadata.name for template in templates}
    others = [volume for volume in pod.spec.volumes if volume.name not in names]
    return evolve(pod, spec=evolve(pod.spec, volumes=(*own, *others)))


def revision_of(pod: Pod) -> str:
    """The revision that the pod was made of."""
    return pod.labels.get(REVISION_LABEL, "")


def by_ordinal(pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """The pods, lowest number first."""
    return tuple(sorted(pods, key=ordinal_of))
