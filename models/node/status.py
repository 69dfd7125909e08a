"""The status manager: what the kubelet wants the API to say of its pods, and the task that says it.

Statuses are kept in memory. Each change is written by one task: a live GET (another UID: forget it), a PATCH
when something differs, and, once the pod's worker has finished and the API shows a terminal phase, the
DELETE with grace 0 that makes a terminating pod vanish. What failed is tried again at the next change or
the next 10 s tick; at the tick, statuses that somebody else has changed are written anew too.

Sources: `pkg/kubelet/status/status_manager.go` (syncPod, syncBatch, mergePodStatus, canBeDeleted,
needsReconcile).

Not modelled: mirror pods, readiness gates' own writes, status of static pods.
"""

from collections.abc import Callable

from attrs import define, evolve

from chaoskube.models.client.api import ApiClient, is_not_found
from chaoskube.models.constants import POD_STATUS_RECONCILE_PERIOD
from chaoskube.models.node.bell import Bell
from chaoskube.models.node.conditions import OWNED_BY_KUBELET, containers_ready_condition
from chaoskube.models.node.pod_phase import TERMINAL_PHASES
from chaoskube.models.objects import Pod, PodStatus, encode
from chaoskube.sim import Process, Refused, Unsure


@define(kw_only=True, eq=False)
class _Held:
    """The status of one pod, and how much of it the API has been told."""

    pod: Pod
    status: PodStatus
    version: int = 1
    told: int = 0
    could_run: bool = True
    is_finished: bool = False


class StatusManager:
    """Statuses of the node's pods on their way to the API."""

    def __init__(self, process: Process, client: ApiClient, pod_of: Callable[[str], Pod | None]) -> None:
        self._process = process
        self._client = client
        self._pod_of = pod_of
        self._held: dict[str, _Held] = {}
        self._bell = Bell(process)

    def latest(self, pod: Pod) -> PodStatus:
        """The status decided last, or the API's when there is none yet."""
        held = self._held.get(pod.uid)
        return held.status if held is not None else pod.status

    def set(self, pod: Pod, status: PodStatus, *, could_run: bool = True) -> bool:
        """Decide on a status; whether it differs from the last. `could_run`: containers may be running."""
        held = self._held.get(pod.uid)
        if held is None:
            held = self._held[pod.uid] = _Held(pod=pod, status=status, could_run=could_run)
            self._bell.ring()
            return True
        held.pod = pod
        if held.status == status and held.could_run == could_run:
            return False
        held.status = status
        held.could_run = could_run
        held.version += 1
        self._bell.ring()
        return True

    def finish(self, pod: Pod, status: PodStatus) -> None:
        """The pod's worker is done: its object may go once the API shows this terminal status."""
        self.set(pod, status, could_run=False)
        held = self._held[pod.uid]
        held.is_finished = True
        held.version += 1
        self._bell.ring()

    def forget(self, uid: str) -> None:
        """The pod's object is gone."""
        self._held.pop(uid, None)

    def note_pod(self, pod: Pod) -> None:
        """The API has another version of the pod: a terminating one may be ready to vanish."""
        held = self._held.get(pod.uid)
        if held is None:
            return
        was_deleted = held.pod.metadata.deletion_timestamp is not None
        if held.is_finished and not was_deleted and pod.metadata.deletion_timestamp is not None:
            held.version += 1
            self._bell.ring()
        held.pod = pod

    async def run(self) -> None:
        """The task: write whatever has changed, for ever."""
        next_tick = self._process.now + POD_STATUS_RECONCILE_PERIOD
        while True:
            await self._bell.wait(next_tick - self._process.now)
            if self._process.now >= next_tick:
                next_tick += POD_STATUS_RECONCILE_PERIOD
                next_tick = max(next_tick, self._process.now)
                await self._write_all(lambda held: held.told != held.version or self._has_drifted(held))
            else:
                await self._write_all(lambda held: held.told != held.version)

    async def _write_all(self, is_due: Callable[[_Held], bool]) -> None:
        for uid in list(self._held):
            held = self._held.get(uid)
            if held is None or not is_due(held):
                continue
            try:
                await self._write(uid, held)
            except (Refused, Unsure):
                # The next change or the next tick tries again.
                continue

    async def _write(self, uid: str, held: _Held) -> None:
        version = held.version
        try:
            live = await self._client.get("pods", held.pod.namespace, held.pod.name)
        except Refused as error:
            if is_not_found(error):
                held.told = version
                return
            raise
        assert isinstance(live, Pod), f"asked for a pod, got {live.kind}"
        if live.uid != uid:
            self._held.pop(uid, None)
            return
        status = merge(live, held.status, could_run=held.could_run)
        if differ(live.status, status):
            patch = {"metadata": {"uid": uid}, "status": status_patch(live.status, status)}
            patched = await self._client.patch("pods", live.namespace, live.name, patch, subresource="status")
            assert isinstance(patched, Pod), f"patched a pod, got {patched.kind}"
            live = patched
        if _can_be_deleted(live, held):
            await self._delete(uid, live)
        held.told = version

    async def _delete(self, uid: str, live: Pod) -> None:
        try:
            await self._client.delete("pods", live.namespace, live.name, grace_period_seconds=0, uid=uid)
        except Refused as error:
            if not is_not_found(error):
                raise
        self._held.pop(uid, None)

    def _has_drifted(self, held: _Held) -> bool:
        pod = self._pod_of(held.pod.uid)
        if pod is None:
            return False
        return differ(pod.status, merge(pod, held.status, could_run=held.could_run))


