"""Grace periods: `models/node/termination.py` (kubelet.md 2)."""

from chaoskube.models.node.termination import effective_grace, left_after_hook
from chaoskube.models.objects import ObjectMeta, Pod, PodSpec
from chaoskube.sim import MILLISECOND, SECOND


def a_pod(deletion_grace: int | None = None, spec_grace: int | None = 30) -> Pod:
    return Pod(
        metadata=ObjectMeta(
            deletion_timestamp=None if deletion_grace is None else 1,
            deletion_grace_period_seconds=deletion_grace,
        ),
        spec=PodSpec(termination_grace_period_seconds=spec_grace),
    )


def test_the_shortest_grace_that_was_said_holds() -> None:
    """calculateEffectiveGracePeriod: it may only shrink, floor 1."""
    assert effective_grace(a_pod(10), current=None, override=None) == 10
    assert effective_grace(a_pod(10), current=5, override=None) == 5
    assert effective_grace(a_pod(10), current=20, override=3) == 3
    assert effective_grace(a_pod(0), current=None, override=None) == 1
    assert effective_grace(a_pod(None, spec_grace=None), current=None, override=None) == 30


def test_a_hook_spends_the_grace_in_whole_seconds() -> None:
    """executePreStopHook returns int64(seconds)."""
    assert left_after_hook(30 * SECOND, 10 * SECOND + 900 * MILLISECOND) == 20 * SECOND


def test_two_seconds_are_always_left() -> None:
    """minimumGracePeriodInSeconds."""
    assert left_after_hook(5 * SECOND, 5 * SECOND) == 2 * SECOND
    assert left_after_hook(1 * SECOND, 0) == 2 * SECOND
