"""What admission and the first moments of an object are like: priorities, gates, dry runs, bodies of another kind."""

from __future__ import annotations

from typing import Any

import pytest

from chaoskube.models.objects import Container, ObjectMeta, Pod, PodSchedulingGate, PodSpec
from chaoskube.models.objects.conditions import get_condition
from chaoskube.sim import SECOND

CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
PODS = "/api/v1/namespaces/default/pods"
CONFIGS = "/api/v1/namespaces/default/configmaps"
JSON = "application/json"
MERGE = "application/merge-patch+json"


def priority_class(name: str, value: int, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        **more,
    }


def pod(name: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "app", "image": "app:v1"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": containers, **spec},
    }


def post(api: Any, path: str, body: dict[str, Any], query: Any = None) -> Any:
    return api.http("POST", path, query, JSON, body)


def test_a_pod_gets_the_priority_of_its_class(api: Any) -> None:
    """And the class's word on preemption; afterwards the class may go, the pod keeps what it got."""
    post(api, CLASSES, priority_class("calm", 1000, preemptionPolicy="Never"))
    api.world.advance(SECOND)

    code, made = post(api, PODS, pod("p", priorityClassName="calm"))
    api.http("DELETE", f"{CLASSES}/calm")
    _, after = api.http("PATCH", f"{PODS}/p", None, MERGE, {"metadata": {"labels": {"a": "b"}}})

    assert code == 201, made
    for tree in (made, after):
        assert (tree["spec"]["priority"], tree["spec"]["preemptionPolicy"]) == (1000, "Never")


def test_pods_without_a_class_take_the_default_one(api: Any) -> None:
    """There is one default at most: a second is refused."""
    made = post(api, CLASSES, priority_class("usual", 7, globalDefault=True))
    api.world.advance(SECOND)
    second = post(api, CLASSES, priority_class("other", 8, globalDefault=True))
    _, mine = post(api, PODS, pod("p"))

    assert made[0] == 201 and made[1]["preemptionPolicy"] == "PreemptLowerPriority"
    assert (mine["spec"]["priorityClassName"], mine["spec"]["priority"]) == ("usual", 7)
    assert second[0] == 403 and second[1]["message"].endswith(
        "PriorityClass usual is already marked as globalDefault"
    )


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"priorityClassName": "nope"}, "no PriorityClass with name nope was found"),
        (
            {"priority": 5},
            (
                "the integer value of priority (5) must not be provided in pod spec; "
                "priority admission controller computed 0 from the given PriorityClass name"
            ),
        ),
        (
            {"preemptionPolicy": "Never"},
            (
                "the string value of PreemptionPolicy (Never) must not be provided in pod spec; "
                "priority admission controller computed PreemptLowerPriority from the given PriorityClass name"
            ),
        ),
    ],
)
def test_a_pod_cannot_choose_its_priority(api: Any, spec: dict[str, Any], why: str) -> None:
    """plugin/pkg/admission/priority: only the class speaks."""
    code, said = post(api, PODS, pod("p", **spec))

    assert (code, said["message"]) == (403, f'pods "p" is forbidden: {why}')


def test_a_class_that_another_server_has_not_heard_of_refuses_the_pod(api: Any) -> None:
    """The plug-in asks its server's own cache, which may lag behind; a little later the same pod is taken."""
    api.delay_etcd_watch(1, "priorityclasses", 5 * SECOND)
    api.http("POST", CLASSES, None, JSON, priority_class("late", 3))
    spec = PodSpec(containers=(Container(name="app", image="app:v1"),), priority_class_name="late")
    wanted = Pod(metadata=ObjectMeta(name="p"), spec=spec)

    refused = api.do("create", "pods", server=1, body=wanted)
    taken = api.do("create", "pods", server=0, body=wanted)

    assert refused.code == 403
    assert taken.spec.priority == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"value": 6}, "value: Forbidden: may not be changed in an update."),
        ({"preemptionPolicy": "Never"}, 'preemptionPolicy: Invalid value: "Never": field is immutable'),
    ],
)
def test_a_class_never_changes_what_pods_copy(api: Any, change: dict[str, Any], why: str) -> None:
    """pkg/apis/scheduling/validation."""
    post(api, CLASSES, priority_class("c", 5))
    code, said = api.http("PATCH", f"{CLASSES}/c", None, MERGE, change)

    assert (code, said["message"]) == (422, f'PriorityClass.scheduling.k8s.io "c" is invalid: {why}')


