"""The priority levels and flow schemas that every cluster begins with, as a table; which level a request is of.

Source: staging/src/k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap/default.go.

Not modelled: levels and schemas as objects that can be changed.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from chaoskube.models.apiserver.authentication import ACCOUNTS, MASTERS, NODES, Identity

BY_USER = "ByUser"
BY_NAMESPACE = "ByNamespace"
EXEMPT = "exempt"
CATCH_ALL = "catch-all"


@frozen(kw_only=True)
class LevelShape:
    """A priority level: its shares of all seats, and its queues (none: what has no seat is refused)."""

    name: str
    shares: int
    queues: int = 0
    hand: int = 0
    queue_length: int = 0


@frozen(kw_only=True)
class Schema:
    """Which requests are of a level, and what makes two of them the same flow."""

    name: str
    level: str
    distinguisher: str = BY_USER
    holds: Callable[[Identity, str, str, str], bool]
    """Asked with the identity, verb, API group and resource (`nodes`, `nodes/status`)."""


LEVELS = (
    LevelShape(name=EXEMPT, shares=0),
    LevelShape(name="system", shares=30, queues=64, hand=6, queue_length=50),
    LevelShape(name="node-high", shares=40, queues=64, hand=6, queue_length=50),
    LevelShape(name="leader-election", shares=10, queues=16, hand=4, queue_length=50),
    LevelShape(name="workload-high", shares=40, queues=128, hand=6, queue_length=50),
    LevelShape(name="workload-low", shares=100, queues=128, hand=6, queue_length=50),
    LevelShape(name="global-default", shares=20, queues=128, hand=6, queue_length=50),
    LevelShape(name=CATCH_ALL, shares=5),
)

MANAGER = "system:kube-controller-manager"
SCHEDULER = "system:kube-scheduler"
_SYSTEM_ACCOUNTS = f"{ACCOUNTS}:kube-system"
_LEASES = ("coordination.k8s.io", "leases")
_NODE_THINGS = (("", "nodes"), ("", "nodes/status"), _LEASES)


def _elects(who: Identity, verb: str, group: str, resource: str) -> bool:
    is_system = who.name in (MANAGER, SCHEDULER) or _SYSTEM_ACCOUNTS in who.groups
    return is_system and verb in ("get", "create", "update") and (group, resource) == _LEASES


SCHEMAS = (
    Schema(name="exempt", level=EXEMPT, holds=lambda who, *_: MASTERS in who.groups),
    Schema(name="system-leader-election", level="leader-election", holds=_elects),
    Schema(
        name="system-node-high",
        level="node-high",
        holds=lambda who, verb, group, resource: NODES in who.groups and (group, resource) in _NODE_THINGS,
    ),
    Schema(name="system-nodes", level="system", holds=lambda who, *_: NODES in who.groups),
    Schema(
        name="kube-controller-manager",
        level="workload-high",
        distinguisher=BY_NAMESPACE,
        holds=lambda who, *_: who.name == MANAGER,
    ),
    Schema(
        name="kube-scheduler",
        level="workload-high",
        distinguisher=BY_NAMESPACE,
        holds=lambda who, *_: who.name == SCHEDULER,
    ),
    Schema(
        name="kube-system-service-accounts",
        level="workload-high",
        distinguisher=BY_NAMESPACE,
        holds=lambda who, *_: _SYSTEM_ACCOUNTS in who.groups,
    ),
    Schema(name="service-accounts", level="workload-low", holds=lambda who, *_: ACCOUNTS in who.groups),
    Schema(name="global-default", level="global-default", holds=lambda *_: True),
)
"""In the order of their matching precedence; the first that holds decides."""


def schema_of(who: Identity, verb: str, group: str, resource: str) -> Schema:
    """The flow schema of a request."""
    return next(schema for schema in SCHEMAS if schema.holds(who, verb, group, resource))
