"""The API server in a world: three etcd members, two servers, and what clients see of them."""

from __future__ import annotations

from typing import Any

import attrs

from chaoskube.models.apiserver.api import DeleteOptions, ListOptions, Preconditions, Request, Status
from chaoskube.models.apiserver.events import Compacted, Written
from chaoskube.models.objects import (
    ConfigMap,
    Container,
    FrozenDict,
    Lease,
    Node,
    ObjectMeta,
    Pod,
    PodSpec,
    freeze,
)
from chaoskube.sim import MILLISECOND, SECOND, World


def config(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name), data=FrozenDict(data))


def pod(name: str, **spec: Any) -> Pod:
    containers = (Container(name="app", image="app:v1"),)
    return Pod(metadata=ObjectMeta(name=name), spec=PodSpec(containers=containers, **spec))


def test_what_was_created_is_read_from_both_servers(api: Any) -> None:
    """A GET without a version asks etcd, so every server knows."""
    made = api.create(config("a", x="1"))

    assert made.uid and made.resource_version
    assert api.do("get", "configmaps", "a", server=1) == made
    assert api.names("configmaps", server=1) == ["a"]


def test_namespaces_exist_from_the_start(api: Any) -> None:
    """Clients put leases and pods there at once."""
    assert api.names("namespaces") == ["default", "kube-node-lease", "kube-public", "kube-system"]


def test_a_stale_update_conflicts_and_an_unchanged_one_writes_nothing(api: Any) -> None:
    """api-server.md 2: optimistic locking, and no-op updates do not bump the revision."""
    first = api.create(config("a", x="1"))
    second = api.do("update", "configmaps", "a", body=attrs.evolve(first, data=FrozenDict(x="2")))

    stale = api.do("update", "configmaps", "a", body=attrs.evolve(first, data=FrozenDict(x="3")))
    same = api.do("update", "configmaps", "a", body=second)

    assert isinstance(stale, Status) and (stale.code, stale.reason) == (409, "Conflict")
    assert same.resource_version == second.resource_version


def test_a_status_patch_touches_only_the_status(api: Any) -> None:
    """Status and spec share a resource version but not each other's fields."""
    made = api.create(pod("p"))
    body = freeze({"status": {"phase": "Running"}, "metadata": {"labels": {"a": "b"}}})
    after = api.do("patch", "pods", "p", subresource="status", patch_type="strategic", body=body)

    assert after.status.phase == "Running" and after.labels == {"a": "b"}
    assert after.spec == made.spec and after.metadata.generation == 1
    spec_ignored = api.do(
        "patch", "pods", "p", patch_type="strategic", body=freeze({"status": {"phase": "Failed"}})
    )
    assert spec_ignored.resource_version == after.resource_version


