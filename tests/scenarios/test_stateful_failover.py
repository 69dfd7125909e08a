"""The scenario of a database that is moved: who asks which API server, what moves the pod, and where a hunt looks first."""

from __future__ import annotations

import attrs
import pytest

from chaoskube.action import parse_step
from chaoskube.discovery import bug_named, scenario_named
from chaoskube.models.client.events import InformerSynced
from chaoskube.models.cluster import Cluster
from chaoskube.models.objects import Node, Pod
from chaoskube.run import Plan, Result, Session, play
from chaoskube.scenarios import menus
from chaoskube.scenarios.manifests import of_documents
from chaoskube.sim import SECOND

SCENARIO = "stateful-failover"
KUBELET = "kubelet@node-1"
DB = "default/db-0"
PAST = (
    "at 1s freeze-stream stream=etcd-watch/pods@*>apiserver-1 lasting=60s",
    "at 1s upgrade-node node=node-1",
)


def cluster_of(session: Session) -> Cluster:
    """What the scenario built."""
    assert isinstance(session.subject, Cluster), "the scenario builds a cluster"
    return session.subject


def played(bug: str | None, *lines: str) -> Result:
    """These lines, with this bug or without."""
    scenario = scenario_named(SCENARIO)
    steps = tuple(parse_step(line) for line in lines)
    planted = bug_named(bug) if bug else None
    return play(
        Plan(scenario=scenario, steps=steps, duration_ns=30 * SECOND, seed=1, bug=planted), story=True
    )


def test_a_node_that_is_upgraded_loses_its_pod_and_changes_over_to_the_next_api_server() -> None:
    """Drained, its kubelet started again, and open again; the kubelet begins with the next server behind the balancer."""
    with Session(scenario_named(SCENARIO), seed=1) as session:
        session.warm_up()
        cluster = cluster_of(session)
        seen = cluster.observer
        old = seen.get(Pod, DB)
        assert old is not None
        node = old.spec.node_name
        assert set(cluster.targets("leading-node")) == {"node-1", "node-2"}
        views = {"etcd-watch/pods@*>apiserver-0", "etcd-watch/pods@*>apiserver-1"}
        assert set(cluster.targets("stream")) == views
        assert set(cluster.targets("leading-process")) == {KUBELET, "kubelet@node-2"}
        session.apply(parse_step(f"at 0s cordon node={node}").action)
        session.advance_to(2 * SECOND)
        assert cluster.targets("leading-process") == (f"kubelet@{node}",)
        session.apply(parse_step(f"at 2s upgrade-node node={node}").action)
        session.advance_to(15 * SECOND)

        new = seen.get(Pod, DB)
        assert new is not None
        assert new.uid != old.uid and {old.spec.node_name, new.spec.node_name} == {"node-1", "node-2"}
        assert not any(one.spec.unschedulable for one in seen.all(Node))
        servers = [
            entry.event.server
            for entry in session.world.journal.entries
            if isinstance(entry.event, InformerSynced)
            and (entry.by, entry.event.resource) == (f"kubelet@{node}", "pods")
        ]
        network = session.world.network
        assert servers == [network.ip_of("control-0"), network.ip_of("control-1")]


def test_a_pod_of_a_set_is_deleted_by_its_number_and_comes_back() -> None:
    """Gracefully: its name is free only when its containers have ended."""
    with Session(scenario_named(SCENARIO), seed=1) as session:
        session.warm_up()
        seen = cluster_of(session).observer
        old = seen.get(Pod, DB)
        session.apply(parse_step("at 0s delete-member statefulset=default/db ordinal=0").action)
        session.advance_to(10 * SECOND)

        new = seen.get(Pod, DB)
        assert old is not None and new is not None and old.uid != new.uid
        assert DB not in seen.running.forced


def test_a_hunt_looks_at_what_a_kubelet_would_begin_with() -> None:
    """Behind the balancer that is the cache of the server that it has not asked yet."""
    with Session(scenario_named(SCENARIO), seed=1) as session:
        session.warm_up()
        cache = "etcd-watch/pods@*>apiserver-1"
        assert session.targets("leading-stream") == (cache,)
        assert cache in session.targets("stream")
        assert session.targets("leading-server") == ()


def test_who_lists_the_past_starts_what_it_has_stopped() -> None:
    """The story says so in a line of its own."""
    result = played("apiserver-stale-list-time-travel", *PAST)

    assert result.failure is not None
    assert "of StatefulSet db starts on node-1, and has been running on node-2 for" in result.failure.message
    told = [one.line.words for one in result.told if one.line.component == KUBELET]
    assert any(words.startswith("lists pods as they were 2.0 s ago: apiserver-1 has") for words in told)


def test_who_lists_what_is_does_not() -> None:
    """A consistent list waits for the cache, or is refused: the kubelet knows nothing rather than what was."""
    result = played(None, *PAST)

    assert result.failure is None
    assert not any("as they were" in one.line.words for one in result.told)


@pytest.mark.parametrize(
    ("kinds", "there", "gone"),
    [
        ((), {"drain", "crash"}, {"roll", "delete-member", "upgrade-node"}),
        (("deployment",), {"roll", "delete-pod", "drain"}, {"delete-member"}),
        (("statefulset",), {"delete-member", "drain"}, {"roll", "delete-pod"}),
    ],
)
def test_a_menu_has_what_fits_the_workloads(kinds: tuple[str, ...], there: set[str], gone: set[str]) -> None:
    """What names a workload that isn't there could never be done."""
    verbs = {action.verb for action in menus.fitting(kinds)}

    assert there <= verbs
    assert not gone & verbs


def test_somebodys_stateful_set_is_waited_for_and_may_be_deleted() -> None:
    """As a Deployment is: the menu of manifests, and the warm-up."""
    setup = scenario_named(SCENARIO).setup
    documents = setup["documents"]
    assert isinstance(documents, list)
    made = of_documents(documents, title="a set")
    assert "delete-member" in {action.verb for action in made.menu}

    spec = documents[0]["spec"]
    template = {**spec["template"], "spec": {**spec["template"]["spec"], "nodeSelector": {"disk": "ssd"}}}
    impossible = {**documents[0], "spec": {**spec, "template": template}}
    with Session(attrs.evolve(made, setup={**setup, "documents": [impossible]})) as session:
        session.advance_to(20 * SECOND)
        reason = cluster_of(session).warm()
    assert reason is not None and "0 of 2 pods are ready; pod db-0 cannot be scheduled" in reason
