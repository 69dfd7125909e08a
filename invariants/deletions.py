"""Destructive writes: each was justified by what the store held at that revision.

What controllers delete is read off the audit log by who they are: each has its own account.
"""

from __future__ import annotations

from collections.abc import Callable

from chaoskube.invariant import always
from chaoskube.models.objects import KubeObject, Namespace, Pod
from chaoskube.models.observer import Entry, Observer, Written

ACCOUNT = "system:serviceaccount:kube-system:"
NODE = "system:node:"
FOREGROUND = "foregroundDeletion"
OWNED = {
    "replicaset-controller": "ReplicaSet",
    "replication-controller": "ReplicationController",
    "statefulset-controller": "StatefulSet",
    "daemon-set-controller": "DaemonSet",
    "job-controller": "Job",
}
"""Controllers that delete pods, and what must control a pod that they delete."""


@always(on=[Written])
def each_deletion_has_its_reason(seen: Observer, event: Entry) -> None:
    """A controller deletes only what its own rule lets go, by the state of the store at that time.

    The garbage collector: what has no owner left that stays. The namespace controller: what is in a namespace that is being
    deleted. A workload's controller: pods that it controls. A stale cache is no excuse: what was decided on one is secured by
    a uid or asked again. (pkg/controller/garbagecollector/garbagecollector.go, attemptToDeleteItem;
    pkg/controller/namespace/deletion; pkg/controller/controller_ref_manager.go.)
    """
    written = event.event
    assert isinstance(written, Written), "woken by its own event only"
    if written.verb not in ("delete", "deletecollection") or written.prev is None:
        return
    name = written.user.removeprefix(ACCOUNT)
    if name == written.user:
        return
    why_not = _JUDGES.get(name, _of_a_workload)(seen, name, written.prev)
    assert why_not is None, f"{name} deletes {written.resource} {written.key}, though {why_not}"


@always(on=[Written])
def a_pod_is_gone_when_it_is_over(seen: Observer, event: Entry) -> None:
    """A kubelet takes a pod's object away only when none of its containers runs there any more.

    Its name, its address and its disk are given to others from then on. (pkg/kubelet/status/status_manager.go,
    canBeDeleted.)
    """
    written = event.event
    assert isinstance(written, Written), "woken by its own event only"
    if not isinstance(written.prev, Pod) or written.obj is not None or not written.user.startswith(NODE):
        return
    node = written.user.removeprefix(NODE)
    assert written.prev.spec.node_name != node or node not in seen.running.nodes_of(written.key), (
        f"{node} takes pod {written.key} away while its containers run"
    )


def _of_the_garbage_collector(seen: Observer, name: str, obj: KubeObject) -> str | None:
    if not obj.metadata.owner_references:
        return "it never had an owner"
    for reference in obj.metadata.owner_references:
        owner = seen.owner_of(obj, reference.uid)
        if owner is None:
            continue
        is_waiting = owner.metadata.deletion_timestamp is not None and FOREGROUND in (
            owner.metadata.finalizers or ()
        )
        if not is_waiting:
            return f"its owner {owner.kind} {owner.key} (uid {owner.uid}) is there"
    return None


def _of_the_namespace_controller(seen: Observer, name: str, obj: KubeObject) -> str | None:
    if isinstance(obj, Namespace):
        return None
    namespace = seen.get(Namespace, obj.namespace)
    if namespace is not None and namespace.metadata.deletion_timestamp is None:
        return f"namespace {obj.namespace} is not being deleted"
    return None


def _of_a_workload(seen: Observer, name: str, obj: KubeObject) -> str | None:
    wanted = OWNED.get(name)
    if wanted is None or not isinstance(obj, Pod):
        return None
    owner = obj.metadata.controller
    if owner is None or owner.kind != wanted:
        return f"it is controlled by {owner.kind + ' ' + owner.name if owner is not None else 'nobody'}"
    return None


_JUDGES: dict[str, Callable[[Observer, str, KubeObject], str | None]] = {
    "generic-garbage-collector": _of_the_garbage_collector,
    "namespace-controller": _of_the_namespace_controller,
}
