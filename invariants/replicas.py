"""ReplicaSets: what they create, and that they get there."""

from __future__ import annotations

from chaoskube.invariant import always, eventually
from chaoskube.models.objects import ReplicaSet
from chaoskube.models.observer import Entry, Observer, PodCreateAnswered, PodCreateDecided

LEASE = "kube-controller-manager"


@always(on=[PodCreateDecided, PodCreateAnswered])
def replicaset_creates_no_extra_pod(seen: Observer, event: Entry, memory: dict[str, object]) -> None:
    """A ReplicaSet never creates a pod that its own bookkeeping does not ask for.

    At each create, the pods that an up-to-date cache would count stay within the replicas that the controller
    has in mind; one more is a bill that nobody ordered, or a second copy of what must be single.
    (pkg/controller/replicaset/replica_set.go: expectations are checked before pods are counted, k/k#8138.)
    Its books cannot hold a pod that its cache doesn't show yet and whose creation nobody confirmed to it: a
    create whose answer was lost (slowStartBatch counts it as failed), or that an earlier leader or life had
    sent. While two processes believe to lead, each keeps its own books and nothing is claimed.
    """
    told = event.event
    leaders = seen.leaders.get(LEASE, {})
    books = (event.by, leaders.get(event.by))
    if isinstance(told, PodCreateAnswered):
        memory[told.pod] = books
        return
    assert isinstance(told, PodCreateDecided), "woken by its own events only"
    if len(leaders) > 1:
        return
    active = sum(
        1
        for pod in seen.active_pods_of_replicaset(told.uid)
        if memory.get(pod.key) == books or seen.created_in(pod) <= told.pods_revision
    )
    after = active + 1
    assert after <= told.replicas, (
        f"ReplicaSet {told.replicaset} wants {told.replicas} pods and has {active} active ones, yet "
        f"{event.by} creates another (it counted {told.active})"
    )


@eventually(within="600s")
def replicasets_converge(seen: Observer) -> None:
    """Once faults stop, every ReplicaSet has as many active pods as it wants, and stays so.

    Too few is lost capacity, too many is wasted or split work. (pkg/controller/replicaset/replica_set.go.) Not judged: one
    whose pod came and went while a watch was broken. Its creation is expected for five minutes, and nothing wakes the controller
    when they are over (controller_utils.go, ExpectationsTimeout).
    """
    for one in seen.all(ReplicaSet):
        if one.metadata.deletion_timestamp is not None or seen.may_wait(one):
            continue
        wanted = one.spec.replicas or 0
        active = len(seen.active_pods_of_replicaset(one.uid))
        assert active == wanted, f"ReplicaSet {one.key} has {active} active pods and wants {wanted}"
        assert one.status.replicas == active, (
            f"ReplicaSet {one.key} says it has {one.status.replicas} pods, and has {active}"
        )
