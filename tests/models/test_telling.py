"""A story speaks in Kubernetes' words: who, what, and which pod."""

from __future__ import annotations

import pytest

from chaoskube.models.client.operator import OperatorStarted, OperatorWaits, OperatorWaitsNoMore
from chaoskube.models.controllers.events import ReplicaSetScaleDecided
from chaoskube.models.network.endpoints import Backend
from chaoskube.models.network.events import ProxySynced, RequestEnded
from chaoskube.models.node.events import ContainerSignalled, ProbeFlipped
from chaoskube.models.telling import tell
from chaoskube.sim import Entry

OLD = Backend(ip="10.244.1.2", port=80, pod="default/web-1", node="node-1")
NEW = Backend(ip="10.244.1.3", port=80, pod="default/web-2", node="node-1")


def told(event: object, by: str = "someone") -> tuple[str, str] | None:
    """Component and words."""
    line = tell(Entry(seq=1, at=0, by=by, event=event))
    return (line.component, line.words) if line is not None else None


def request(outcome: str, pod: str = "default/web-1") -> RequestEnded:
    """A request that ended like this."""
    return RequestEnded(
        client="traffic@node-1",
        node="node-1",
        service="default/web",
        outcome=outcome,
        endpoint="10.244.1.2:80" if pod else "",
        pod=pod,
        pod_node="node-1" if pod else "",
        started_at=0,
        ended_at=1,
    )


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (request("refused"), "request to Service default/web: refused by pod web-1 (10.244.1.2:80)"),
        (request("reset"), "request to Service default/web: reset by pod web-1 (10.244.1.2:80)"),
        (
            request("timed out"),
            "request to Service default/web: timed out, sent to pod web-1 (10.244.1.2:80)",
        ),
        (request("no endpoint", ""), "request to Service default/web: no endpoint is ready"),
        (
            ProxySynced(node="node-1", service="default/web", port_name="http", before=(OLD,), after=(NEW,)),
            "routes Service default/web (http) to web-2, no longer to web-1",
        ),
        (
            ProxySynced(node="node-1", service="default/web", port_name="", before=(OLD,), after=()),
            "routes Service default/web to nobody, no longer to web-1",
        ),
    ],
)
def test_who_answered_is_named_as_a_pod(event: object, words: str) -> None:
    """An address says nothing to a person who reads pods' names all day."""
    assert told(event) == ("someone", words)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            OperatorWaits(name="till", why="there is no resource 'tills'"),
            "waits, and cannot begin yet: there is no resource 'tills'",
        ),
        (OperatorWaitsNoMore(name="till"), "has found what it waited for"),
        (OperatorStarted(name="till", identity="till-0_1"), "has filled its caches and begins to work"),
    ],
)
def test_what_becomes_of_an_operator_is_told(event: object, words: str) -> None:
    """Why nothing is done about an object may be that nobody works yet."""
    assert told(event, "till-0") == ("till-0", words)


def test_requests_that_went_well_are_not_told() -> None:
    """There are thousands."""
    assert told(request("ok")) is None


def test_a_containers_line_stands_under_its_pod() -> None:
    """Not under the path of a simulated process."""
    by = "default/web-1/nginx"
    signalled = ContainerSignalled(pod="default/web-1", container="nginx", node="node-1", signal="SIGTERM")
    flipped = ProbeFlipped(
        pod="default/web-1", container="nginx", node="node-1", probe="readiness", success=False
    )

    assert told(signalled, by) == ("web-1", "container nginx gets SIGTERM")
    assert told(flipped, by) == ("web-1", "readiness probe of container nginx fails")


def test_numbers_agree_with_their_words() -> None:
    """`1 replicas` would read like a log."""
    event = ReplicaSetScaleDecided(
        deployment="default/web",
        replicaset="default/web-abc",
        old=0,
        new=1,
        is_new_object=True,
        replicas=1,
        max_surge=1,
        max_unavailable=0,
        total=1,
        available=0,
        own_available=0,
        rolling=True,
    )

    assert told(event) == ("someone", "creates ReplicaSet web-abc with 1 replica")
