"""The journal events of the controllers: what was decided, on what view of the cluster, before it is sent."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class ControllersStarted:
    """A controller manager leads and its caches are filled."""

    identity: str


@frozen(kw_only=True)
class PodCreateDecided:
    """A ReplicaSet controller asks for one more pod.

    `active` is what it counted, `ordinal` numbers this create among those of the sync (from 1), so the
    controller expects `active + ordinal` pods afterwards. `cached_active` is what its cache holds now,
    expected creations that it has not yet seen are `expected_creations` (this sync's included).
    """

    replicaset: str
    uid: str
    replicas: int
    active: int
    ordinal: int
    cached_active: int
    expected_creations: int
    pods_revision: int


@frozen(kw_only=True)
class PodCreateAnswered:
    """A ReplicaSet controller has been told that a pod it asked for is stored."""

    replicaset: str
    uid: str
    pod: str


@frozen(kw_only=True)
class PodDeleteDecided:
    """A ReplicaSet controller asks for one pod less."""

    replicaset: str
    uid: str
    replicas: int
    active: int
    pod: str


@frozen(kw_only=True)
class ReplicaSetScaleDecided:
    """A Deployment controller scales one ReplicaSet (or makes it: `old` is 0 and `is_new_object`).

    `total` is the sum of all its ReplicaSets' spec.replicas before, `available` of their available
    replicas and `own_available` this one's, all as its cache has them. `rolling` is False for scaling,
    pausing and Recreate.
    """

    deployment: str
    replicaset: str
    old: int
    new: int
    replicas: int
    max_surge: int
    max_unavailable: int
    total: int
    available: int
    own_available: int
    rolling: bool
    is_new_object: bool


@frozen(kw_only=True)
class EndpointsDecided:
    """An EndpointSlice controller writes a service's endpoints: which pods it takes for ready."""

    service: str
    ready: tuple[str, ...]
    terminating: tuple[str, ...]


@frozen(kw_only=True)
class NodeJudgedUnknown:
    """The node lifecycle controller has not heard of a node for longer than its grace period."""

    node: str
    silent_ns: int


@frozen(kw_only=True)
class ZoneStateChanged:
    """A zone changed between Initial, Normal, PartialDisruption and FullDisruption."""

    zone: str
    old: str
    new: str


@frozen(kw_only=True)
class EvictionDecided:
    """Taint eviction deletes a pod whose tolerated time on a tainted node is over."""

    pod: str
    node: str


@frozen(kw_only=True)
class NamespaceEmptied:
    """The namespace controller found nothing left in a namespace that goes."""

    namespace: str
    uid: str


@frozen(kw_only=True)
class GarbageDecided:
    """The garbage collector deletes an object none of whose owners keeps it."""

    resource: str
    key: str
    uid: str
    policy: str
    owners: tuple[str, ...]


@frozen(kw_only=True)
class StatefulPodDecided:
    """A StatefulSet controller creates or deletes a pod: `step` says why, `pod_uid` is "" for a new one."""

    statefulset: str
    uid: str
    pod: str
    pod_uid: str
    step: str
    pods_revision: int
