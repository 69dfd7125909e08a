"""What the recordings don't show: soft spreading, affinity between pods, ports, init containers, messages."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from chaoskube.models.objects import LabelSelector, Node, Pod, Volume
from chaoskube.models.objects.frozen import FrozenDict
from chaoskube.models.objects.volumes import PersistentVolumeClaimVolumeSource
from chaoskube.models.scheduler.cache import SchedulerCache
from chaoskube.models.scheduler.claims import UNBOUND
from chaoskube.models.scheduler.cycle import Chosen, Diagnosis, decide, nodes_to_find
from chaoskube.models.scheduler.diagnosis import explain
from chaoskube.models.scheduler.framework import ClusterEvent, Happening, enabled
from chaoskube.models.scheduler.nodes import PodInfo
from chaoskube.models.scheduler.requests import pod_requests
from tests.models.scheduler.sched_objects import node, pod

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"


@frozen
class OwnedByLabel:
    """Owners for which the label `app` says it all."""

    def selectors_of(self, pod: Pod) -> tuple[LabelSelector, ...]:
        app = pod.labels.get("app")
        return (LabelSelector(match_labels=FrozenDict({"app": app})),) if app else ()

    def namespace_labels(self, namespace: str) -> Mapping[str, str]:
        return {"name": namespace}


def decision(
    pending: Pod, nodes: list[Node], pods: list[Pod] | None = None
) -> tuple[Chosen | Diagnosis, str]:
    """The decision and, when there is none, the message."""
    cache = SchedulerCache(OwnedByLabel())
    for each in nodes:
        cache.set_node(each)
    for there in pods or []:
        cache.set_pod(there)
    info, view, plugins = PodInfo.of(pending), cache.view(), enabled()
    made = decide(info, view, plugins, start=0, luck=random.Random(1))
    return made, explain(made, info, view, plugins).message if isinstance(made, Diagnosis) else ""


def best(pending: Pod, nodes: list[Node], pods: list[Pod] | None = None) -> tuple[str, ...]:
    made, message = decision(pending, nodes, pods)
    assert isinstance(made, Chosen), message
    return made.best


def term(app: str, key: str = HOST, **more: Any) -> dict[str, Any]:
    return {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key, **more}


def required(kind: str, *terms: dict[str, Any]) -> dict[str, Any]:
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


def test_plugins_stand_in_the_default_order() -> None:
    """default_plugins.go; the first no of a node is the one that is told."""
    names = [each.name for each in enabled()]

    assert names == [
        "SchedulingGates",
        "NodeUnschedulable",
        "NodeName",
        "TaintToleration",
        "NodeAffinity",
        "NodePorts",
        "NodeResourcesFit",
        "VolumeBinding",
        "PodTopologySpread",
        "InterPodAffinity",
        "NodeResourcesBalancedAllocation",
    ]


def test_pods_of_one_service_spread_over_hosts_and_zones_by_default() -> None:
    """The system's soft constraints; without an owner the emptier node would be as good as any."""
    nodes = [node("a1", zone="a"), node("a2", zone="a"), node("b1", zone="b")]
    there = [pod("web-0", node="a1", labels={"app": "web"})]

    assert best(pod("web-1", labels={"app": "web"}), nodes, there) == ("b1",)


def test_required_anti_affinity_is_symmetric() -> None:
    """A pod that is there keeps a newcomer away that has no opinion of its own."""
    loner = pod(
        "loner", node="node-1", labels={"app": "db"}, affinity=required("podAntiAffinity", term("web"))
    )
    nodes = [node("node-1"), node("node-2")]

    assert best(pod("web", labels={"app": "web"}), nodes, [loner]) == ("node-2",)

    _, message = decision(pod("web", labels={"app": "web"}), nodes[:1], [loner])
    assert message.startswith(
        "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules."
    )


def test_required_affinity_wants_the_topology_of_a_matching_pod() -> None:
    """Same zone as the cache, whichever node."""
    nodes = [node("a1", zone="a"), node("b1", zone="b")]
    near = pod("web", affinity=required("podAffinity", term("cache", ZONE)))

    assert best(near, nodes, [pod("cache", node="b1", labels={"app": "cache"})]) == ("b1",)

    _, message = decision(near, nodes)
    assert message.startswith("0/2 nodes are available: 2 node(s) didn't match pod affinity rules.")


def test_first_of_a_group_that_wants_to_be_together_goes_anywhere() -> None:
    """Else the group could never start."""
    first = pod("web-0", labels={"app": "web"}, affinity=required("podAffinity", term("web")))

    assert set(best(first, [node("node-1"), node("node-2")])) == {"node-1", "node-2"}


