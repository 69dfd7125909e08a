"""Our Raft answers etcd's scripts as etcd's own does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from chaoskube.models.raft.progress import Progress

from .compare import first_difference
from .folder import BESIDE, HANDWRITTEN, ScriptFile, committed, handwritten

DIFFERENT: Final[dict[str, str]] = {}
"""Scripts that can't pass, by name, with the reason. There are none."""


def test_a_script_passes(
    request: pytest.FixtureRequest, script_verdicts: list[str], script_file: ScriptFile
) -> None:
    """Every structured line of every answer is the same: no other implementation of ours says what is right."""
    difference = first_difference(script_file.text)
    verdict = f"ok {script_file.name}" if difference is None else f"FAIL {script_file.name}: {difference}"
    script_verdicts.append(verdict)
    if script_file.name in DIFFERENT and request.config.getoption("--raft-scripts", default=None) is None:
        assert difference is not None, f"{script_file.name} passes: take it off the list"
        return

    if difference is not None:
        pytest.fail(verdict, pytrace=False)


SLIPS: Final[dict[str, Callable[[Progress, int], bool]]] = {
    "a leader that keeps silent about commits": lambda self, commit: False,
    "a leader that tells of commits again and again": lambda self, commit: self.sent_commit < self.next - 1,
}


@pytest.mark.parametrize("slip", SLIPS)
def test_small_slips_of_the_core_are_found_out(monkeypatch: pytest.MonkeyPatch, slip: str) -> None:
    """A comparison that drops too much would pass whatever the core does."""
    monkeypatch.setattr(Progress, "can_bump_commit", SLIPS[slip])

    assert any(first_difference(script.text) is not None for script in committed())


def test_all_scripts_are_there() -> None:
    """The archive is whole; those that aren't ours to commit are skipped where they are absent."""
    assert len(committed()) == 150
    if not handwritten():
        pytest.skip(f"{BESIDE}: no {', '.join(HANDWRITTEN)}; only the committed scripts were played")
