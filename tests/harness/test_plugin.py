"""The pytest plugin in somebody's own repository, in another process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaoskube.trace import trace_text
from tests.harness.conftest import ROOT
from tests.harness.test_trace import shortest

RULED = '''
from chaoskube.invariant import always
from chaoskube.sim import OperationStarted

@always(on=[OperationStarted])
def nothing_is_done(event):
    """Nobody does anything."""
    assert event.at < 0, f"{event.event.verb} was done"

def test_toy_survives(chaos):
    chaos.hunt("toy", invariants=[nothing_is_done], runs=20)
'''
MACHINE = """
from chaoskube.bug import bugs
from chaoskube.discovery import scenario_named, bug_named
from chaoskube.machine import state_machine
from chaoskube.profiles import register
from hypothesis import settings

register()
quick = settings.get_profile("chaos-quick")
same_cases = settings(quick, max_examples=300, derandomize=True, database=None)
TestToy = state_machine(scenario_named("toy"), bug=bug_named("toy-forgets"), settings=same_cases)
"""


@pytest.fixture
def pytest_run(tmp_path: Path, toys_installed: Path) -> object:
    """Run pytest in an empty project with these files."""

    def run(**files: str) -> subprocess.CompletedProcess[str]:
        for name, text in files.items():
            (tmp_path / name.replace("__", ".")).write_text(text)
        environment = dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{toys_installed}")
        environment.pop("CI", None)  # in CI pytest repeats the whole report in its summary
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:faker",
                "-q",
                "--rootdir",
                ".",
            ],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_test_of_three_lines_hunts_with_its_own_rule(pytest_run: object, tmp_path: Path) -> None:
    """The failure is the story, with the trace's path, and no traceback; the trace then is a test itself."""
    assert callable(pytest_run)
    ran = pytest_run(test_toy__py=RULED)

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "VIOLATED nothing-is-done: toy-" in ran.stdout
    assert "chaoskube replay chaos-traces/toy-nothing-is-done.chaos.yaml" in ran.stdout
    assert "Traceback" not in ran.stdout and "def test_toy_survives" not in ran.stdout
    again = pytest_run(test_toy__py=RULED.replace("def test", "def no_test"))
    assert again.returncode == 1
    assert "reproduced: nothing-is-done" in again.stdout
    assert "Traceback" not in again.stdout


def test_the_state_machine_tells_the_same_story(pytest_run: object) -> None:
    """Not Hypothesis's report: both gears end in the same minimiser."""
    assert callable(pytest_run)
    ran = pytest_run(test_toy__py=MACHINE)

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "VIOLATED reads-are-fresh: reg-0 answers 0, 1 was acknowledged" in ran.stdout
    assert "Traceback" not in ran.stdout and "Failing test case" not in ran.stdout
    assert ran.stdout.count(" toy-write\n") == 1


def test_a_trace_that_no_longer_fails_passes_and_a_broken_one_is_one_sentence(pytest_run: object) -> None:
    """Regression tests without a line of Python."""
    assert callable(pytest_run)
    text = trace_text(shortest())
    fine = text.replace("- at 0s toy-write\n", "")
    ran = pytest_run(fine__chaos__yaml=fine, broken__chaos__yaml=text.replace("toy-write", "toy-wrote"))

    assert "1 failed, 1 passed" in ran.stdout, ran.stdout + ran.stderr
    assert "there is no action called 'toy-wrote'; did you mean 'toy-write'?" in ran.stdout


WRONG = """
import pytest

@pytest.mark.parametrize("wrong", [
    dict(runs=0), dict(runs="x"), dict(seconds=-1), dict(without="crash"), dict(invariants=[print]),
], ids=str)
def test_it(chaos, wrong):
    chaos.hunt("toy", **{"runs": 1, **wrong})
"""


def test_a_hunt_that_would_check_nothing_fails(pytest_run: object) -> None:
    """A test that passes because it never ran is worse than none."""
    assert callable(pytest_run)
    ran = pytest_run(test_toy__py=WRONG)

    assert "5 failed" in ran.stdout, ran.stdout + ran.stderr
    for says in (
        "runs=0 must be a whole number, 1 or more",
        "runs='x' must be a whole number, 1 or more",
        "seconds=-1 must be a number above 0",
        "without='crash' must be a list of verbs: ['crash']",
        "<built-in function print> is no invariant; put @always(on=[...])",
    ):
        assert f"UsageError: {says}" in ran.stdout
    assert "Traceback" not in ran.stdout


def test_a_usage_error_is_one_sentence(pytest_run: object) -> None:
    """As on the command line."""
    assert callable(pytest_run)
    ran = pytest_run(test_toy__py='def test_it(chaos):\n    chaos.hunt("tyo")\n')

    assert "there is no scenario called 'tyo'; did you mean 'toy'?" in ran.stdout
    assert "Traceback" not in ran.stdout
