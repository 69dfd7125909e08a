"""Our etcd store beside a real etcd, on the same requests: `python benchmarks/etcd_store.py`.

Prints requests a second of the pure store (`State.apply`, checks at the door included) and of a real server, and the ratio,
for two loads: histories as the differential test generates them, and one like Kubernetes' (guarded updates of some hundred
objects, reads, lists, a compaction now and then). The real one is one member without fsync, asked over one connection through
its JSON gateway: HTTP and JSON are in its figure, so a range of one missing key is printed too. Asserts nothing.
Without an etcd (test extra) ours alone is printed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings

sys.path.insert(0, str(Path(__file__).parent.parent))

from chaoskube.models.etcd.messages import (
    Compact,
    Compare,
    CompareTarget,
    EtcdError,
    Put,
    Range,
    Request,
    Response,
    Txn,
    prefix_end,
)
from tests.differential.history import histories
from tests.differential.oracle import Oracle
from tests.differential.ours import Ours
from tests.differential.server import NoServer, running_server

OBJECTS = 200
ROUNDS = 4_000
HISTORIES = 200

Ask = Callable[[Request], Response | EtcdError]
Load = Sequence[Sequence[Request]]


def generated() -> Load:
    """What the differential test draws."""
    found: list[tuple[Request, ...]] = []

    @seed(1)
    @settings(max_examples=HISTORIES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(histories)
    def keep(history: tuple[Request, ...]) -> None:
        found.append(history)

    keep()
    return found


def like_kubernetes() -> Load:
    """Guarded updates, reads, a list every 50 and a compaction every 1,000 requests; revisions are known beforehand."""
    keys = [f"/registry/pods/default/pod-{number:04d}" for number in range(OBJECTS)]
    made: dict[str, int] = {}
    requests: list[Request] = []
    revision = 1
    for number in range(ROUNDS):
        key = keys[number * 37 % OBJECTS]
        if number % 1_000 == 999:
            requests.append(Compact(revision - 100))
        elif number % 50 == 49:
            requests.append(Range(key="/registry/pods/", range_end=prefix_end("/registry/pods/"), limit=100))
        elif number % 3 == 2:
            requests.append(Range(key=key))
        else:
            guard = Compare(key=key, target=CompareTarget.MOD, value=made.get(key, 0))
            put = Put(key=key, value=f"the content of {key}, number {number}" * 5)
            requests.append(Txn(compare=(guard,), success=(put,), failure=(Range(key=key),)))
            revision += 1
            made[key] = revision
    return [requests]


def measure(load: Load, begin: Callable[[], Ask]) -> float:
    """Requests a second; `begin` isn't counted."""
    seconds, count = 0.0, 0
    for history in load:
        ask = begin()
        started = time.perf_counter()
        for request in history:
            ask(request)
        seconds += time.perf_counter() - started
        count += len(history)
    return count / seconds


def begin_real(oracle: Oracle) -> Ask:
    """Empty it."""
    oracle.empty()
    return oracle.ask


def main() -> None:
    """Print the figures."""
    loads = {"generated histories": generated(), "like Kubernetes": like_kubernetes()}
    ours = {name: max(measure(load, lambda: Ours().ask) for _ in range(3)) for name, load in loads.items()}
    try:
        with running_server() as server:
            oracle = Oracle(server)
            real = {name: measure(load, lambda: begin_real(oracle)) for name, load in loads.items()}
            nothing = measure([[Range(key="none", serializable=True)] * 500], lambda: begin_real(oracle))
            oracle.close()
    except NoServer as missing:
        print(missing)
        for name, speed in ours.items():
            print(f"{name:22} ours {speed:9,.0f} requests/s")
        return
    for name, speed in ours.items():
        print(
            f"{name:22} ours {speed:9,.0f} requests/s   etcd {server.version} {real[name]:7,.0f} requests/s   "
            f"ratio {speed / real[name]:6.1f}"
        )
    print(f"(etcd's cheapest answer over the same door: {nothing:,.0f} requests/s)")


if __name__ == "__main__":
    main()
