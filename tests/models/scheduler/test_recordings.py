"""The pure scheduler decides as the recorded kube-scheduler 1.36.2 did: nodes, messages, number of tries."""

from __future__ import annotations

import pytest

from tests.models.scheduler.sched_replay import Replay

RECORDINGS = (
    ("sched-resource-fit", 9),
    ("sched-taints-tolerations", 6),
    ("sched-node-affinity", 9),
    ("sched-max-pods", 10),
    ("sched-extended-resource", 3),
    ("sched-gates-and-other-scheduler", 4),
    ("sched-priority-order", 6),
    ("sched-scoring-uneven-nodes", 12),
    ("sched-topology-spread-hard", 12),
)


@pytest.mark.parametrize(("name", "decisions"), RECORDINGS)
def test_decisions_agree_with_the_recording(name: str, decisions: int) -> None:
    """Every node that was chosen is among our best, and every FailedScheduling says the same."""
    replay = Replay(name)

    differences = replay.play()

    assert not differences, "\n".join(differences)
    assert replay.decisions >= decisions, f"{replay.decisions} decisions were made"
