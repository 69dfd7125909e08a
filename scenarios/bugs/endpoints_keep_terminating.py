"""endpoints-keep-terminating: pods that are being deleted stay ready endpoints until they are gone."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from chaoskube.bug import bug, patched
from chaoskube.models.controllers import endpointslice_core
from chaoskube.models.objects import EndpointConditions, Pod, Service

_conditions = endpointslice_core.endpoint_conditions


def _ignore_deletion(pod: Pod, service: Service) -> EndpointConditions:
    alive = evolve(pod, metadata=evolve(pod.metadata, deletion_timestamp=None))
    return _conditions(alive, service)


@bug(
    "endpoints-keep-terminating",
    cites="kubernetes/kubernetes PR 54828",
    invariants=("dying-pods-are-not-ready-endpoints",),
    scenario="rolling-update",
    needs=("roll", "drain", "scale", "apply", "delete-pod"),
)
def endpoints_keep_terminating() -> Iterator[None]:
    """The EndpointSlice controller doesn't look at deletionTimestamp, so traffic goes to dying pods."""
    with patched(endpointslice_core, "endpoint_conditions", _ignore_deletion):
        yield
