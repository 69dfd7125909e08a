"""CrashLoopBackOff's arithmetic: `models/node/restart.py`."""

import pytest

from chaoskube.models.node.restart import CrashLoopBackoff, should_restart
from chaoskube.sim import SECOND


def delays(count: int, *, ran_ns: int = 0) -> list[int]:
    """How long each of `count` restarts waits after the container finished, in seconds."""
    backoff, now, waits = CrashLoopBackoff(), 0, []
    for _ in range(count):
        finished = now + ran_ns
        start = max(finished, backoff.wait_until("pod/web", finished))
        backoff.note_restart("pod/web", finished, start)
        waits.append((start - finished) // SECOND)
        now = start
    return waits


def test_the_first_restart_is_immediate_then_ten_seconds_doubling_to_three_hundred() -> None:
    """constants.md 99."""
    assert delays(8) == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_container_that_ran_ten_minutes_starts_over() -> None:
    """client-go backoff.go hasExpired: more than twice the maximum since the last update."""
    assert delays(4, ran_ns=601 * SECOND) == [0, 0, 0, 0]
    assert delays(3, ran_ns=599 * SECOND) == [0, 10, 20]


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [
        ("Always", 0, True),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("Never", 1, False),
        (None, 0, True),
    ],
)
def test_the_restart_policy_decides(policy: str | None, code: int, again: bool) -> None:
    """kubelet.md 1."""
    assert should_restart(policy, code) is again
