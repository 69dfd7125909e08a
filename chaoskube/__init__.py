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
    from chaoskube.invariant import always, eventually, sometimes
    from chaoskube.machine import state_machine
    from chaoskube.scenario import Remedy, Scenario

__version__ = "0.1.0"

_HOMES = {
    "Action": "action",
    "Remedy": "scenario",
    "Scenario": "scenario",
    "always": "invariant",
    "choice": "arguments",
    "duration": "arguments",
    "eventually": "invariant",
    "fault": "action",
    "flag": "arguments",
    "group": "arguments",
    "integer": "arguments",
    "operation": "action",
    "sometimes": "invariant",
    "state_machine": "machine",
    "target": "arguments",
    "word": "arguments",
}

__all__ = [
    "Action",
    "Remedy",
    "Scenario",
    "always",
    "choice",
    "duration",
    "eventually",
    "fault",
    "flag",
    "group",
    "integer",
    "operation",
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
