"""Two recordings of one scenario on the real control plane are the same, whichever is the measure.

This keeps the comparer from asking for what Kubernetes doesn't fix (the recordings' README, "What 'the same'
means"); `test_refusals` keeps it from asking for too little.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from .compare import compare
from .history import as_run
from .recording import Recording, read_recording, recordings_in, replaced
from .rules import RULES
from .story import side_by_side
from .trees import as_tree

HERE = Path(__file__).parent / "recordings"
PAIRS = [path.name for path in recordings_in(HERE / "again")]


def _both(name: str) -> tuple[Recording, Recording]:
    return read_recording(HERE / name), _unspoiled(read_recording(HERE / "again" / name))


def _unspoiled(recording: Recording) -> Recording:
    """The second api-conflict with its first answer as the server gave it.

    The recorder kept that answer by reference and the scenario changed it (`data.a`) before it was written down.
    """
    first = recording.commands[0]
    if recording.name != "api-conflict":
        return recording
    answer = {**as_tree(first.response), "data": as_tree(first.body)["data"]}
    repaired = attrs.evolve(first, response=answer)
    return replaced(recording, (repaired if record is first else record for record in recording.records))


@pytest.mark.parametrize("name", PAIRS)
def test_two_real_runs_are_the_same_in_both_directions(name: str) -> None:
    """A difference here is a rule that real Kubernetes does not keep."""
    first, second = _both(name)

    for left, right in ((first, second), (second, first)):
        found = compare(left, right)
        assert not found, side_by_side(left, right, found[0])


@pytest.mark.parametrize("path", recordings_in(HERE), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_real_run_keeps_every_rule_by_itself(path: Path) -> None:
    """Rules are judged on one run alone, so a real run must pass them without a second one."""
    run = as_run(read_recording(path))

    assert [difference.what for rule in RULES for difference in rule(run)] == []
