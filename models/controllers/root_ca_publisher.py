"""The root CA publisher: every namespace has a ConfigMap `kube-root-ca.crt`, for pods that talk to the API.

One that is changed or deleted is put back. A namespace that goes refuses the new one, and that is fine.

Source: pkg/controller/certificates/rootcacertpublisher/publisher.go.

Not modelled: certificates; the bundle is empty, as where the controller manager was given none.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.models.client.api import has_cause, is_not_found
from chaoskube.models.controllers.base import ManagerContext, controller
from chaoskube.models.objects import ConfigMap, KubeObject, ObjectMeta, freeze
from chaoskube.sim import Refused

NAME = "kube-root-ca.crt"
DATA = freeze({"ca.crt": ""})
DESCRIPTION = "kubernetes.io/description"
SAID = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


@controller("root-ca-publisher", account="root-ca-cert-publisher")
class RootCaPublisher:
    """Keeps one ConfigMap in each namespace."""

    def __init__(self, manager: ManagerContext) -> None:
        self._client = manager.client
        self._workers = manager.workers(self.reconcile, workers=1)
        self._maps = manager.informer("configmaps")
        self._namespaces = manager.informer("namespaces")
        self._maps.add_handler(on_update=lambda old, new: self._map_changed(new), on_delete=self._map_changed)
        self._namespaces.add_handler(
            on_add=self._namespace_changed, on_update=lambda old, new: self._namespace_changed(new)
        )

    def start(self) -> None:
        """Begin to work."""
        self._workers.start()

    def _map_changed(self, config_map: KubeObject) -> None:
        if config_map.name == NAME:
            self._workers.add(config_map.namespace)

    def _namespace_changed(self, namespace: KubeObject) -> None:
        if namespace.metadata.deletion_timestamp is None:
            self._workers.add(namespace.name)

    async def reconcile(self, namespace: str) -> None:
        """Create or repair the map of one namespace."""
        known = self._maps.get(namespace, NAME)
        wanted = published(known if isinstance(known, ConfigMap) else None, namespace)
        if wanted is known:
            return
        try:
            if known is None:
                await self._client.create(wanted)
            else:
                await self._client.update(wanted)
        except Refused as refusal:
            if not is_not_found(refusal) and not has_cause(refusal, "NamespaceTerminating"):
                raise


def published(known: ConfigMap | None, namespace: str) -> ConfigMap:
    """The map as it should be; the known one itself when nothing is wrong with it."""
    if known is None:
        metadata = ObjectMeta(name=NAME, namespace=namespace, annotations=freeze({DESCRIPTION: SAID}))
        return ConfigMap(metadata=metadata, data=DATA)
    if known.data == DATA and DESCRIPTION in known.metadata.annotations:
        return known
    annotations = known.metadata.annotations.plus({DESCRIPTION: SAID})
    return evolve(known, data=DATA, metadata=evolve(known.metadata, annotations=annotations))