def test_namespace_selector_reaches_into_other_namespaces() -> None:
    """An empty selector means all namespaces; none means the pod's own."""
    there = pod("db", node="node-1", labels={"app": "db"})
    elsewhere = {"matchLabels": {"name": "other"}}
    away = pod("web", affinity=required("podAntiAffinity", term("db", namespaceSelector=elsewhere)))

    assert best(away, [node("node-1")], [there]) == ("node-1",)


def test_preferred_anti_affinity_scores_only() -> None:
    """With one node left it still takes it."""
    preferred = {"weight": 100, "podAffinityTerm": term("web")}
    shy = pod(
        "web-1",
        labels={"app": "web"},
        affinity={"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]}},
    )
    there = [pod("web-0", node="node-1", labels={"app": "web"})]

    assert best(shy, [node("node-1"), node("node-2")], there) == ("node-2",)
    assert best(shy, [node("node-1")], there) == ("node-1",)


def test_missing_topology_label_is_told_apart() -> None:
    """A node without the key can't be helped by anybody's death."""
    constraint = {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    _, message = decision(
        pod("web", labels={"app": "web"}, topologySpreadConstraints=[constraint]), [node("node-1")]
    )

    assert message == (
        "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints "
        "(missing required label). no new claims to deallocate, preemption: 0/1 nodes are available: "
        "1 Preemption is not helpful for scheduling."
    )


def test_pod_pinned_to_one_node_by_name_is_not_told_about_the_others_one_by_one() -> None:
    """DaemonSet pods, as recorded: the rest 'didn't satisfy plugin(s) [NodeAffinity]'."""
    field = {"key": "metadata.name", "operator": "In", "values": ["node-1"]}
    affinity = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchFields": [field]}]
            }
        }
    }
    pinned = pod("daemon", cpu="5", affinity=affinity)

    _, message = decision(pinned, [node("node-1"), node("node-2"), node("node-3")])

    assert message == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "3 Preemption is not helpful for scheduling."
    )


def test_where_eviction_would_make_room_the_message_ends_after_the_reasons() -> None:
    """As recorded in sched-preemption; and the nodes are named, because nobody is evicted here."""
    low = pod("low", cpu="3", node="node-1")
    made, message = decision(pod("high", cpu="3", priority=100), [node("node-1")], [low])

    assert isinstance(made, Diagnosis)
    assert message == "0/1 nodes are available: 1 Insufficient cpu."


def test_no_nodes_at_all() -> None:
    """An error, not a rejection: it is tried again by time alone."""
    made, message = decision(pod("web"), [])

    assert isinstance(made, Diagnosis)
    assert (made.rejected_by, message) == ((), "no nodes available to schedule pods")


def test_init_containers_raise_the_request_and_sidecars_add_to_it() -> None:
    """PodRequests: the larger of the peak while starting and the sum while running."""

    def container(name: str, cpu: str, **more: object) -> dict[str, object]:
        return {"name": name, "resources": {"requests": {"cpu": cpu}}, **more}

    asked = pod_requests(
        pod(
            "web",
            containers=[container("app", "200m")],
            initContainers=[container("proxy", "100m", restartPolicy="Always"), container("setup", "500m")],
        )
    )

    assert asked == {"cpu": 600}


def test_large_clusters_are_not_scanned_whole() -> None:
    """percentageOfNodesToScore 0: 50 - n/125 percent, at least 5, and never fewer than 100 nodes."""
    assert [nodes_to_find(count) for count in (3, 99, 100, 150, 1000, 5000, 10000)] == [
        3,
        99,
        100,
        100,
        420,
        500,
        500,
    ]


def test_every_tied_node_is_taken_by_some_luck() -> None:
    """Ties are luck's, and luck is handed in."""
    cache = SchedulerCache()
    for name in ("node-1", "node-2", "node-3"):
        cache.set_node(node(name))
    luck = random.Random(3)
    info, view, plugins = PodInfo.of(pod("web")), cache.view(), enabled()

    chosen = [decide(info, view, plugins, start=0, luck=luck) for _ in range(40)]

    assert {each.node for each in chosen if isinstance(each, Chosen)} == {"node-1", "node-2", "node-3"}


SPREAD = {
    "maxSkew": 1,
    "topologyKey": ZONE,
    "whenUnsatisfiable": "DoNotSchedule",
    "labelSelector": {"matchLabels": {"app": "web"}},
}


