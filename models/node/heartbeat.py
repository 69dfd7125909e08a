"""How a node says that it lives: registration, its lease every 10 s, and its status when it changes.

The lease is renewed from the version known last, with 5 tries at once and then the next turn. The node's
status is computed every 10 s and written when it has changed or 5 min have passed; until the node is Ready it
is computed every 100 ms.

Sources: `staging/src/k8s.io/component-helpers/apimachinery/lease/controller.go`,
`pkg/kubelet/kubelet_node_status.go` (registerWithAPIServer, tryUpdateNodeStatus), `pkg/kubelet/kubelet.go`
fastStatusUpdateOnce. Called by `node/kubelet.py`.

Not modelled: giving up API connections after repeated failures (the client's own pings find dead ones).
"""

from collections.abc import Callable

from attrs import evolve

from chaoskube.models.apiserver.api import PATCH, STRATEGIC, Request
from chaoskube.models.client.api import ApiClient, is_already_exists, is_conflict, is_not_found
from chaoskube.models.constants import (
    NODE_LEASE_BACKOFF_INITIAL,
    NODE_LEASE_BACKOFF_MAX,
    NODE_LEASE_DURATION_SECONDS,
    NODE_LEASE_RENEW_INTERVAL,
    NODE_LEASE_RETRIES,
    NODE_REGISTER_BACKOFF_INITIAL,
    NODE_REGISTER_BACKOFF_MAX,
    NODE_STATUS_FAST_PERIOD,
    NODE_STATUS_REPORT_FREQUENCY,
    NODE_STATUS_RETRIES,
    NODE_STATUS_UPDATE_FREQUENCY,
)
from chaoskube.models.node.bell import Bell
from chaoskube.models.node.events import NodeRegistered
from chaoskube.models.node.node_status import (
    NodeShape,
    has_changed,
    is_ready,
    new_node,
    node_status,
    status_patch,
)
from chaoskube.models.objects import Lease, LeaseSpec, Node, ObjectMeta, OwnerReference, microsecond
from chaoskube.sim import Process, Refused, Unsure

LEASE_NAMESPACE = "kube-node-lease"
TIMEOUT = NODE_STATUS_UPDATE_FREQUENCY
"""Of each heartbeat request (`cmd/kubelet/app/server.go`, heartbeatClientConfig.Timeout)."""