def test_users_cannot_outrank_the_system(api: Any) -> None:
    """Neither by value nor by name."""
    high = post(api, CLASSES, priority_class("high", 1_000_000_001))
    named = post(api, CLASSES, priority_class("system-mine", 1))

    assert high[0] == 422 and "maximum allowed value of a user defined priority is 1000000000" in str(high)
    assert named[0] == 422 and "reserved for system use only" in str(named)


def test_a_gated_pod_says_why_it_waits(api: Any) -> None:
    """The server sets the condition at once: no scheduler need run."""
    gates = (PodSchedulingGate(name="a.example/x"),)
    spec = PodSpec(containers=(Container(name="app", image="app:v1"),), scheduling_gates=gates)
    made = api.create(Pod(metadata=ObjectMeta(name="p"), spec=spec))

    condition = get_condition(made.status.conditions, "PodScheduled")
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "SchedulingGated")


def test_a_dry_delete_answers_as_a_real_one_and_deletes_nothing(api: Any) -> None:
    """A Status for what would be gone, the marked object for what would end gracefully."""
    post(api, CONFIGS, {"metadata": {"name": "c"}})
    post(api, PODS, pod("p", nodeName="node-1"))

    config = api.http("DELETE", f"{CONFIGS}/c", {"dryRun": "All"})
    marked = api.http("DELETE", f"{PODS}/p", {"dryRun": "All"})
    _, still = api.http("GET", f"{PODS}/p")

    assert (config[1]["kind"], config[1]["status"]) == ("Status", "Success")
    assert marked[1]["metadata"]["deletionGracePeriodSeconds"] == 30
    assert "deletionTimestamp" not in still["metadata"]
    assert api.http("GET", f"{CONFIGS}/c")[0] == 200


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "k"}, "data": {"a": "1"}},
            'Secret in version "v1" cannot be handled as a ConfigMap: illegal base64 data at input byte 0',
        ),
        (
            pod("p"),
            (
                'Pod in version "v1" cannot be handled as a ConfigMap: '
                "converting (v1.Pod) to (core.ConfigMap): unknown conversion"
            ),
        ),
    ],
)
def test_a_body_of_another_kind_is_read_as_what_it_says(api: Any, body: dict[str, Any], why: str) -> None:
    """Its own faults come first; without any, it still is no ConfigMap."""
    code, said = post(api, CONFIGS, body)

    assert (code, said["message"]) == (400, why)


