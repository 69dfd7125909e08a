"""What the scheduler writes to the journal: decisions, and what became of them."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class ScheduleDecided:
    """A node was chosen and the pod assumed there; the API server hasn't been told yet."""

    pod: str
    uid: str
    node: str
    feasible: tuple[str, ...]
    best: tuple[str, ...]


@frozen(kw_only=True)
class Bound:
    """The API server has taken the binding."""

    pod: str
    uid: str
    node: str


@frozen(kw_only=True)
class BindingFailed:
    """The binding was refused, or nobody knows what became of it (`is_sure` is False)."""

    pod: str
    uid: str
    node: str
    reason: str
    is_sure: bool


@frozen(kw_only=True)
class Unschedulable:
    """No node was found. `preemption_would_help` names nodes where the real scheduler would evict pods."""

    pod: str
    uid: str
    message: str
    rejected_by: tuple[str, ...]
    preemption_would_help: tuple[str, ...] = ()
