"""API servers and the caches of their clients under faults: writers meet, watches break off, servers lag, history is forgotten.

No controllers and no nodes: two API servers over etcd, people who write ConfigMaps and pods, programs that list and watch
them, one that binds pods, a job that comes again and again. What must hold is what any client builds on: no update is lost,
a binding means one pod, watches tell everything once and in order, caches catch up. See `scenarios/machinery/`.
"""

from __future__ import annotations

from chaoskube.action import Action
from chaoskube.faults.crash import Crash
from chaoskube.faults.crash_host import CrashHost
from chaoskube.faults.cut_initial_list import CutInitialList
from chaoskube.faults.delay_stream import DelayStream
from chaoskube.faults.drop_stream import DropStream
from chaoskube.faults.freeze_stream import FreezeStream
from chaoskube.faults.hide_event import HideEvent
from chaoskube.faults.lose import Lose
from chaoskube.faults.lose_answer import LoseAnswer
from chaoskube.faults.partition import Partition
from chaoskube.faults.pause import Pause
from chaoskube.faults.slow_disk import SlowDisk
from chaoskube.faults.slow_link import SlowLink
from chaoskube.faults.steer import Steer
from chaoskube.invariant import collect
from chaoskube.invariants import apiserver, informers
from chaoskube.scenario import Scenario, Setup, scenario
from chaoskube.scenarios.faults.expire_watch import ExpireWatch
from chaoskube.scenarios.machinery.cluster import NAME, Machinery
from chaoskube.scenarios.machinery.shape import SETUP, simpler
from chaoskube.sim import SECOND, World

MENU: tuple[type[Action], ...] = (
    Crash,
    CrashHost,
    Pause,
    Partition,
    SlowLink,
    Lose,
    SlowDisk,
    DelayStream,
    FreezeStream,
    DropStream,
    HideEvent,
    CutInitialList,
    ExpireWatch,
    Steer,
    LoseAnswer,
)


def build(world: World, setup: Setup) -> Machinery:
    """The control plane and its clients."""
    return Machinery(world, setup)


@scenario(NAME)
def api_machinery() -> Scenario:
    """Two API servers and their clients: writers, informers, a binder; no nodes."""
    return Scenario(
        name=NAME,
        doc="Clients write, list and watch through two API servers while servers, clients, etcd and single watches suffer.",
        setup=SETUP,
        build=build,
        menu=MENU,
        invariants=collect([apiserver, informers]),
        duration_ns=30 * SECOND,
        warm_ns=60 * SECOND,
        settle_ns=240 * SECOND,
        actions_max=12,
        simpler=simpler,
    )