@pytest.mark.parametrize(
    ("text", "at"),
    [("1", 0), ("YQ==", None), ("YQ", 0), ("Y!==", 1), ("YQ=", 3), ("YQ==x", 4), ("YWE=", None)],
)
def test_base64_is_read_as_go_reads_it(api: Any, text: str, at: int | None) -> None:
    """encoding/base64: where it gives up is part of the message."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "k"}, "binaryData": {"a": text}}
    code, said = post(api, CONFIGS, body)

    assert code == (201 if at is None else 400)
    if at is not None:
        assert said["message"].endswith(f"illegal base64 data at input byte {at}")


SERVICES = "/api/v1/namespaces/default/services"


def service(name: str, **spec: Any) -> dict[str, Any]:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    return {"metadata": {"name": name}, "spec": {"ports": ports, **spec}}


def node_ports(tree: dict[str, Any]) -> list[int]:
    return [port.get("nodePort", 0) for port in tree["spec"]["ports"]]


def test_a_service_that_changes_its_type_gets_and_gives_back_addresses(api: Any) -> None:
    """Its cluster IP stays as long as it needs one; what it frees, another may take."""
    address = post(api, SERVICES, service("s"))[1]["spec"]["clusterIP"]
    _, noded = api.http("PATCH", f"{SERVICES}/s", None, MERGE, {"spec": {"type": "NodePort"}})
    ports = node_ports(noded)
    _, plain = api.http("PATCH", f"{SERVICES}/s", None, MERGE, {"spec": {"type": "ClusterIP"}})
    wanted = service("t", type="NodePort")
    wanted["spec"]["ports"][0]["nodePort"] = ports[0]
    taken = post(api, SERVICES, wanted)
    _, named = api.http(
        "PATCH", f"{SERVICES}/s", None, MERGE, {"spec": {"type": "ExternalName", "externalName": "a.b"}}
    )
    reused = post(api, SERVICES, service("u", clusterIP=address))

    assert all(ports) and len(set(ports)) == 2 and noded["spec"]["clusterIP"] == address
    assert node_ports(plain) == [0, 0] and "externalTrafficPolicy" not in plain["spec"]
    assert taken[0] == 201 and node_ports(taken[1])[0] == ports[0]
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "internalTrafficPolicy"} & set(named["spec"])
    assert reused[0] == 201


def test_an_update_that_keeps_its_ports_keeps_them(api: Any) -> None:
    """And one that asks for a taken port takes nothing."""
    first = node_ports(post(api, SERVICES, service("s", type="NodePort"))[1])
    other = node_ports(post(api, SERVICES, service("t", type="NodePort"))[1])
    _, same = api.http("PATCH", f"{SERVICES}/s", None, MERGE, {"metadata": {"labels": {"a": "b"}}})
    ports = [{"name": "a", "port": 80, "nodePort": other[0]}, {"name": "b", "port": 81, "nodePort": first[1]}]
    code, said = api.http("PATCH", f"{SERVICES}/s", None, MERGE, {"spec": {"ports": ports}})
    ports[0]["nodePort"] = first[0]
    again, _ = api.http("PATCH", f"{SERVICES}/s", None, MERGE, {"spec": {"ports": ports}})

    assert node_ports(same) == first
    assert code == 422 and "provided port is already allocated" in said["message"]
    assert again == 200


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"type": "NodePort", "clusterIP": "None"}, "may not be set to 'None' for NodePort services"),
        ({"externalTrafficPolicy": "Local"}, "may only be set for externally-accessible services"),
        ({"ports": [{"port": 80, "nodePort": 30001}]}, "may not be used when `type` is 'ClusterIP'"),
        ({"clusterIP": "1.2.3.4"}, "the provided IP (1.2.3.4) is not in the valid range"),
    ],
)
@pytest.mark.parametrize("query", [{}, {"dryRun": "All"}])
def test_a_service_is_refused_what_its_type_forbids(
    api: Any, spec: dict[str, Any], why: str, query: dict[str, str]
) -> None:
    """A dry run says the same."""
    code, said = post(api, SERVICES, service("s", **spec), query)

    assert code == 422 and why in said["message"]


def test_dry_runs_of_subresources_write_nothing(api: Any) -> None:
    """scale, binding and eviction say what they would, and leave everything as it was."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "app", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    sets = "/apis/apps/v1/namespaces/default/replicasets"
    post(api, sets, {"metadata": {"name": "rs"}, "spec": spec})
    post(api, PODS, pod("p"))
    before = [api.http("GET", path)[1] for path in (f"{sets}/rs", f"{PODS}/p")]

    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "node-1"}}
    eviction = {"metadata": {"name": "p"}, "deleteOptions": {"dryRun": ["All"]}}
    scaled = api.http("PATCH", f"{sets}/rs/scale", {"dryRun": "All"}, MERGE, {"spec": {"replicas": 7}})
    bound = post(api, f"{PODS}/p/binding", binding, {"dryRun": "All"})
    evicted = post(api, f"{PODS}/p/eviction", eviction)

    assert (scaled[0], scaled[1]["spec"]["replicas"]) == (200, 7)
    assert (bound[0], evicted[0]) == (201, 201)
    assert [api.http("GET", path)[1] for path in (f"{sets}/rs", f"{PODS}/p")] == before
