"""Which pods a kubelet takes: `models/node/admission.py` (lifecycle/predicate.go)."""

from chaoskube.models.node.admission import admit, requests_of
from chaoskube.models.objects import (
    Affinity,
    Container,
    ContainerPort,
    FrozenDict,
    Node,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    NodeSpec,
    NodeStatus,
    ObjectMeta,
    Pod,
    PodSpec,
    Quantity,
    ResourceRequirements,
    Taint,
    Toleration,
)

NODE = Node(
    metadata=ObjectMeta(name="node-1", labels=FrozenDict({"disk": "ssd", "cores": "8"})),
    status=NodeStatus(
        allocatable=FrozenDict({"cpu": Quantity("2"), "memory": Quantity("1Gi"), "pods": Quantity("3")})
    ),
)


def asking(cpu: str = "0", memory: str = "0") -> Container:
    amounts = FrozenDict({"cpu": Quantity(cpu), "memory": Quantity(memory)})
    return Container(name="c", resources=ResourceRequirements(requests=amounts))


def a_pod(*containers: Container, **spec: object) -> Pod:
    return Pod(spec=PodSpec(containers=containers or (asking(),), **spec))  # type: ignore[arg-type]  # any field


def reason(pod: Pod, *accepted: Pod, node: Node = NODE) -> str | None:
    rejection = admit(pod, accepted, node)
    return rejection.reason if rejection is not None else None


def test_resources_are_counted_beside_the_pods_that_run() -> None:
    """OutOfcpu, OutOfmemory, OutOfpods."""
    assert reason(a_pod(asking(cpu="1500m")), a_pod(asking(cpu="500m"))) is None
    assert reason(a_pod(asking(cpu="1501m")), a_pod(asking(cpu="500m"))) == "OutOfcpu"
    assert reason(a_pod(asking(memory="2Gi"))) == "OutOfmemory"
    assert reason(a_pod(), a_pod(), a_pod(), a_pod()) == "OutOfpods"


def test_the_message_is_the_real_one() -> None:
    """As `kubectl get pod -o yaml` shows it."""
    rejection = admit(a_pod(asking(cpu="3")), (), NODE)

    assert rejection is not None
    assert rejection.message == (
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 2000"
    )


def test_the_largest_init_container_counts_against_the_sum_of_the_others() -> None:
    """PodRequests: they never run at the same time; sidecars do."""
    side = Container(name="s", restart_policy="Always", resources=asking(cpu="100m").resources)
    pod = a_pod(asking(cpu="500m"), asking(cpu="500m"), init_containers=(side, asking(cpu="1")))

    assert requests_of(pod)["cpu"] == 1100


def test_selector_and_required_affinity_must_fit() -> None:
    """Also after binding: a kubelet that restarts asks again."""
    term = NodeSelectorTerm(
        match_expressions=(NodeSelectorRequirement(key="cores", operator="Gt", values=("4",)),)
    )
    affinity = Affinity(
        node_affinity=NodeAffinity(
            required_during_scheduling_ignored_during_execution=NodeSelector(node_selector_terms=(term,))
        )
    )

    assert reason(a_pod(node_selector=FrozenDict({"disk": "ssd"}), affinity=affinity)) is None
    assert reason(a_pod(node_selector=FrozenDict({"disk": "hdd"}))) == "NodeAffinity"


def test_no_execute_taints_need_a_toleration() -> None:
    """NoSchedule is the scheduler's business alone."""
    tainted = Node(
        metadata=NODE.metadata,
        status=NODE.status,
        spec=NodeSpec(taints=(Taint(key="a", effect="NoSchedule"), Taint(key="b", effect="NoExecute"))),
    )

    assert reason(a_pod(), node=tainted) == "TaintToleration"
    assert reason(a_pod(tolerations=(Toleration(key="b", operator="Exists"),)), node=tainted) is None


def test_a_host_port_can_be_had_once() -> None:
    """network.md 5: hostPort is exclusive per node."""
    port = Container(name="c", ports=(ContainerPort(container_port=80, host_port=80),))

    assert reason(a_pod(port), a_pod(port)) == "NodePorts"
