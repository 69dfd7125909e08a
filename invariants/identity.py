"""One at a time: a pod's name runs in one place, a lease has one holder, and who doesn't hold it writes nothing."""

from __future__ import annotations

from chaoskube.invariant import always
from chaoskube.models.objects import Lease, Pod
from chaoskube.models.observer import ContainerStarted, Entry, Observer, WriteSent, Written
from chaoskube.sim import SECOND

FREE = ("leases", "events")
"""What also who doesn't lead may write: the lease itself, and words about it."""


@always(on=[ContainerStarted])
def a_pod_runs_in_one_place(seen: Observer, event: Entry) -> None:
    """Containers of a pod of one name never run on two nodes at once.

    A member of a StatefulSet would write to the same disk twice. Nobody promises it once the pod's object was taken away
    while it ran (a forced deletion, or its node was deleted). (k/k#59848; kubernetes.io, "Force delete StatefulSet pods".)
    """
    started = event.event
    assert isinstance(started, ContainerStarted), "woken by its own event only"
    running = seen.running
    others = [node for node in running.nodes_of(started.pod) if node != started.node]
    if not others or started.pod in running.forced:
        return
    pod = seen.get(Pod, started.pod)
    owner = pod.metadata.controller if pod is not None else None
    identity = f" of {owner.kind} {owner.name}" if owner is not None else ""
    lasted = (event.at - running.since(started.pod, others[0])) / SECOND
    raise AssertionError(
        f"pod {started.pod}{identity} starts on {started.node}, and has been running on {others[0]} for {lasted:.1f} s"
    )


@always(on=[WriteSent])
def who_does_not_lead_writes_nothing(seen: Observer, event: Entry) -> None:
    """A component that elects a leader sends writes only while it believes to lead.

    What was begun under a lease that is lost would be done over what the next leader does. A belief may be late (nothing
    fences); work that goes on after it has ended is a bug. (cmd/kube-controller-manager/app/controllermanager.go: the process
    ends with its lease; k/k#65257.)
    """
    sent = event.event
    assert isinstance(sent, WriteSent), "woken by its own event only"
    if sent.resource in FREE:
        return
    lease = seen.elected.get(event.by.rpartition("-")[0])
    assert lease is None or event.by in seen.leaders[lease], (
        f"{event.by} does not lead, and sends: {sent.verb} {sent.resource} {sent.key} {sent.subresource}".rstrip()
    )


@always(on=[Written])
def a_lease_is_not_taken_while_it_runs(seen: Observer, event: Entry) -> None:
    """Nobody takes a lease from another before the duration that the holder wrote into it has passed since.

    Two would lead. Judged where no machine's time has run fast or slow. (staging/src/k8s.io/client-go/tools/leaderelection,
    isLeaseValid: the record's own duration counts, client-go commit b4217e149.)
    """
    written = event.event
    assert isinstance(written, Written), "woken by its own event only"
    if not isinstance(written.obj, Lease) or not isinstance(written.prev, Lease):
        return
    before, after = written.prev.spec, written.obj.spec
    if before is None or after is None or seen.clocks_have_drifted or not before.holder_identity:
        return
    change = seen.change_by(written)
    if before.holder_identity == after.holder_identity or not after.holder_identity or change is None:
        return
    renewed = seen.changed_at(written.obj, change.was)
    duration = (before.lease_duration_seconds or 0) * SECOND
    assert renewed is None or change.at - renewed >= duration, (
        f"{after.holder_identity} takes lease {written.key} from {before.holder_identity} "
        f"{(change.at - renewed) / SECOND:.1f} s after it was renewed for {duration // SECOND} s"
    )
