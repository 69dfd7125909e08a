"""Running somebody's manifests: what is stored of each document, and which Services answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from chaoskube.models.cluster import Cluster
from chaoskube.models.network.events import RequestEnded
from chaoskube.models.objects import Service, encode
from chaoskube.scenario import Scenario
from chaoskube.sim import SECOND, World

ANSWERS_WITHIN_NS = 20 * SECOND
"""Traffic takes turns: time for each Service to be asked."""
LEFT_OUT_AT_ZERO = ("minReadySeconds",)
"""Written as 0, these come back as nothing, as from a real server (omitempty; apps/v1 types.go)."""


@contextmanager
def running(scenario: Scenario) -> Iterator[Cluster]:
    """The scenario's cluster, warmed up in calm."""
    with World() as world:
        cluster = scenario.build(world, scenario.setup)
        assert isinstance(cluster, Cluster), "manifests run in a cluster"
        world.run_until(lambda: cluster.warm() is None, scenario.warm_ns)
        assert cluster.warm() is None
        yield cluster


def documents_of(scenario: Scenario) -> Sequence[Mapping[str, object]]:
    """The documents as they will be applied."""
    documents = scenario.setup["documents"]
    assert isinstance(documents, Sequence), "a setup lists its documents"
    return documents


def lost_in_store(cluster: Cluster, document: Mapping[str, object]) -> list[str]:
    """The paths of a document that the stored object doesn't have, or has otherwise."""
    metadata = document["metadata"]
    assert isinstance(metadata, Mapping), "an object has metadata"
    for obj in cluster.observer.store.named(str(document["kind"])):
        if (obj.name, obj.namespace) == (metadata["name"], metadata.get("namespace", "")):
            return list(missing(document, encode(obj)))
    return ["everything"]


def missing(wanted: object, got: object, path: str = "") -> Iterator[str]:
    """Where `got` isn't a superset of `wanted`: maps may have more keys, lists not more elements."""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        for key, value in wanted.items():
            if key in LEFT_OUT_AT_ZERO and value == 0 and key not in got:
                continue
            yield from missing(value, got.get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for place, (left, right) in enumerate(zip(wanted, got, strict=True)):
            yield from missing(left, right, f"{path}[{place}]")
    elif wanted != got:
        yield f"{path}: {wanted!r} became {got!r}"


def silent_services(cluster: Cluster) -> list[str]:
    """Services with Deployments behind them that answer no request in the time given."""
    answered: set[str] = set()

    def ended(event: object) -> None:
        if isinstance(event, RequestEnded) and event.outcome == "ok":
            answered.add(event.service)

    cluster.world.journal.subscribe(RequestEnded, lambda entry: ended(entry.event))
    cluster.world.advance(ANSWERS_WITHIN_NS)
    served = [one.key for one in cluster.observer.all(Service) if cluster.observer.deployments_behind(one)]
    assert served, "there is a Service to ask"
    return [key for key in served if key not in answered]
