"""kube-proxy of one node: turns what it knows of Services and EndpointSlices into the node's rules.

It knows only what its own watches told it, so each node has its own view and converges on its own. Nothing
is written until both watches have shown their whole state. A change is written at once if the last writing
was a second ago or more, else a second after it; only Services that changed are written.

Sources: `pkg/proxy/iptables/proxier.go` syncProxyRules, `pkg/proxy/runner` BoundedFrequencyRunner,
`pkg/proxy/config`. The decision itself is `network/endpoints.py`.

Not modelled: failing syncs (30 s retry), the forced run once an hour (it would change nothing), the health check
port, the node's own object; rules of Services deleted while the proxy was down vanish at its first sync.
"""

from chaoskube.models.client.api import ApiClient
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.limits import DEFAULT
from chaoskube.models.constants import PROXY_MIN_SYNC_PERIOD
from chaoskube.models.network.endpoints import MANAGED_LABEL, PortRule, rules_for
from chaoskube.models.network.events import ProxySynced
from chaoskube.models.network.rules import rule_table
from chaoskube.models.objects import EndpointSlice, KubeObject, Service
from chaoskube.sim import Address, Process

BY_SERVICE = "service"


class Proxy:
    """One life of one kube-proxy."""

    def __init__(self, process: Process, servers: tuple[Address, ...]) -> None:
        self._process = process
        self._table = rule_table(process.world, process.machine)
        client = ApiClient(process, servers, user="system:kube-proxy", agent="kube-proxy", limits=DEFAULT)
        self._services = Informer(client, "services")
        self._slices = Informer(client, "endpointslices", indexers={BY_SERVICE: _service_key})
        self._dirty: dict[str, None] = {}
        self._is_scheduled = False
        self._last_sync: int | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._services.add_handler(
            on_add=self._service_changed,
            on_update=lambda _old, new: self._service_changed(new),
            on_delete=self._service_changed,
        )
        self._slices.add_handler(
            on_add=self._slice_changed,
            on_update=lambda _old, new: self._slice_changed(new),
            on_delete=self._slice_changed,
        )
        self._services.when_synced(self._informer_synced)
        self._slices.when_synced(self._informer_synced)
        self._services.start()
        self._slices.start()

    def _service_changed(self, service: KubeObject) -> None:
        self._note(service.key)

    def _slice_changed(self, piece: KubeObject) -> None:
        for key in _service_key(piece):
            self._note(key)

    def _informer_synced(self) -> None:
        for key in self._table.services:
            # Left by an earlier life; the Service may be gone since.
            self._note(key)
        self._schedule()

    def _note(self, key: str) -> None:
        self._dirty[key] = None
        self._schedule()

    def _schedule(self) -> None:
        if self._is_scheduled or not (self._services.has_synced and self._slices.has_synced):
            return
        self._is_scheduled = True
        due = self._process.now
        if self._last_sync is not None:
            due = max(due, self._last_sync + PROXY_MIN_SYNC_PERIOD)
        self._process.call_at(due, self._sync)

    def _sync(self) -> None:
        """Write the rules of every Service that changed."""
        self._is_scheduled = False
        self._last_sync = self._process.now
        dirty, self._dirty = self._dirty, {}
        node = self._process.host
        for key in sorted(dirty):
            service = self._services.get_by_key(key)
            rules: tuple[PortRule, ...] = ()
            if isinstance(service, Service):
                slices = self._slices.by_index(BY_SERVICE, key)
                rules = rules_for(service, (one for one in slices if isinstance(one, EndpointSlice)), node)
            before = self._table.of_service(key)
            if before != rules:
                self._table.replace(key, rules)
                self._record(key, before, rules)

    def _record(self, key: str, before: tuple[PortRule, ...], after: tuple[PortRule, ...]) -> None:
        old = {rule.port_name: rule.internal.backends for rule in before}
        new = {rule.port_name: rule.internal.backends for rule in after}
        for port_name in {**old, **new}:
            was, now = old.get(port_name, ()), new.get(port_name, ())
            if was != now or port_name not in old or port_name not in new:
                self._process.record(
                    ProxySynced(
                        node=self._process.host,
                        service=key,
                        port_name=port_name,
                        before=was,
                        after=now,
                    )
                )


def boot_proxy(process: Process, servers: tuple[Address, ...]) -> None:
    """Boot a kube-proxy in `process`, for the node it runs on."""
    Proxy(process, servers).start()


def _service_key(piece: KubeObject) -> tuple[str, ...]:
    name = piece.labels.get(MANAGED_LABEL)
    return (f"{piece.namespace}/{name}",) if name else ()
