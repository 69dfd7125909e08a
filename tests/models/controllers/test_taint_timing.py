"""How long a pod stays on a tainted node (pkg/controller/tainteviction)."""

from __future__ import annotations

from chaoskube.models.controllers.taint_timing import no_execute, tolerated_ns
from chaoskube.models.objects import Taint, Toleration
from chaoskube.sim import SECOND

A = Taint(key="a", value="1", effect="NoExecute")
B = Taint(key="b", effect="NoExecute")


def tolerate(key: str | None, seconds: int | None = None, *, value: str | None = None) -> Toleration:
    """A toleration of one taint."""
    return Toleration(
        key=key,
        operator="Equal" if value is not None else "Exists",
        value=value,
        effect="NoExecute",
        toleration_seconds=seconds,
    )


def test_one_taint_untolerated_is_at_once() -> None:
    """All taints must be tolerated."""
    assert tolerated_ns((A, B), (tolerate("a", 30),)) == 0


def test_the_shortest_time_counts_and_no_time_is_for_ever() -> None:
    """Only tolerations that match a taint take part."""
    assert tolerated_ns((A, B), (tolerate("a", 30), tolerate("b", 10), tolerate("c", 1))) == 10 * SECOND
    assert tolerated_ns((A, B), (tolerate("a"), tolerate("b", 10))) == 10 * SECOND
    assert tolerated_ns((A,), (tolerate("a"),)) is None
    assert tolerated_ns((A,), (tolerate("a", -5),)) == 0


def test_values_are_compared_and_an_empty_key_with_exists_bears_all() -> None:
    """Toleration.ToleratesTaint."""
    assert tolerated_ns((A,), (tolerate("a", 5, value="1"),)) == 5 * SECOND
    assert tolerated_ns((A,), (tolerate("a", 5, value="2"),)) == 0
    assert tolerated_ns((A, B), (tolerate(None, 7),)) == 7 * SECOND


def test_only_no_execute_drives_away() -> None:
    """NoSchedule taints keep pods off, they don't evict."""
    assert no_execute((A, Taint(key="x", effect="NoSchedule"))) == (A,)
