"""Who a pod belongs to, as far as the scheduler's informers know: for the default spreading of pods.

Source: pkg/scheduler/framework/plugins/helper/spread.go (DefaultSelector).

Not modelled: StatefulSets and ReplicationControllers as owners (their pods spread by their services alone).
"""

from __future__ import annotations

from collections.abc import Mapping

from chaoskube.models.client.informer import Informer
from chaoskube.models.objects import LabelSelector, Pod, ReplicaSet, Service
from chaoskube.models.objects.frozen import FrozenDict


class InformedOwners:
    """Answers from informers of services, replicasets and namespaces."""

    def __init__(self, services: Informer, replica_sets: Informer, namespaces: Informer) -> None:
        self._services = services
        self._replica_sets = replica_sets
        self._namespaces = namespaces

    def selectors_of(self, pod: Pod) -> tuple[LabelSelector, ...]:
        """The selectors of the services that select the pod, and of its ReplicaSet."""
        found = [
            LabelSelector(match_labels=FrozenDict(service.spec.selector))
            for service in self._services.list(pod.namespace)
            if isinstance(service, Service)
            and service.spec.selector
            and service.spec.selector.items() <= pod.labels.items()
        ]
        owner = pod.metadata.controller
        if owner is not None and owner.kind == "ReplicaSet":
            owning = self._replica_sets.get(pod.namespace, owner.name)
            if isinstance(owning, ReplicaSet) and owning.spec.selector is not None:
                found.append(owning.spec.selector)
        return tuple(found)

    def namespace_labels(self, namespace: str) -> Mapping[str, str]:
        """The labels of a namespace; none when it isn't known."""
        known = self._namespaces.get("", namespace)
        return known.labels if known is not None else {}
