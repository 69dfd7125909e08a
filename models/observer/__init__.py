"""The god's view of a cluster: what invariants and reports read, built from the journal alone.

It holds the store's objects as they are now (`seen.pods`, `seen.get(...)`) and their history, the faults and voluntary
disruptions under way, how requests ended, which containers run where, what clients' caches were told, what everybody
may do, and the views of etcd and Raft. It also re-exports the events that an invariant may wake on, so that invariants
import this package and `models.objects` and nothing else. No component may import it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import attrs

from chaoskube.models.apiserver.authorization.rules import Action
from chaoskube.models.apiserver.events import Written
from chaoskube.models.client.events import InformerRelisted, LeaderStarted, LeaderStopped, WriteSent
from chaoskube.models.client.views import ReadBegun, ReadRefused
from chaoskube.models.controllers.events import (
    EndpointsDecided,
    EvictionDecided,
    NodeJudgedUnknown,
    PodCreateAnswered,
    PodCreateDecided,
    PodDeleteDecided,
    ReplicaSetScaleDecided,
)
from chaoskube.models.etcd.view import EtcdView
from chaoskube.models.network.events import RequestEnded
from chaoskube.models.node.events import ContainerExited, ContainerListening, ContainerStarted
from chaoskube.models.objects import Deployment, KubeObject, Pod, ReplicaSet, Service, is_pod_terminal
from chaoskube.models.objects.resources import Resources
from chaoskube.models.observer.client_views import (
    BACKWARDS,
    FORGOTTEN,
    GAP,
    STORE,
    UNKNOWN_STATE,
    Behind,
    ClientViews,
    ViewConflict,
)
from chaoskube.models.observer.history import History, group_kind, same_content
from chaoskube.models.observer.rights import Rights
from chaoskube.models.observer.running import Running
from chaoskube.models.observer.served_watches import ServedWatches
from chaoskube.models.raft.events import BecameLeader
from chaoskube.models.stored import Change, Stored
from chaoskube.sim import (
    SECOND,
    Entry,
    FaultEnded,
    FaultStarted,
    OperationEnded,
    OperationStarted,
    ProcessStopped,
    UsageError,
    World,
)

__all__ = [
    "BACKWARDS",
    "FORGOTTEN",
    "GAP",
    "STORE",
    "UNKNOWN_STATE",
    "BecameLeader",
    "Behind",
    "Change",
    "ContainerExited",
    "ContainerListening",
    "ContainerStarted",
    "Disruption",
    "EndpointsDecided",
    "Entry",
    "EvictionDecided",
    "FaultEnded",
    "FaultStarted",
    "InformerRelisted",
    "LeaderStarted",
    "LeaderStopped",
    "NodeJudgedUnknown",
    "Observer",
    "OperationEnded",
    "OperationStarted",
    "PodCreateAnswered",
    "PodCreateDecided",
    "PodDeleteDecided",
    "ReadBegun",
    "ReadRefused",
    "ReplicaSetScaleDecided",
    "RequestEnded",
    "ViewConflict",
    "WriteSent",
    "Written",
    "group_kind",
    "same_content",
]

Kind = TypeVar("Kind", bound=KubeObject)
DISRUPTIVE = (
    "roll",
    "scale",
    "drain",
    "upgrade-node",
    "apply",
    "apply-server-side",
    "rollout-restart",
    "rollout-resume",
    "rollout-undo",
)
"""Operations that move pods on purpose and promise to lose no request (kubectl's own words for them)."""
BY_HAND = ("delete-pod", "taint")
"""Operations that take pods away without asking how many must stay: what is lost then is nobody's promise."""
AFTERMATH_NS = 30 * SECOND
FAULT_AFTERMATH_NS = 30 * SECOND
"""How long after a fault nothing is promised: keepalives (30 s) have found what died by then."""
BACKOFF_MAX_NS = 60 * SECOND
"""The same after a long fault. Whoever watches tries again after up to twice as long as it has failed, and
after 60 s at most (client-go's reflector: 0.8 s doubling to 30 s, with jitter up to the double)."""
LONG_AGO_NS = 30 * SECOND
"""What somebody did by hand this long ago has been made good."""


@attrs.define(kw_only=True, eq=False)
class Disruption:
    """A voluntary disruption: from its command until the Deployments that it moved are whole, and the aftermath.

    New pods may count as ready before they serve, and proxies may still route to old ones: what goes wrong
    within AFTERMATH_NS of the rollout's end is the rollout's.
    """

    verb: str
    text: str
    began: int
    deployments: tuple[str, ...]
    is_asked: bool = True
    """kubectl has not returned yet."""
    ended: int | None = None


class Observer:
    """What a god sees of a cluster in a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = Stored(world.journal)
        self.history = History(self.store)
        self.running = Running(world, self.store)
        self.views = ClientViews(world.journal, self.history, self.store)
        self.watches = ServedWatches(world.journal)
        self.rights = Rights(self.store)
        self.etcd = EtcdView(world.journal)
        self.faults: dict[str, int] = {}
        """Faults under way, by their line: how many of each."""
        self.recovered_at: int | None = None
        """When the aftermath of the last fault is over, as of now; None before the first."""
        self._trouble_began = 0
        self.disruptions: list[Disruption] = []
        self.last_change: tuple[int, str] = (0, "nothing yet")
        self.leaders: dict[str, dict[str, int]] = {}
        """Which processes believe to hold each lease, since when."""
        self.elected: dict[str, str] = {}
        """The lease of each kind of component that only one of may act, once one has: by names without their number."""
        self.clocks_have_drifted = False
        """Has any machine's time run fast or slow in this run?"""
        self._by_hand: list[tuple[int, str]] = []
        self.store.listeners.append(self._changed)
        self._listen()

    def _listen(self) -> None:
        subscribe = self.world.journal.subscribe
        subscribe(FaultStarted, self._fault_started)
        subscribe(FaultEnded, self._fault_ended)
        subscribe(OperationStarted, self._operation_started)
        subscribe(OperationEnded, self._operation_ended)
        subscribe(LeaderStarted, self._leader_started)
        subscribe(LeaderStopped, self._leader_stopped)
        subscribe(ProcessStopped, self._process_stopped)

    @property
    def now(self) -> int:
        """Virtual ns since the world began."""
        return self.world.now

    # -- objects

    def all(self, kind: type[Kind]) -> Iterator[Kind]:
        """Every stored object of a kind, in the order of creation."""
        return self.store.all(kind)

    def get(self, kind: type[Kind], key: str) -> Kind | None:
        """The stored object with this key (`namespace/name`, or `name`), or None."""
        return self.store.get(kind, key)

    def created_in(self, obj: KubeObject) -> int:
        """The revision that created a stored object; 0 when it is not stored."""
        return self.store.created_in(obj)

    def change_by(self, written: Written) -> Change | None:
        """What a write changed in etcd; None when it changed nothing."""
        subject = written.obj if written.obj is not None else written.prev
        if subject is None:
            return None
        return self.history.of(group_kind(subject)).made_at(written.resource_version, subject.key)

    def changed_at(self, obj: KubeObject, revision: int) -> int | None:
        """When a revision of an object was made; None when there was none."""
        change = self.history.of(group_kind(obj)).made_at(revision, obj.key)
        return change.at if change is not None else None

    def touched_at(self, obj: KubeObject) -> int:
        """When a stored object became what it is now."""
        history = self.history.of(group_kind(obj))
        change = history.made_at(history.now[obj.key][0], obj.key)
        assert change is not None, f"{obj.kind} {obj.key} was made by a change"
        return change.at

    def may(self, written: Written) -> bool:
        """Do the stored roles allow a write? What a collection's deletion removes was asked for as a collection."""
        try:
            resource = Resources().resource_of(written.resource)
        except UsageError:
            return True  # custom resources: nobody here knows their group
        subject = written.obj if written.obj is not None else written.prev
        assert subject is not None, "a write has an object"
        verbs = (written.verb, "deletecollection") if written.verb == "delete" else (written.verb,)
        return any(
            self.rights.allows(
                written.user,
                Action(
                    verb=verb,
                    group=resource.group,
                    resource=resource.plural,
                    subresource=written.subresource,
                    namespace=subject.namespace if resource.namespaced else "",
                    name=subject.name,
                ),
            )
            for verb in verbs
        )

    def owner_of(self, obj: KubeObject, uid: str) -> KubeObject | None:
        """The stored owner of this uid among those that an object names, or None."""
        for reference in obj.metadata.owner_references or ():
            if reference.uid == uid:
                group = reference.api_version.rpartition("/")[0]
                now = self.history.of((group, reference.kind)).now
                for key in (f"{obj.namespace}/{reference.name}", reference.name):
                    _, owner = now.get(key, (0, None))
                    if owner is not None and owner.uid == uid:
                        return owner
        return None

    def active_pods_of_replicaset(self, uid: str) -> tuple[Pod, ...]:
        """Pods that a ReplicaSet controls and that count as its replicas."""
        return self.store.active_pods_controlled_by(uid)

    def pods_of_deployment(self, key: str) -> tuple[Pod, ...]:
        """Active pods of a Deployment, by ReplicaSet and in the order of creation."""
        deployment = self.get(Deployment, key)
        if deployment is None:
            return ()
        sets = self.replicasets_of(deployment)
        return tuple(pod for one in sets for pod in self.store.active_pods_controlled_by(one.uid))

    def may_wait(self, replicaset: ReplicaSet) -> bool:
        """Has a leading controller manager missed a pod of it that came and went? It waits for that pod's creation in vain."""
        leaders = self.leaders.get("kube-controller-manager", {})
        return any(self.views.has_missed_one_of(replicaset.uid, one) for one in leaders)

    def replicasets_of(self, deployment: Deployment) -> tuple[ReplicaSet, ...]:
        """What a Deployment controls."""
        return tuple(one for one in self.all(ReplicaSet) if _controlled_by(one, deployment.uid))

    def deployments_behind(self, service: Service) -> tuple[Deployment, ...]:
        """The Deployments whose pods a Service selects."""
        selector = service.spec.selector if service.spec is not None else None
        if not selector:
            return ()
        return tuple(
            one
            for one in self.all(Deployment)
            if one.namespace == service.namespace
            and all(one.spec.template.metadata.labels.get(key) == value for key, value in selector.items())
        )

    def is_whole(self, deployment: Deployment) -> bool:
        """Rolled out: every replica is new and available, and no old pod is left, not even a dying one.

        A pod that has failed (one for which its node had no room, say) stays until it is one of many: it counts no more.
        """
        status, wanted = deployment.status, deployment.spec.replicas
        if status.observed_generation < deployment.metadata.generation:
            return False
        if (status.replicas, status.updated_replicas, status.available_replicas) != (wanted,) * 3:
            return False
        mine = [
            pod
            for one in self.all(ReplicaSet)
            if _controlled_by(one, deployment.uid)
            for pod in self.store.pods_controlled_by(one.uid)
            if pod.metadata.deletion_timestamp is not None or not is_pod_terminal(pod)
        ]
        return len(mine) == wanted

    # -- faults and disruptions

    def has_been_calm_since(self, when: int) -> bool:
        """No fault is under way, and the aftermath of the last one was over at `when`."""
        return not self.faults and (self.recovered_at is None or self.recovered_at < when)

    def disruptions_of(self, deployments: tuple[str, ...], at: int) -> tuple[Disruption, ...]:
        """Voluntary disruptions that were moving one of these Deployments at the time `at`."""
        return tuple(
            one
            for one in self.disruptions
            if one.began <= at
            and (one.ended is None or at <= one.ended + AFTERMATH_NS)
            and any(key in deployments for key in one.deployments)
        )

    def was_handled_by_hand(self, deployments: tuple[str, ...], since: int) -> bool:
        """Somebody deleted a pod of one of these shortly before `since`, or later: no promise holds."""
        return any(at >= since - LONG_AGO_NS and key in deployments for at, key in self._by_hand)

    def has_nowhere_to_go(self, deployments: tuple[str, ...]) -> bool:
        """Some pod of these Deployments is Pending because no node takes it."""
        pods = (pod for key in deployments for pod in self.pods_of_deployment(key))
        return any(
            one.type == "PodScheduled" and one.status == "False"
            for pod in pods
            for one in pod.status.conditions
        )

    def _fault_started(self, entry: Entry) -> None:
        assert isinstance(entry.event, FaultStarted), "subscribed to it"
        self.clocks_have_drifted |= entry.event.verb == "clock-drift"
        if not self.faults and (self.recovered_at is None or self.recovered_at < entry.at):
            self._trouble_began = entry.at
        self.faults[entry.event.text] = self.faults.get(entry.event.text, 0) + 1

    def _fault_ended(self, entry: Entry) -> None:
        assert isinstance(entry.event, FaultEnded), "subscribed to it"
        text = entry.event.text
        self.faults[text] -= 1
        if not self.faults[text]:
            del self.faults[text]
        lasted = entry.at - self._trouble_began
        self.recovered_at = entry.at + min(max(FAULT_AFTERMATH_NS, 2 * lasted), BACKOFF_MAX_NS)

    def _operation_started(self, entry: Entry) -> None:
        event = entry.event
        assert isinstance(event, OperationStarted), "subscribed to it"
        words = dict(word.partition("=")[::2] for word in event.text.split()[1:])
        if event.verb in BY_HAND:
            named = self._deployments_on(words["node"]) if "node" in words else (words["deployment"],)
            self._by_hand += [(entry.at, key) for key in named]
        if event.verb in DISRUPTIVE:
            node = words.get("node")
            touched = self._deployments_on(node) if node is not None else (words["deployment"],)
            self.disruptions.append(
                Disruption(verb=event.verb, text=event.text, began=entry.at, deployments=touched)
            )

    def _operation_ended(self, entry: Entry) -> None:
        assert isinstance(entry.event, OperationEnded), "subscribed to it"
        for one in self.disruptions:
            if one.text == entry.event.text and one.is_asked:
                one.is_asked = False
                self._close_disruptions(entry.at)
                return

    def _deployments_on(self, node: str) -> tuple[str, ...]:
        return tuple(
            one.key
            for one in self.all(Deployment)
            if any(pod.spec.node_name == node for pod in self.pods_of_deployment(one.key))
        )

    def _close_disruptions(self, at: int) -> None:
        for one in self.disruptions:
            if one.ended is None and not one.is_asked:
                touched = [self.get(Deployment, key) for key in one.deployments]
                if all(deployment is None or self.is_whole(deployment) for deployment in touched):
                    one.ended = at

    # -- what happened

    def _changed(self, change: Change) -> None:
        if change.is_heartbeat:
            return
        self.last_change = (change.at, change.words())
        if self.disruptions and isinstance(change.obj, Pod | Deployment):
            self._close_disruptions(change.at)

    def _leader_started(self, entry: Entry) -> None:
        assert isinstance(entry.event, LeaderStarted), "subscribed to it"
        self.leaders.setdefault(entry.event.lease, {})[entry.by] = entry.at
        self.elected[entry.by.rpartition("-")[0]] = entry.event.lease

    def _leader_stopped(self, entry: Entry) -> None:
        assert isinstance(entry.event, LeaderStopped), "subscribed to it"
        self.leaders.get(entry.event.lease, {}).pop(entry.by, None)

    def _process_stopped(self, entry: Entry) -> None:
        for holders in self.leaders.values():
            holders.pop(entry.by, None)


def _controlled_by(obj: KubeObject, uid: str) -> bool:
    owner = obj.metadata.controller
    return owner is not None and owner.uid == uid
