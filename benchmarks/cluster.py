"""How fast the whole cluster lives: `python benchmarks/cluster.py`.

Three etcd members, two API servers, controllers, schedulers, three nodes, six pods, ten requests a second.
Prints virtual seconds a CPU second, and a wall-clock second beside it (which says little where others work on the same
machine): calm, and under faults with every invariant on. And what it takes to come up, which each run of a hunt begins with.
Asserts nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from attrs import evolve

from chaoskube.action import Step, parse_step
from chaoskube.discovery import load, scenario_named
from chaoskube.run import Session
from chaoskube.scenario import Scenario
from chaoskube.sim import SECOND

CALM_NS = 300 * SECOND
FAULTS = (
    "at 5s crash process=etcd-0 down=10s",
    "at 30s partition hosts=control-1 lasting=20s",
    "at 40s roll deployment=default/web version=2",
    "at 80s crash-host host=node-1 down=30s",
    "at 120s delay-stream stream=watch/pods@*>controller-manager-0 extra=2s lasting=30s",
    "at 150s pause process=apiserver-1 down=20s",
    "at 180s scale deployment=default/web replicas=3",
    "at 200s crash process=kubelet@node-2 down=10s",
    "at 240s slow-link host=control-0 other=control-2 extra=200ms lasting=30s",
)


def with_six_pods(scenario: Scenario) -> Scenario:
    """The scenario with its Deployment at six replicas."""
    setup = dict(scenario.setup)
    documents = setup["documents"]
    assert isinstance(documents, list), "a cluster's setup lists its documents"
    setup["documents"] = [
        {**one, "spec": {**one["spec"], "replicas": 6}} if one["kind"] == "Deployment" else one
        for one in documents
    ]
    return evolve(scenario, setup=setup)


def calm(session: Session) -> None:
    """Nothing but heartbeats and requests."""
    session.advance_to(CALM_NS)


def under_faults(session: Session) -> None:
    """The actions above at their times, then quiet."""
    steps: list[Step] = [parse_step(text) for text in FAULTS]
    for step in steps:
        session.advance_to(step.at)
        session.apply(step.action)
    session.advance_to(CALM_NS)


def measure(name: str, drive: Callable[[Session], None]) -> None:
    """Print the best of three."""
    best, best_wall, events = 0.0, 0.0, 0
    for _ in range(3):
        with Session(with_six_pods(scenario_named("rolling-update"))) as session:
            session.warm_up()
            began, began_wall, first = time.process_time(), time.perf_counter(), session.world.now
            drive(session)
            lived = (session.world.now - first) / SECOND
            best = max(best, lived / (time.process_time() - began))
            best_wall = max(best_wall, lived / (time.perf_counter() - began_wall))
            events = len(session.world.journal.entries)
            if session.failure is not None:
                name = f"{name} (stopped at {lived:.0f} s: {session.failure.name})"
                break
    print(
        f"{name:45} {best:8.0f} virtual seconds a CPU second, {best_wall:.0f} a second   ({events:,} journal events)"
    )


def measure_warm_up(name: str, scenario: Scenario) -> None:
    """Print the best of three; the first also loads what is loaded late."""
    best, lived = math.inf, 0.0
    for _ in range(3):
        began = time.process_time()
        with Session(scenario) as session:
            session.warm_up()
            lived = session.world.now / SECOND
        best = min(best, time.process_time() - began)
    print(f"{name:45} {lived:8.0f} virtual seconds in {best:.2f} CPU seconds")


def main() -> None:
    """Print the table."""
    load()
    measure_warm_up("from nothing to six ready pods", with_six_pods(scenario_named("rolling-update")))
    for name in ("rolling-update", "scale-storm"):
        measure_warm_up(f"warm-up of {name}", scenario_named(name))
    measure("calm", calm)
    measure("under faults, invariants on", under_faults)


if __name__ == "__main__":
    main()
