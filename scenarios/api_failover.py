"""API servers that are behind, and clients that come to them from others: the failover to an older view.

The control plane and the clients of `api-machinery`, with few faults: a server's own watch stands still, clients have
to change over, and list anew there. What they have seen already is the future to the server that they come to. A client that
insists on it is told nothing any more; one that takes the older state for the newest goes back in time.
"""

from __future__ import annotations

from attrs import evolve

from chaoskube.faults.freeze_stream import FreezeStream
from chaoskube.faults.steer import Steer
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios.api_machinery import api_machinery
from chaoskube.scenarios.faults.expire_watch import ExpireWatch
from chaoskube.scenarios.machinery.cluster import OF_SERVERS, Machinery
from chaoskube.scenarios.machinery.shape import EITHER
from chaoskube.sim import World

MENU = (FreezeStream, Steer, ExpireWatch)
BUSY = tuple(f"{OF_SERVERS}watch/{resource}@" for resource in ("pods", "configmaps"))


class Failover(Machinery):
    """A control plane whose servers are behind, not its clients."""

    def targets(self, kind: str) -> tuple[str, ...]:
        """Of streams the servers' own, of what changes all the time."""
        known = super().targets(kind)
        return tuple(one for one in known if one.startswith(BUSY)) if kind == "stream" else known


def build(world: World, setup: Setup) -> Failover:
    """The control plane and its clients."""
    return Failover(world, setup)


@scenario("api-failover")
def api_failover() -> Scenario:
    """Clients that change over between two API servers of which one is behind."""
    made = api_machinery()
    return evolve(
        made,
        name="api-failover",
        doc="Clients change over between two API servers, of which one is behind, and list anew there.",
        setup={**made.setup, "members": 1, "servers": 2, "window": EITHER, "compact_ms": 0, "pace": 1000},
        build=build,
        menu=MENU,
    )