def test_zones_that_the_pod_may_not_use_do_not_count_for_the_skew() -> None:
    """nodeAffinityPolicy Honor: an empty zone elsewhere doesn't hold the pod back."""
    nodes = [node("a1", zone="a"), node("b1", zone="b")]
    there = [pod(f"web-{number}", node="a1", labels={"app": "web"}) for number in range(3)]
    pinned = pod("web", labels={"app": "web"}, nodeSelector={ZONE: "a"}, topologySpreadConstraints=[SPREAD])

    assert best(pinned, nodes, there) == ("a1",)


def test_terminating_pods_do_not_count_for_the_skew_but_for_resources() -> None:
    """Spreading looks ahead; the room is taken until the pod is really gone."""
    nodes = [node("a1", cpu="3", zone="a"), node("b1", cpu="1", zone="b")]
    going = [pod(f"web-{number}", node="a1", cpu="1", labels={"app": "web"}) for number in range(2)]
    going = [evolve(each, metadata=evolve(each.metadata, deletion_timestamp=1)) for each in going]
    full = pod("full", node="b1", cpu="1")

    def web(cpu: str) -> Pod:
        return pod("web", cpu=cpu, labels={"app": "web"}, topologySpreadConstraints=[SPREAD])

    assert best(web("1"), nodes, [*going, full]) == ("a1",)

    _, message = decision(web("2"), nodes, [*going, full])
    assert message.startswith("0/2 nodes are available: 2 Insufficient cpu.")


def test_pods_without_requests_spread_too() -> None:
    """For scores, and only for them, they count as 100m and 200Mi each."""
    there = [pod("idle-0", node="node-1")]

    assert best(pod("idle-1"), [node("node-1"), node("node-2")], there) == ("node-2",)


def test_balance_decides_between_nodes_with_as_much_room() -> None:
    """Half the cpu and no memory used is worse than a quarter of both."""
    nodes = [node("node-1"), node("node-2")]
    there = [pod("a", cpu="2", memory="1Ki", node="node-1"), pod("b", cpu="1", memory="2Gi", node="node-2")]

    assert best(pod("new", cpu="1m", memory="1Mi"), nodes, there) == ("node-2",)


def test_preferred_node_wins_against_an_emptier_one() -> None:
    """NodeAffinity's preferences weigh 2."""
    preference = {"matchExpressions": [{"key": HOST, "operator": "In", "values": ["node-1"]}]}
    affinity = {
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": preference}]
        }
    }
    there = [pod("a", cpu="2", memory="4Gi", node="node-1")]

    assert best(pod("new", affinity=affinity), [node("node-1"), node("node-2")], there) == ("node-1",)


def test_soft_taint_keeps_off_while_there_is_another_node() -> None:
    """TaintToleration's score weighs 3."""
    tainted = node("node-1", taints=[{"key": "old", "effect": "PreferNoSchedule"}])
    there = [pod("a", cpu="2", memory="4Gi", node="node-2")]

    assert best(pod("new"), [tainted, node("node-2")], there) == ("node-2",)
    assert best(pod("new"), [tainted]) == ("node-1",)


@frozen
class Unbound:
    """Claims of which those of one pod aren't bound."""

    name: str

    def missing_for(self, pod: Pod) -> str:
        return UNBOUND if pod.name == self.name else ""


def claiming(name: str) -> Pod:
    """A pod with a claim for a volume."""
    source = PersistentVolumeClaimVolumeSource(claim_name="data")
    made = pod(name)
    return evolve(made, spec=evolve(made.spec, volumes=(Volume(name="v", persistent_volume_claim=source),)))


def test_a_pod_waits_for_its_claims_and_a_claim_that_changes_wakes_it() -> None:
    """volume_binding.go PreFilter; recorded: the message breaks off because DynamicResources was never asked."""
    cache = SchedulerCache(claims=Unbound("p"))
    cache.set_node(node("node-1"))
    info, view, plugins = PodInfo.of(claiming("p")), cache.view(), enabled()
    made = decide(info, view, plugins, start=0, luck=random.Random(1))
    others = decide(PodInfo.of(claiming("q")), view, plugins, start=0, luck=random.Random(1))
    binding = next(each for each in plugins if each.name == "VolumeBinding")

    def wakes(name: str) -> bool:
        event = ClusterEvent(what=Happening.CLAIM_CHANGED, claim=(info.pod.namespace, name))
        return binding.may_help(info, event)

    assert isinstance(made, Diagnosis) and isinstance(others, Chosen)
    assert explain(made, info, view, plugins).message == (
        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    )
    assert wakes("data") and not wakes("logs")
