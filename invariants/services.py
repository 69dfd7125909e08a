"""Services: traffic survives what is done on purpose."""

from __future__ import annotations

from chaoskube.invariant import always
from chaoskube.models.objects import EndpointSlice, Pod, Service
from chaoskube.models.observer import Entry, Observer, RequestEnded, Written
from chaoskube.sim import SECOND

ENDPOINT_BOUND_NS = 5 * SECOND


@always(on=[RequestEnded])
def voluntary_disruption_loses_no_request(seen: Observer, event: Entry) -> None:
    """A rolling update, a drain or a scale-down loses no request.

    People do these on weekdays because they are told that nobody notices. Judged only where no fault was
    active from 30 s before the disruption to its end, or from 60 s before it after a fault of half a minute or
    more: a proxy that has failed to reach the API servers for that long waits up to a minute before it
    asks again (client-go's reflector), and sends requests to pods that are gone until then. Whether the owner has done what Kubernetes asks
    (readiness probe, preStop, grace, two replicas) decides what the story says, not whether it is found. A drain
    that leaves the pods no node to go to promises nothing.
    (kubernetes.io, "Pod lifecycle: termination of Pods"; pkg/kubelet and pkg/proxy act independently.)
    """
    ended = event.event
    assert isinstance(ended, RequestEnded), "woken by its own event only"
    if ended.outcome == "ok":
        return
    service = seen.get(Service, ended.service)
    if service is None:
        return
    behind = tuple(one for one in seen.deployments_behind(service) if one.spec.replicas)
    keys = tuple(one.key for one in behind)
    moved = seen.disruptions_of(keys, event.at)
    if not moved or not all(seen.has_been_calm_since(one.began) for one in moved):
        return
    if seen.was_handled_by_hand(keys, moved[0].began) or seen.has_nowhere_to_go(keys):
        return
    where = f" at {ended.endpoint}" if ended.endpoint else ""
    raise AssertionError(
        f"a request to Service {ended.service} from {ended.client} ended: {ended.outcome}{where}, "
        f"{(event.at - moved[-1].began) / SECOND:.1f} s after `{moved[-1].text}` and with no fault active"
    )


@always(on=[Written])
def dying_pods_are_not_ready_endpoints(seen: Observer, event: Entry, memory: dict[str, object]) -> None:
    """A pod that has been told to go for 5 s is not written into a slice as a ready endpoint.

    Traffic would go to it until it is dead. Judged in calm: a slow watch may delay what the controller knows.
    (staging/src/k8s.io/endpointslice/utils.go, podToEndpoint; k/k#54828.)
    """
    written = event.event
    assert isinstance(written, Written), "woken by its own event only"
    if isinstance(written.obj, Pod) and written.obj.metadata.deletion_timestamp is not None:
        memory.setdefault(written.obj.uid, event.at)
    if not isinstance(written.obj, EndpointSlice) or not seen.has_been_calm_since(event.at):
        return
    for endpoint in written.obj.endpoints or ():
        ready = endpoint.conditions is not None and endpoint.conditions.ready
        if not ready or endpoint.target_ref is None:
            continue
        key = f"{endpoint.target_ref.namespace}/{endpoint.target_ref.name}"
        pod = seen.get(Pod, key)
        since = memory.get(pod.uid) if pod is not None else None
        if isinstance(since, int) and pod is not None and endpoint.target_ref.uid == pod.uid:
            late = event.at - since
            assert late < ENDPOINT_BOUND_NS, (
                f"pod {key} was told to go {late / SECOND:.1f} s ago and is written as a ready endpoint in {written.key}"
            )