def test_binding_happens_once(api: Any) -> None:
    """No pod is bound twice, whoever asks."""
    api.create(pod("p"))
    binding = freeze({"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "node-1"}})
    first = api.do("create", "pods", "p", subresource="binding", body=binding)
    second = api.do("create", "pods", "p", subresource="binding", body=binding, server=1)
    bound = api.do("get", "pods", "p")

    assert first.code == 201
    assert second.message == (
        'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "node-1"'
    )
    assert bound.spec.node_name == "node-1" and bound.metadata.generation == 1
    assert [(c.type, c.status) for c in bound.status.conditions] == [("PodScheduled", "True")]


def test_a_running_pod_gets_its_grace_and_an_unscheduled_one_goes_at_once(api: Any) -> None:
    """api-server.md 3."""
    api.create(pod("bound", node_name="node-1"))
    api.create(pod("loose"))
    watch = api.watch("pods", resource_version="0")
    api.world.advance(SECOND)
    going = api.do("delete", "pods", "bound")
    gone = api.do("delete", "pods", "loose")
    api.world.advance(SECOND)

    assert going.metadata.deletion_grace_period_seconds == 30 and going.metadata.generation == 2
    assert gone.metadata.deletion_grace_period_seconds == 0
    assert watch.seen()[2:] == [
        ("MODIFIED", "bound"),
        ("MODIFIED", "loose"),
        ("DELETED", "loose"),
    ]
    final = DeleteOptions(grace_period_seconds=0, preconditions=Preconditions(uid=going.uid))
    api.do("delete", "pods", "bound", delete_options=final)
    assert api.names("pods") == []


def test_a_delete_of_another_incarnation_is_refused(api: Any) -> None:
    """The kubelet's last delete must not hit a new pod of the same name."""
    api.create(pod("p"))
    wrong = DeleteOptions(preconditions=Preconditions(uid="other"))
    answer = api.do("delete", "pods", "p", delete_options=wrong)

    assert answer.code == 409 and "the UID in the precondition (other) does not match" in answer.message


def test_the_last_finalizer_takes_the_object_along(api: Any) -> None:
    """ShouldDeleteDuringUpdate."""
    made = api.create(ConfigMap(metadata=ObjectMeta(name="f", finalizers=("example.com/x",))))
    marked = api.do("delete", "configmaps", "f")
    body = freeze({"metadata": {"finalizers": None}})
    answer = api.do("patch", "configmaps", "f", patch_type="merge", body=body)

    assert marked.metadata.deletion_timestamp and marked.uid == made.uid
    assert answer.name == "f" and answer.metadata.finalizers == ()
    assert api.do("get", "configmaps", "f").code == 404


def test_a_watch_from_a_version_tells_everything_after_it(api: Any) -> None:
    """Nothing lost, nothing twice, in etcd's order."""
    first = api.create(config("a"))
    api.create(config("b"))
    watch = api.watch("configmaps", server=1, resource_version=first.resource_version)
    api.create(config("c"))
    api.do("delete", "configmaps", "a")
    api.world.advance(SECOND)

    assert watch.seen() == [("ADDED", "b"), ("ADDED", "c"), ("DELETED", "a")]
    versions = [int(event.object.resource_version) for event in watch.events]
    assert versions == sorted(versions)


def test_a_watch_from_too_long_ago_is_410_as_an_event(api: Any) -> None:
    """Pitfall 15: not an HTTP status."""
    for number in range(130):
        api.do("create", "configmaps", body=config(f"c{number}"))
        if number % 10 == 0:
            api.world.advance(10 * SECOND)
    watch = api.watch("configmaps", resource_version="1")
    api.world.advance(SECOND)

    assert [event.type for event in watch.events] == ["ERROR"]
    assert watch.events[0].object.code == 410 and watch.end == "closed"


def test_watch_list_ends_its_beginning_with_a_bookmark(api: Any) -> None:
    """Reflectors start this way: ADDED, a bookmark that says so, then changes and a bookmark a minute."""
    api.create(config("a"))
    watch = api.watch(
        "configmaps",
        send_initial_events=True,
        resource_version_match="NotOlderThan",
        allow_watch_bookmarks=True,
    )
    api.world.advance(SECOND)
    api.create(config("b"))
    api.world.advance(70 * SECOND)

    assert [event.type for event in watch.events] == ["ADDED", "BOOKMARK", "ADDED", "BOOKMARK"]
    assert [e.object.initial_events_end for e in watch.events if e.type == "BOOKMARK"] == [True, False]


def test_selectors_make_added_and_deleted_of_transitions(api: Any) -> None:
    """A pod that leaves a node's selector looks deleted to that kubelet."""
    watch = api.watch("pods", field_selector="spec.nodeName=node-1", resource_version="0")
    api.create(pod("p"))
    binding = freeze({"target": {"name": "node-1"}})
    api.do("create", "pods", "p", subresource="binding", body=binding)
    api.world.advance(SECOND)

    assert watch.seen() == [("ADDED", "p")]


def test_scale_moves_the_generation_under_the_parents_version(api: Any) -> None:
    """kubectl scale."""
    tree = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "a", "image": "i"}]},
            },
        },
    }
    made = api.do("create", "deployments", body=freeze(tree))
    assert not isinstance(made, Status), made
    assert made.spec.replicas == 1 and made.metadata.generation == 1
    body = freeze({"spec": {"replicas": 3}})
    scale = api.do("patch", "deployments", "web", subresource="scale", patch_type="merge", body=body)

    assert scale.content["spec"] == {"replicas": 3} and scale.content["status"]["selector"] == "app=web"
    after = api.do("get", "deployments", "web")
    assert after.spec.replicas == 3 and after.metadata.generation == 2


def test_a_server_with_a_delayed_etcd_watch_is_stale_until_asked_for_the_truth(api: Any) -> None:
    """Each server may lag on its own: version 0 shows the past, a consistent list waits."""
    api.create(config("old"))
    api.world.advance(SECOND)
    api.delay_etcd_watch(1, "configmaps", 2 * SECOND)
    api.create(config("new"))
    stale = api.names("configmaps", server=1, resource_version="0")
    fresh = api.names("configmaps", server=1)

    assert stale == ["old"] and fresh == ["new", "old"]


