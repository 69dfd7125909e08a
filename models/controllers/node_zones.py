"""Zones, and how fast nodes in them may be tainted NoExecute. Pure.

A zone without one ready node is fully disrupted; more than 2 and at least 55 % not ready is partial. Normal and
full disruption taint one node each 10 s, partial one each 100 s in a large zone and none in a small one.
When *every* zone is fully disrupted the fault is taken to be on the master's side: eviction stops.

Sources: pkg/controller/nodelifecycle/{node_lifecycle_controller,scheduler/rate_limited_queue}.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from chaoskube.models.client.backoff import TokenBucket
from chaoskube.models.constants import NODE_EVICTION_INTERVAL, NODE_EVICTION_SECONDARY_INTERVAL
from chaoskube.models.objects import Node

INITIAL = "Initial"
NORMAL = "Normal"
FULL = "FullDisruption"
PARTIAL = "PartialDisruption"

LARGE_CLUSTER_NODES = 50
UNHEALTHY_PERCENT = 55

REGION_LABEL = "topology.kubernetes.io/region"
ZONE_LABEL = "topology.kubernetes.io/zone"


def zone_of(node: Node) -> str:
    """The zone's key: region and zone; all nodes without labels are one zone, ""."""
    region, zone = node.labels.get(REGION_LABEL, ""), node.labels.get(ZONE_LABEL, "")
    return f"{region}:\0:{zone}" if region or zone else ""


def zone_state(ready: int, not_ready: int) -> str:
    """How disrupted a zone with so many nodes is (ComputeZoneState)."""
    if ready == 0 and not_ready > 0:
        return FULL
    if not_ready > 2 and not_ready * 100 >= UNHEALTHY_PERCENT * (ready + not_ready):
        return PARTIAL
    return NORMAL


def eviction_interval(state: str, nodes: int) -> int | None:
    """The time between two taintings in a zone; None: never."""
    if state == PARTIAL:
        return NODE_EVICTION_SECONDARY_INTERVAL if nodes > LARGE_CLUSTER_NODES else None
    return NODE_EVICTION_INTERVAL


@frozen(kw_only=True)
class Disruption:
    """What to do after a round: the zones' new states, whether to stop or to start over."""

    states: Mapping[str, str]
    stop_evictions: bool = False
    fresh_probes: bool = False
    relimit: tuple[str, ...] = ()


def disruption(old: Mapping[str, str], new: Mapping[str, str]) -> Disruption:
    """Compare the zones' states with those of the last round (handleDisruption)."""
    before = {zone: old.get(zone, INITIAL) for zone in new}
    all_full = all(state == FULL for state in new.values())
    was_all_full = all(state == FULL for state in before.values())
    if all_full and was_all_full:
        return Disruption(states=before)
    if all_full:
        return Disruption(states=dict.fromkeys(new, FULL), stop_evictions=True)
    if was_all_full:
        return Disruption(states=dict(new), fresh_probes=True, relimit=tuple(new))
    changed = tuple([zone for zone in new if before[zone] != new[zone]])
    return Disruption(states={**before, **{zone: new[zone] for zone in changed}}, relimit=changed)


class TaintQueue:
    """The nodes of one zone that wait for a first NoExecute taint, and the rate at which they get it.

    A node that had its turn is remembered until it is ready again, so it doesn't queue twice.
    """

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._known: set[str] = set()
        self._bucket: TokenBucket | None = TokenBucket(interval_ns=NODE_EVICTION_INTERVAL, burst=1)
        self._interval: int | None = NODE_EVICTION_INTERVAL

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, node: str) -> bool:
        """Queue `node`, unless it is or was queued."""
        if node in self._known:
            return False
        self._known.add(node)
        self._waiting.append(node)
        return True

    def allow_again(self, node: str) -> None:
        """Forget that `node` had its turn (it isn't tainted after all)."""
        if node not in self._waiting:
            self._known.discard(node)

    def remove(self, node: str) -> None:
        """`node` is ready, or gone."""
        self._known.discard(node)
        if node in self._waiting:
            self._waiting.remove(node)

    def limit(self, interval_ns: int | None, now: int) -> None:
        """Change the rate; None stops. Who had to wait at the old rate waits at the new one (SwapLimiter)."""
        if interval_ns == self._interval:
            return
        had_token = self._bucket is not None and self._bucket.try_take(now)
        self._interval = interval_ns
        self._bucket = None if interval_ns is None else TokenBucket(interval_ns=interval_ns, burst=1)
        if self._bucket is not None and not had_token:
            self._bucket.try_take(now)

    def take(self, now: int) -> str | None:
        """The next node to taint now, if one waits and the rate allows it; `done` takes it out."""
        if not self._waiting or self._bucket is None or not self._bucket.try_take(now):
            return None
        return self._waiting[0]

    def done(self, node: str) -> None:
        """`node` had its turn."""
        if node in self._waiting:
            self._waiting.remove(node)


def count_ready(readiness: Sequence[str]) -> tuple[int, int]:
    """(ready, not ready) of the Ready conditions' statuses."""
    ready = sum(1 for status in readiness if status == "True")
    return ready, len(readiness) - ready