class Heartbeat:
    """The tasks that keep a node's objects alive."""

    def __init__(
        self,
        process: Process,
        client: ApiClient,
        shape: NodeShape,
        host_ip: str,
        known_node: Callable[[], Node | None],
    ) -> None:
        self._process = process
        self._client = client
        self._shape = shape
        self._host_ip = host_ip
        self._known_node = known_node
        self._registered = Bell(process)
        self._lease: Lease | None = None
        self._node_uid = ""
        self._reported_at: int | None = None
        self._report_shift_ns = 0

    def start(self) -> None:
        """Begin: register, renew the lease, report the status."""
        self._process.spawn(self._report_forever)
        self._process.spawn(self._renew_forever)

    # -- registration

    async def _register(self) -> None:
        delay_ns = NODE_REGISTER_BACKOFF_INITIAL
        while True:
            try:
                node = await self._create_or_adopt()
            except (Refused, Unsure):
                await self._process.sleep(delay_ns)
                delay_ns = min(delay_ns * 2, NODE_REGISTER_BACKOFF_MAX)
                continue
            self._node_uid = node.uid
            self._process.record(NodeRegistered(node=node.name))
            return

    async def _create_or_adopt(self) -> Node:
        wanted = new_node(self._shape, self._host_ip, self._process.wall_ns())
        try:
            node = await self._client.create(wanted, timeout_ns=TIMEOUT)
        except Refused as error:
            if not is_already_exists(error):
                raise
            node = await self._client.get("nodes", "", wanted.name, timeout_ns=TIMEOUT)
            missing = {key: value for key, value in wanted.labels.items() if node.labels.get(key) != value}
            if missing:
                node = await self._patch({"metadata": {"labels": missing}})
        assert isinstance(node, Node), f"asked for a node, got {node.kind}"
        return node

    # -- status

    async def _report_forever(self) -> None:
        await self._register()
        self._registered.ring()
        while True:
            ready = await self._report()
            if not ready:
                await self._process.sleep(NODE_STATUS_FAST_PERIOD)
            else:
                await self._process.sleep(self._jittered(NODE_STATUS_UPDATE_FREQUENCY))

    async def _report(self) -> bool:
        """Compute the status and write it if need be; whether the API says Ready."""
        for attempt in range(NODE_STATUS_RETRIES):
            try:
                return await self._try_report(live=attempt > 0)
            except (Refused, Unsure):
                continue
        # Not known: wait for the next turn, as after success.
        return True

    async def _try_report(self, *, live: bool) -> bool:
        node = None if live else self._known_node()
        if node is None:
            found = await self._client.get("nodes", "", self._shape.name, timeout_ns=TIMEOUT)
            assert isinstance(found, Node), f"asked for a node, got {found.kind}"
            node = found
        now = self._process.now
        status = node_status(self._shape, self._host_ip, node.status, self._process.wall_ns(), ready=True)
        changed = has_changed(node.status, status)
        if not changed and now < self._report_due():
            return is_ready(node.status)
        written = await self._patch({"status": status_patch(node.status, status)}, subresource="status")
        self._reported_at = now
        # Many nodes that change together shall not report together for ever (calculateDelay).
        half = NODE_STATUS_REPORT_FREQUENCY // 2
        self._report_shift_ns = self._process.rng.randrange(-half, half) if changed else 0
        return is_ready(written.status)

    async def _patch(self, patch: dict[str, object], *, subresource: str = "") -> Node:
        request = Request(
            verb=PATCH,
            resource="nodes",
            name=self._shape.name,
            subresource=subresource,
            body=patch,
            patch_type=STRATEGIC,
        )
        written = (await self._client.call(request, timeout_ns=TIMEOUT)).body
        assert isinstance(written, Node), f"patched a node, got {written}"
        return written

    def _report_due(self) -> int:
        if self._reported_at is None:
            return 0
        return self._reported_at + NODE_STATUS_REPORT_FREQUENCY + self._report_shift_ns

    # -- lease

    async def _renew_forever(self) -> None:
        await self._registered.wait()
        while True:
            await self._renew()
            await self._process.sleep(self._jittered(NODE_LEASE_RENEW_INTERVAL))

    async def _renew(self) -> None:
        if self._lease is not None and await self._update_lease():
            return
        created = await self._ensure_lease()
        if not created:
            await self._update_lease()

    async def _update_lease(self) -> bool:
        for _ in range(NODE_LEASE_RETRIES):
            lease = self._lease
            if lease is None:
                return False
            spec = evolve(lease.spec, renew_time=microsecond(self._process.wall_ns()))
            try:
                written = await self._client.update(evolve(lease, spec=spec), timeout_ns=TIMEOUT)
            except (Refused, Unsure) as error:
                if is_conflict(error) or is_not_found(error):
                    await self._ensure_lease()
                continue
            assert isinstance(written, Lease), f"wrote a lease, got {written.kind}"
            self._lease = written
            return True
        return False

    async def _ensure_lease(self) -> bool:
        """Read the lease, or make it; whether it was made."""
        delay_ns = NODE_LEASE_BACKOFF_INITIAL
        while True:
            try:
                return await self._get_or_create_lease()
            except (Refused, Unsure):
                await self._process.sleep(delay_ns)
                delay_ns = min(delay_ns * 2, NODE_LEASE_BACKOFF_MAX)

    async def _get_or_create_lease(self) -> bool:
        name = self._shape.name
        created = False
        try:
            lease = await self._client.get("leases", LEASE_NAMESPACE, name, timeout_ns=TIMEOUT)
        except Refused as error:
            if not is_not_found(error):
                raise
            lease = await self._client.create(self._new_lease(), timeout_ns=TIMEOUT)
            created = True
        assert isinstance(lease, Lease), f"asked for a lease, got {lease.kind}"
        self._lease = lease
        return created

    def _new_lease(self) -> Lease:
        name = self._shape.name
        owner = OwnerReference(api_version="v1", kind="Node", name=name, uid=self._node_uid)
        return Lease(
            metadata=ObjectMeta(name=name, namespace=LEASE_NAMESPACE, owner_references=(owner,)),
            spec=LeaseSpec(
                holder_identity=name,
                lease_duration_seconds=NODE_LEASE_DURATION_SECONDS,
                renew_time=microsecond(self._process.wall_ns()),
            ),
        )

    def _jittered(self, period_ns: int) -> int:
        return period_ns + self._process.rng.randrange(period_ns // 25)
