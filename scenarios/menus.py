"""Named sets of actions: what may happen in a scenario.

A new operation or fault is a file with a decorator; it joins `everything` by itself, unless it breaks what all
invariants take for granted. What is asked of an etcd cluster alone has a menu of its own (`etcd/menus.py`).
"""

from __future__ import annotations

from collections.abc import Collection

from chaoskube.action import OPERATION, Action, actions, arguments_of
from chaoskube.arguments import Target
from chaoskube.sim import load_all

WORKLOADS = ("deployment", "statefulset")
"""Kinds of targets that are there only where a manifest brings them."""
BEYOND = ("lying-disk", "delete-deployment", "upgrade-node")
"""Where disks lie about what is safe, Raft loses what it acknowledged, and no invariant of ours could hold; a workload
that is deleted serves nobody, and what is promised of it is promised of what is there. An upgrade of a node is a drain, a restart and
an uncordon, which are there by themselves; a scenario that wants them as one names it."""


def everything() -> tuple[type[Action], ...]:
    """Every operation and every fault of ours, by name; what others install is for their own scenarios."""
    homes = ("chaoskube.faults", "chaoskube.scenarios.faults", "chaoskube.scenarios.operations")
    for home in homes:
        load_all(home)
    ours = (action for action in actions if action.__module__.startswith(homes))
    return tuple(action for action in ours if action.verb not in BEYOND)


def operations() -> tuple[type[Action], ...]:
    """What users do, with nothing going wrong."""
    return tuple(action for action in everything() if action.kind == OPERATION)


def faults() -> tuple[type[Action], ...]:
    """What goes wrong, with nobody doing anything."""
    return tuple(action for action in everything() if action.kind != OPERATION)


def fitting(workloads: Collection[str]) -> tuple[type[Action], ...]:
    """What may happen where there are workloads of these kinds alone: whatever names no other."""
    return tuple(action for action in everything() if _workloads_of(action) <= frozenset(workloads))


def _workloads_of(action: type[Action]) -> frozenset[str]:
    kinds = [one.kind for one in arguments_of(action).values() if isinstance(one, Target)]
    return frozenset(kind for kind in kinds if kind in WORKLOADS)