def test_the_cluster_goes_on_when_a_member_and_a_server_die(api: Any) -> None:
    """Failover: etcd's quorum and the other server are enough."""
    api.create(config("a"))
    api.members[1].crash()
    api.servers[0].crash()
    api.world.advance(10 * SECOND)

    made = api.do("create", "configmaps", body=config("b"), server=1)
    assert made.name == "b"
    assert api.names("configmaps", server=1) == ["a", "b"]


def test_without_quorum_a_write_fails_and_the_cache_still_answers(api: Any) -> None:
    """Watch caches serve version 0 while etcd is down; a write is a 500 whose outcome nobody knows."""
    api.create(config("a"))
    api.world.advance(SECOND)
    api.members[1].crash()
    api.members[2].crash()
    answer = api.do("create", "configmaps", body=config("b"))

    assert (answer.code, answer.message) == (500, "etcdserver: request timed out")


def test_writes_are_journalled_with_who_and_what(api: Any) -> None:
    """What invariants read."""
    seen: list[Written] = []
    api.world.journal.subscribe(Written, lambda entry: seen.append(entry.event))
    made = api.create(config("a", x="1"))
    api.do("update", "configmaps", "a", body=attrs.evolve(made, data=FrozenDict(x="2")))
    api.do("delete", "configmaps", "a")

    assert [(w.verb, w.key, w.user) for w in seen] == [
        ("create", "default/a", "user"),
        ("update", "default/a", "user"),
        ("delete", "default/a", "user"),
    ]
    assert seen[1].prev == made and seen[2].obj is None


def test_a_new_node_is_tainted_and_a_pod_tolerates_for_five_minutes(api: Any) -> None:
    """TaintNodesByCondition, DefaultTolerationSeconds."""
    node = api.create(Node(metadata=ObjectMeta(name="node-1")))
    made = api.create(pod("p"))

    assert [(t.key, t.effect) for t in node.spec.taints] == [("node.kubernetes.io/not-ready", "NoSchedule")]
    assert [(t.key, t.toleration_seconds) for t in made.spec.tolerations] == [
        ("node.kubernetes.io/not-ready", 300),
        ("node.kubernetes.io/unreachable", 300),
    ]


def test_a_lease_needs_a_version_for_its_update(api: Any) -> None:
    """AllowUnconditionalUpdate is false for leases: leader election stands on it."""
    api.create(Lease(metadata=ObjectMeta(name="l")))
    answer = api.do("update", "leases", "l", body=Lease(metadata=ObjectMeta(name="l")))

    assert answer.code == 422 and "must be specified for an update" in answer.message


def test_requests_take_their_time(api: Any) -> None:
    """1 ms of handling and the etcd round: no answer is instant."""
    before = api.world.now
    api.create(config("a"))

    assert api.world.now - before > 5 * MILLISECOND


def test_a_crash_of_the_etcd_member_is_not_noticed_by_watches(api: Any) -> None:
    """etcd's client resumes its watch at another member: the recordings of killed members show no watch that broke."""
    made = api.create(config("a"))
    watch = api.watch("configmaps", server=1, resource_version=made.resource_version)
    api.world.advance(SECOND)
    api.members[1].crash()
    api.world.advance(5 * SECOND)
    api.do("update", "configmaps", "a", body=attrs.evolve(made, data=FrozenDict(x="2")))
    api.world.advance(3 * SECOND)

    assert watch.end == ""
    assert watch.seen() == [("MODIFIED", "a")]


def test_a_watch_ends_when_its_time_is_up(api: Any) -> None:
    """timeoutSeconds; reflectors ask for 5 to 10 minutes."""
    watch = api.watch("configmaps", resource_version="0", timeout_ns=20 * SECOND)
    api.world.advance(19 * SECOND)
    assert watch.end == ""
    api.world.advance(2 * SECOND)

    assert watch.end == "closed"


def test_history_is_compacted_every_five_minutes_by_one_server(api: Any) -> None:
    """The first round only records; then one winner a round."""
    seen: list[Compacted] = []
    api.world.journal.subscribe(Compacted, lambda entry: seen.append(entry.event))
    made = api.create(config("a"))
    api.world.advance(1000 * SECOND)

    assert 1 <= len(seen) <= 3 and all(one.revision >= int(made.resource_version) for one in seen)


def test_a_list_waits_for_a_version_from_the_future_and_then_says_so(api: Any) -> None:
    """504 after 3 s, with a hint to come back in 1 s."""
    before = api.world.now
    answer = api.do("list", "configmaps", options=ListOptions(resource_version="99999"))

    assert (answer.code, answer.retry_after_seconds) == (504, 1)
    assert answer.message.startswith("Timeout: Too large resource version: 99999, current: ")
    assert 3 * SECOND <= api.world.now - before < 4 * SECOND