def merge(live: Pod, wanted: PodStatus, *, could_run: bool) -> PodStatus:
    """The status to write over the API's: conditions of others stay, a terminal phase waits for the end."""
    old = live.status
    others = tuple(one for one in old.conditions if one.type not in OWNED_BY_KUBELET)
    own = tuple(one for one in wanted.conditions if one.type in OWNED_BY_KUBELET)
    merged = evolve(
        wanted,
        conditions=(*own, *others),
        nominated_node_name=old.nominated_node_name,
        qos_class=old.qos_class,
        extra=old.extra,
    )
    if wanted.phase not in TERMINAL_PHASES:
        return merged
    if could_run and old.phase not in TERMINAL_PHASES:
        return evolve(merged, phase=old.phase, reason=None, message=None)
    return _with_terminal_conditions(live, merged)


def _with_terminal_conditions(live: Pod, status: PodStatus) -> PodStatus:
    ready = containers_ready_condition(
        live.spec.containers,
        live,
        status.init_container_statuses,
        status.container_statuses,
        status.phase or "",
    )
    conditions = tuple(
        evolve(one, status="False", reason=ready.reason, message=ready.message)
        if one.type in ("Ready", "ContainersReady")
        else one
        for one in status.conditions
    )
    return evolve(status, conditions=conditions)


def differ(old: PodStatus, new: PodStatus) -> bool:
    """Whether there is anything to write; the order of conditions says nothing (isPodStatusByKubeletEqual)."""
    return _sorted(old) != _sorted(new)


def _sorted(status: PodStatus) -> PodStatus:
    return evolve(status, conditions=tuple(sorted(status.conditions, key=lambda one: one.type)))


def status_patch(old: PodStatus, new: PodStatus) -> dict[str, object]:
    """The strategic merge patch from one status to the other: what changed, null for what is gone."""
    before, after = encode(old), encode(new)
    patch: dict[str, object] = {}
    for name in sorted({**before, **after}):
        if before.get(name) == after.get(name):
            continue
        value = after.get(name)
        if name == "conditions":
            value = _conditions_patch(before.get(name) or [], after.get(name) or [])
        elif name in ("podIPs", "hostIPs"):
            value = _addresses_patch(before.get(name) or [], after.get(name) or [])
        patch[name] = value
    return patch


def _conditions_patch(
    before: list[dict[str, object]], after: list[dict[str, object]]
) -> list[dict[str, object]]:
    # Lists with a merge key are merged item by item, so what an item no longer has is said as null.
    held = {one["type"]: one for one in before}
    changes = []
    for one in after:
        was = held.get(one["type"])
        if was != one:
            changes.append({**{name: None for name in (was or {}) if name not in one}, **one})
    return changes


def _addresses_patch(
    before: list[dict[str, object]], after: list[dict[str, object]]
) -> list[dict[str, object]]:
    gone = [one for one in before if one not in after]
    return [*after, *({"$patch": "delete", "ip": one["ip"]} for one in gone)]


def _can_be_deleted(live: Pod, held: _Held) -> bool:
    return (
        live.metadata.deletion_timestamp is not None
        and held.is_finished
        and live.status.phase in TERMINAL_PHASES
    )
