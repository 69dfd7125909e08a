"""ReplicaSets: what they create, and that they get there."""

from __future__ import annotations

from chaoskube.invariant import always, eventually
from chaoskube.models.objects import ReplicaSet
from chaoskube.models.observer import Entry, Observer, PodCreateDecided

LEASE = "kube-controller-manager"


@always(on=[PodCreateDecided])
def replicaset_creates_no_extra_pod(seen: Observer, event: Entry) -> None:
    """A ReplicaSet never creates a pod that its own bookkeeping does not ask for.

    At each create, the pods that an up-to-date cache would count stay within the replicas that the controller
    has in mind; one more is a bill that nobody ordered, or a second copy of what must be single.
    (pkg/controller/replicaset/replica_set.go: expectations are checked before pods are counted, k/k#8138.)
    While two processes believe to lead, each keeps its own books and nothing is claimed.
    """
    decided = event.event
    assert isinstance(decided, PodCreateDecided), "woken by its own event only"
    if len(seen.leaders.get(LEASE, {})) > 1:
        return
    active = len(seen.active_pods_of_replicaset(decided.uid))
    after = active + 1
    assert after <= decided.replicas, (
        f"ReplicaSet {decided.replicaset} wants {decided.replicas} pods and has {active} active ones, yet "
        f"{event.by} creates another (it counted {decided.active})"
    )


@eventually(within="600s")
def replicasets_converge(seen: Observer) -> None:
    """Once faults stop, every ReplicaSet has as many active pods as it wants, and stays so.

    Too few is lost capacity, too many is wasted or split work. (pkg/controller/replicaset/replica_set.go.)
    """
    for one in seen.all(ReplicaSet):
        if one.metadata.deletion_timestamp is not None:
            continue
        wanted = one.spec.replicas or 0
        active = len(seen.active_pods_of_replicaset(one.uid))
        assert active == wanted, f"ReplicaSet {one.key} has {active} active pods and wants {wanted}"
        assert one.status.replicas == active, (
            f"ReplicaSet {one.key} says it has {one.status.replicas} pods, and has {active}"
        )
