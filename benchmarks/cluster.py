"""How fast the whole cluster lives: `python benchmarks/cluster.py`.

Three etcd members, two API servers, controllers, schedulers, three nodes, six pods, ten requests a second.
Prints virtual seconds a wall-clock second, calm and under faults with every invariant on. Asserts nothing.
"""

from __future__ import annotations

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
    best, events = 0.0, 0
    for _ in range(3):
        with Session(with_six_pods(scenario_named("rolling-update"))) as session:
            session.warm_up()
            began, first = time.perf_counter(), session.world.now
            drive(session)
            lived = (session.world.now - first) / SECOND
            best = max(best, lived / (time.perf_counter() - began))
            events = len(session.world.journal.entries)
            if session.failure is not None:
                name = f"{name} (stopped at {lived:.0f} s: {session.failure.name})"
                break
    print(f"{name:45} {best:8.0f} virtual seconds a second   ({events:,} journal events)")


def main() -> None:
    """Print the table."""
    load()
    began = time.perf_counter()
    with Session(with_six_pods(scenario_named("rolling-update"))) as session:
        session.warm_up()
        lived = session.world.now / SECOND
    print(
        f"{'from nothing to six ready pods':45} {lived:8.0f} virtual seconds in {time.perf_counter() - began:.2f} s"
    )
    measure("calm", calm)
    measure("under faults, invariants on", under_faults)


if __name__ == "__main__":
    main()
