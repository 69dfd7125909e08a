"""chaoskube finds the failure in an orchestrator before the cluster does.

The public names, for scenarios, invariants and actions of one's own. They are imported when they are first
asked for, because pytest loads this package in every session of an environment. (`@scenario` and `@bug` stand in
the modules of those names.)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chaoskube.action import Action, fault, operation
    from chaoskube.arguments import choice, duration, flag, group, integer, target, word
    from chaoskube.commit_order import CommitOrder, Placed, check_commit_order
    from chaoskube.contradiction import draw_contradiction, smallest_contradiction
    from chaoskube.history import Operation
    from chaoskube.invariant import always, eventually, sometimes
    from chaoskube.linearizability import Verdict, check_linearizability
    from chaoskube.machine import state_machine
    from chaoskube.scenario import Remedy, Scenario
    from chaoskube.sequential import Model

__version__ = "0.1.0"

_HOMES = {
    "Action": "action",
    "CommitOrder": "commit_order",
    "Model": "sequential",
    "Operation": "history",
    "Placed": "commit_order",
    "Remedy": "scenario",
    "Scenario": "scenario",
    "Verdict": "linearizability",
    "always": "invariant",
    "check_commit_order": "commit_order",
    "check_linearizability": "linearizability",
    "choice": "arguments",
    "draw_contradiction": "contradiction",
    "duration": "arguments",
    "eventually": "invariant",
    "fault": "action",
    "flag": "arguments",
    "group": "arguments",
    "integer": "arguments",
    "operation": "action",
    "smallest_contradiction": "contradiction",
    "sometimes": "invariant",
    "state_machine": "machine",
    "target": "arguments",
    "word": "arguments",
}

__all__ = [
    "Action",
    "CommitOrder",
    "Model",
    "Operation",
    "Placed",
    "Remedy",
    "Scenario",
    "Verdict",
    "always",
    "check_commit_order",
    "check_linearizability",
    "choice",
    "draw_contradiction",
    "duration",
    "eventually",
    "fault",
    "flag",
    "group",
    "integer",
    "operation",
    "smallest_contradiction",
    "sometimes",
    "state_machine",
    "target",
    "word",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
