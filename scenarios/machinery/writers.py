"""Clients that write, as people and their scripts do: ConfigMaps and pods that are made, changed, deleted and made anew.

A writer reads before it writes, mostly, and names the version that it has read; now and then it replaces an object without
one, as `kubectl replace` of a manifest does. It patches, deletes (with and without the uid that it means), and makes anew
under the same name. What is refused is left; whose outcome nobody knows, too. Names are few, so that writers meet.

A `Labeller` is a controller: it learns of pods through an informer, and marks each once, from its copy.
A `Ticker` changes one ConfigMap every few seconds, so that the store's revision goes on while all others rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

from attrs import evolve

from chaoskube.models.client.api import ApiClient, is_not_found
from chaoskube.models.client.informer import Informer
from chaoskube.models.client.retry import retry_on_conflict
from chaoskube.models.client.workers import Workers
from chaoskube.models.objects import (
    ConfigMap,
    Container,
    KubeObject,
    ObjectMeta,
    Pod,
    PodSpec,
    Secret,
    freeze,
)
from chaoskube.sim import MILLISECOND, SECOND, Address, Process, Refused, Unsure

NAMESPACE = "default"
NAMES = ("red", "green", "blue")
TIERS = ("web", "db")
SEEN_BY = "example.com/seen-by"
TICK_NS = 4 * SECOND
HESITATION_NS = 400 * MILLISECOND
LONG_NS = 60 * SECOND
KINDS = ("configmaps",) * 5 + ("pods",) * 5
Act = Callable[[str, str], Awaitable[object]]


class Writer:
    """One at work until its time is over."""

    def __init__(
        self, process: Process, servers: tuple[Address, ...], *, user: str, pace_ns: int, until: int
    ) -> None:
        self._process = process
        self._client = ApiClient(process, servers, user=user, agent="scripts")
        self._pace_ns = pace_ns
        self._until = until
        self._values = 0

    def start(self) -> None:
        """Begin, not at the same moment as everybody."""
        self._process.spawn(self._work)

    @property
    def _luck(self) -> Random:
        return self._process.rng

    async def _work(self) -> None:
        acts: tuple[Act, ...] = (
            self._change,
            self._change,
            self._change,
            self._replace,
            self._patch,
            self._patch,
            self._delete,
            self._recreate,
            self._recreate,
        )
        while self._process.now < self._until:
            await self._process.sleep(self._luck.randrange(2 * self._pace_ns))
            act, resource, name = self._luck.choice(acts), self._luck.choice(KINDS), self._luck.choice(NAMES)
            try:
                await act(resource, name)
            except Unsure:
                continue
            except Refused as refused:
                if is_not_found(refused):
                    await self._try_to_create(resource, name)

    # -- what it does

    async def _create(self, resource: str, name: str) -> None:
        await self._client.create(self._manifest(resource, name))

    async def _try_to_create(self, resource: str, name: str) -> None:
        try:
            await self._create(resource, name)
        except (Refused, Unsure):
            return

    async def _change(self, resource: str, name: str) -> None:
        """Read, think, write what was read with something changed; again if somebody was faster."""

        async def once() -> None:
            obj = await self._client.get(resource, NAMESPACE, name)
            await self._process.sleep(self._luck.randrange(HESITATION_NS))
            await self._client.update(self._changed(obj))

        await retry_on_conflict(self._process, once)

    async def _replace(self, resource: str, name: str) -> None:
        """Write a manifest over whatever is there."""
        await self._client.update(self._manifest(resource, name))

    async def _patch(self, resource: str, name: str) -> None:
        labels = {"tier": self._luck.choice(TIERS)}
        await self._client.patch(resource, NAMESPACE, name, {"metadata": {"labels": labels}})

    async def _delete(self, resource: str, name: str) -> None:
        uid = None
        if self._luck.randrange(2):
            uid = (await self._client.get(resource, NAMESPACE, name)).uid
            await self._process.sleep(self._luck.randrange(HESITATION_NS))
        await self._client.delete(resource, NAMESPACE, name, grace_period_seconds=0, uid=uid)

    async def _recreate(self, resource: str, name: str) -> None:
        """`kubectl replace --force`."""
        await self._client.delete(resource, NAMESPACE, name, grace_period_seconds=0)
        await self._create(resource, name)

    # -- what it writes

    def _value(self) -> str:
        self._values += 1
        return f"{self._process.name}.{self._process.life}.{self._values}"

    def _manifest(self, resource: str, name: str) -> KubeObject:
        labels = freeze({"tier": self._luck.choice(TIERS)})
        metadata = ObjectMeta(name=name, namespace=NAMESPACE, labels=labels)
        if resource == "pods":
            return Pod(
                metadata=metadata, spec=PodSpec(containers=(Container(name="main", image=self._value()),))
            )
        return ConfigMap(metadata=metadata, data=freeze({"value": self._value()}))

    def _changed(self, obj: KubeObject) -> KubeObject:
        if isinstance(obj, ConfigMap):
            return evolve(obj, data=obj.data.plus({"value": self._value()}))
        return evolve(
            obj,
            metadata=evolve(
                obj.metadata, annotations=obj.metadata.annotations.plus({"value": self._value()})
            ),
        )


class Labeller:
    """Marks each pod that it sees, from the copy that its informer has."""

    def __init__(self, process: Process, servers: tuple[Address, ...]) -> None:
        user = f"system:serviceaccount:{NAMESPACE}:labeller"
        self._client = ApiClient(process, servers, user=user, agent="labeller")
        self._pods = Informer(self._client, "pods")
        self._workers = Workers(process, self._reconcile)
        self._pods.add_handler(on_add=self._heard, on_update=lambda old, new: self._heard(new))

    def start(self) -> None:
        """Fill the cache, then work."""
        self._pods.start()
        self._pods.when_synced(self._workers.start)

    def _heard(self, pod: KubeObject) -> None:
        self._workers.add(pod.key)

    async def _reconcile(self, key: str) -> None:
        pod = self._pods.get_by_key(key)
        if pod is None or pod.metadata.annotations.get(SEEN_BY) == pod.uid:
            return
        annotations = pod.metadata.annotations.plus({SEEN_BY: pod.uid})
        await self._client.update(evolve(pod, metadata=evolve(pod.metadata, annotations=annotations)))


class Ticker:
    """Keeps the store's revision moving, and makes a Secret once, somewhen."""

    def __init__(self, process: Process, servers: tuple[Address, ...], until: int) -> None:
        self._process = process
        self._client = ApiClient(process, servers, user="ticker", agent="ticker")
        self._until = until

    def start(self) -> None:
        """Begin."""
        self._process.spawn(self._tick)
        self._process.spawn(self._make_secret)

    async def _tick(self) -> None:
        count = 0
        while self._process.now < self._until:
            count += 1
            data = {"value": f"{self._process.life}.{count}"}
            obj = ConfigMap(metadata=ObjectMeta(name="clock", namespace=NAMESPACE), data=freeze(data))
            try:
                if self._process.life == 1 and count == 1:
                    await self._client.create(obj)
                else:
                    await self._client.patch("configmaps", NAMESPACE, "clock", {"data": data})
            except (Refused, Unsure):
                count = 0 if self._process.life == 1 and count == 1 else count
            await self._process.sleep(TICK_NS if count else SECOND)

    async def _make_secret(self) -> None:
        await self._process.sleep(SECOND + self._process.rng.randrange(2 * LONG_NS))
        secret = Secret(metadata=ObjectMeta(name="token", namespace=NAMESPACE), type="Opaque")
        try:
            await self._client.create(secret)
        except (Refused, Unsure):
            return
