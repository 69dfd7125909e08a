"""How much memory a Pod takes: `python benchmarks/memory.py [PODS]` (1,000 when not said).

A ReplicaSet of so many Pods runs in a whole cluster. Then the objects are counted from where they stand: the newest version
in one etcd member's store, in the caches of both API servers, and in five informers; whatever several of them share is
counted once. Keys and tables are counted, too; the histories (etcd's old revisions, the caches' rings) are not.
Prints bytes a Pod. Asserts nothing.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import evolve

from chaoskube.discovery import load, scenario_named
from chaoskube.models.apiserver.watch_cache import WatchCache
from chaoskube.models.client.store import Store as InformerStore
from chaoskube.models.etcd.mvcc import Store as EtcdStore
from chaoskube.models.objects import Pod
from chaoskube.run import Session
from chaoskube.scenario import Scenario
from chaoskube.sim import SECOND

PODS = 1000
PODS_A_NODE = 35  # each asks for a tenth of a CPU, and a node has four
INFORMERS = 5
PATIENCE_NS = 600 * SECOND


def with_pods(scenario: Scenario, count: int) -> Scenario:
    """The scenario with its Deployment at so many replicas, and nodes enough for them."""
    setup = dict(scenario.setup)
    documents, shape = setup["documents"], setup["shape"]
    assert isinstance(documents, list) and isinstance(shape, Mapping), (
        "a cluster's setup has documents and a shape"
    )
    setup["documents"] = [
        {**one, "spec": {**one["spec"], "replicas": count}} if one["kind"] == "Deployment" else one
        for one in documents
    ]
    setup["shape"] = {**shape, "nodes": max(int(shape["nodes"]), -(-count // PODS_A_NODE))}
    return evolve(scenario, setup=setup)


def settled(count: int) -> bool:
    """Whether every Pod runs, as both API servers have heard."""
    caches = pod_caches()
    return len(caches) == 2 and all(
        sum(isinstance(pod, Pod) and pod.status.phase == "Running" for _, pod in cache.select("", None))
        >= count
        for cache in caches
    )


def pod_caches() -> list[WatchCache]:
    """The caches of pods, of all API servers that live."""
    return [one for one in gc.get_objects() if isinstance(one, WatchCache) and one.kind == "Pod"]


def roots(count: int) -> dict[str, list[object]]:
    """Where the Pods stand: tables and all."""
    etcd = next(one for one in gc.get_objects() if isinstance(one, EtcdStore) and one.revision > 1)
    stored = {key: value for key, value in etcd._current.items() if key.startswith("/registry/pods/")}
    informers = [
        one._objects
        for one in gc.get_objects()
        if isinstance(one, InformerStore) and sum(isinstance(obj, Pod) for obj in one.list()) >= count
    ]
    return {
        "stored in etcd": [stored],
        "in two watch caches": [table for cache in pod_caches() for table in (cache._objects, cache._keys)],
        f"in {INFORMERS} informers": list(informers[:INFORMERS]),
    }


def weigh(things: Iterable[object], seen: set[int], parts: Counter[str]) -> int:
    """Bytes of everything that these hold and that was not seen before."""
    total = 0
    waiting = list(things)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, (type, type(sys))) or callable(thing):
            continue
        seen.add(id(thing))
        size = sys.getsizeof(thing)
        parts[type(thing).__name__] += size
        total += size
        waiting.extend(gc.get_referents(thing))
    return total


def main() -> None:
    """Run the cluster, and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PODS
    load()
    with Session(with_pods(scenario_named("rolling-update"), count)) as session:
        session.warm_up()
        end = session.world.now + PATIENCE_NS
        while not settled(count) and session.world.now < end:
            session.advance_to(session.world.now + 5 * SECOND)
        gc.collect()
        seen: set[int] = set()
        parts: Counter[str] = Counter()
        total = 0
        for name, things in roots(count).items():
            size = weigh(things, seen, parts)
            total += size
            print(f"{name:24} {size / count:8.0f} bytes a Pod")
        print(f"{'together':24} {total / count:8.0f} bytes a Pod (aim: below 4,000)")
        for name, size in parts.most_common(8):
            print(f"    {name:20} {size / count:8.0f}")


if __name__ == "__main__":
    main()