def test_a_paged_list_shows_one_moment(api: Any) -> None:
    """All pages are read at the first page's revision."""
    for name in ("a", "b", "c"):
        api.create(config(name))
    first = api.do("list", "configmaps", options=ListOptions(limit=2))
    api.do("delete", "configmaps", "c")
    second = api.do("list", "configmaps", options=ListOptions(limit=2, continue_token=first.continue_token))

    assert [obj.name for obj in first.items] == ["a", "b"] and first.remaining_item_count == 1
    assert [obj.name for obj in second.items] == ["c"]


def test_services_get_addresses_that_nobody_else_has(api: Any) -> None:
    """Allocated through etcd, kept on update, freed on delete."""
    tree = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": 80}], "type": "NodePort"},
    }
    made = api.do("create", "services", body=freeze(tree))
    wanted = freeze(
        {
            **tree,
            "metadata": {"name": "t"},
            "spec": {"ports": [{"port": 80}], "clusterIP": made.spec.cluster_ip},
        }
    )
    refused = api.do("create", "services", body=wanted, server=1)
    replaced = api.do("update", "services", "s", body=freeze(tree))
    api.do("delete", "services", "s")
    taken = api.do("create", "services", body=wanted, server=1)

    assert made.spec.cluster_ip.startswith("10.96.") and made.spec.ports[0].node_port >= 30000
    assert refused.code == 422 and "provided IP is already allocated" in refused.message
    assert replaced.resource_version == made.resource_version
    assert taken.spec.cluster_ip == made.spec.cluster_ip


def test_an_eviction_says_why_and_deletes_with_grace(api: Any) -> None:
    """pods/eviction without budgets."""
    api.create(pod("p", node_name="node-1"))
    running = freeze({"status": {"phase": "Running"}})
    api.do("patch", "pods", "p", subresource="status", patch_type="merge", body=running)
    answer = api.do("create", "pods", "p", subresource="eviction", body=freeze({"kind": "Eviction"}))
    after = api.do("get", "pods", "p")

    assert answer.code == 201
    assert after.metadata.deletion_grace_period_seconds == 30
    assert [(c.type, c.reason) for c in after.status.conditions] == [
        ("DisruptionTarget", "EvictionByEvictionAPI")
    ]


def test_a_create_in_a_missing_namespace_waits_a_little_and_is_404(api: Any) -> None:
    """NamespaceLifecycle gives its informer 50 ms."""
    before = api.world.now
    answer = api.do("create", "configmaps", body=config("a"), namespace="nowhere")

    assert answer.message == 'namespaces "nowhere" not found'
    assert api.world.now - before >= 50 * MILLISECOND


def test_kinds_without_a_class_are_stored_and_served_as_they_came(api: Any) -> None:
    """What the simulation doesn't act on is carried losslessly."""
    tree = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    }
    path = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
    code, made = api.http("POST", path, None, "application/json", tree)
    _, listed = api.http("GET", path)

    assert code == 201 and made["spec"] == tree["spec"] and made["metadata"]["generation"] == 1
    assert [item["metadata"]["name"] for item in listed["items"]] == ["b"]


def test_a_crashed_server_comes_back_and_knows_everything(api: Any) -> None:
    """It has no disk of its own."""
    made = api.create(config("a"))
    api.servers[0].crash()
    api.world.advance(SECOND)
    api.servers[0].start()
    api.world.advance(3 * SECOND)

    assert api.do("get", "configmaps", "a", resource_version="0") == made


def test_an_answer_that_comes_too_late_is_504_though_the_write_may_happen(api: Any) -> None:
    """Pitfall: the outcome is unknown. etcd hangs, and the server gives up when its client does."""
    for member in api.members:
        member.pause()
    started = api.world.now
    number = api.send(Request(verb="get", resource="configmaps", namespace="default", name="a"))
    api.world.advance(61 * SECOND)
    answer = api.answer(number)

    assert answer is not None and answer.code == 504, answer
    assert api.world.now - started >= 60 * SECOND
    assert answer.body.message == "Timeout: request did not complete within the allotted timeout"


def test_the_same_requests_make_the_same_journal(control_plane: Any) -> None:
    """Names, uids and addresses come from the world alone."""
    digests = []
    for _ in range(2):
        with World(seed=3) as world:
            api = control_plane(world)
            api.create(ConfigMap(metadata=ObjectMeta(generate_name="g-")))
            api.create(pod("p"))
            api.watch("pods", resource_version="0")
            world.advance(2 * SECOND)
            digests.append(world.journal.digest())

    assert digests[0] == digests[1]
