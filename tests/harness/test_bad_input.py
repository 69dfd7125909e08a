"""Everything that people get wrong ends in one sentence, with the exit code of the table, and never in a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaoskube.sim import pump
from chaoskube.trace import trace_text
from tests.harness.conftest import ROOT, Here
from tests.harness.test_trace import shortest

RULE = """\
from chaoskube.invariant import always, eventually, sometimes
from chaoskube.sim import OperationStarted

"""
ONE_RUN = ("--examples", "1", "--seed", "1", "--workers", "1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("hunt", "toy", "--for", "0"), "'0' must be more than nothing, like 90s or 5m"),
        (("hunt", "toy", "--for", "-5"), "'-5' is not a duration; write it like 500ms, 2.5s or 1m30s"),
        (("hunt", "toy", "--examples", "0"), "Invalid value for '--examples': 0 must be 1 or more"),
        (("hunt", "toy", "--examples", "-1"), "-1 must be 1 or more"),
        (("hunt", "toy", "--seed", "abc"), "'abc' must be a whole number, 0 or more"),
        (("hunt", "toy", "--workers", "1000"), "1000 must be from 1 to 256"),
        (("hunt", "toy", "--expect", "both"), "'both' is not one of 'nothing', 'violation'"),
        (("hunt", "manifests"), "there is no scenario called 'manifests'"),
        (("hunt", "nosuch"), "(and there is no file or folder nosuch)"),
        (("hunt", "toy", "toy"), "toy toy: hunt in one scenario at a time, like toy, or name none"),
        (("hunt", "toy", "--bug", "zzz"), "there is no bug called 'zzz'; known: "),
        (("minimise", "setup.chaos.yaml"), "setup.chaos.yaml: toy: the workload is not up after"),
        (("replay",), "Missing argument 'TRACE' (chaoskube replay --help says more)"),
        (("replay", "."), ".: cannot be read: Is a directory"),
        (("replay", "web.yaml"), "web.yaml: this is a manifest, no trace; chaoskube hunt web.yaml makes"),
        (("replay", "empty.chaos.yaml"), "empty.chaos.yaml: this is no trace: it has no keys at all"),
        (("replay", "setup.chaos.yaml"), "setup.chaos.yaml: toy: the workload is not up after"),
    ],
)
def test_a_wrong_command_is_one_sentence(
    here: Here, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    """What is wrong, where, what would be right: no page of usage, no traceback."""
    (tmp_path / "web.yaml").write_text("apiVersion: v1\nkind: Pod\n---\napiVersion: v1\n")
    (tmp_path / "empty.chaos.yaml").write_text("")
    (tmp_path / "setup.chaos.yaml").write_text(
        "chaoskube: 1\nscenario: toy\nactions: []\nsetup: {trouble: cold}\n"
    )

    code, out, err = here(*arguments)

    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("@always\ndef odd(seen):\n    'R.'\n", "rule.py: @always(on=[...]) must name at least one event type"),
        ("@sometimes\ndef odd(seen):\n    'R.'\n", "rule.py: @sometimes(on=[...]) must name at least one"),
        ("@eventually\ndef odd(seen):\n    'R.'\n", "rule.py: @eventually(within=...) must say how soon"),
        ("@always(on=['Started'])\ndef odd(seen):\n    'R.'\n", "must name event types (classes), not str"),
        ("@always(on=[OperationStarted])\ndef odd(world):\n    'R.'\n", "rule.py: invariant odd asks for 'world'"),
        ("@always(on=[OperationStarted])\ndef odd(seen):\n    pass\n", "rule.py: invariant odd needs a docstring"),
        ("@always(on=[OperationStarted])\ndef odd(seen):\n    'R.'\n    return False\n", "invariant odd returned False"),
        ("@always(on=[OperationStarted])\ndef odd(seen):\n    'R.'\n    exit()\n", "invariant odd raised SystemExit"),
        ("exit()\n", "rule.py: cannot be imported: SystemExit"),
        ("def odd(:\n", "rule.py: cannot be imported: SyntaxError"),
    ],
)  # fmt: skip
def test_an_invariant_that_is_none_is_the_users_to_mend(
    here: Here, tmp_path: Path, rule: str, says: str
) -> None:
    """A check that is silently without effect would be worse than none."""
    (tmp_path / "rule.py").write_text(RULE + rule)

    code, out, err = here(
        "hunt", "toy", "--invariants", "rule.py", "--quiet", "--examples", "9", *ONE_RUN[2:]
    )

    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_an_invariant_that_loops_for_ever_is_stopped(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the line at which it was; a hunt never hangs."""
    monkeypatch.setattr(pump, "WALL_SECONDS_MAX", 0.3)
    loop = "@always(on=[OperationStarted])\ndef odd(seen):\n    'R.'\n    while True:\n        pass\n"
    (tmp_path / "rule.py").write_text(RULE + loop)

    code, _, err = here("hunt", "toy", "--invariants", "rule.py", "--quiet", *ONE_RUN)

    assert code == 2
    assert "invariant odd does not come to an end: code at" in err
    assert "rule.py:7" in err or "rule.py:8" in err


def test_a_folder_for_traces_that_cannot_be_written_is_told(here: Here, tmp_path: Path) -> None:
    """It is the user's to mend, no doubt about the harness."""
    (tmp_path / "file").write_text("")

    code, _, err = here(
        "hunt", "toy", "--seed", "1", "--examples", "3000", "--workers", "1", "--quiet", "--out", "file"
    )

    assert code == 2
    assert "the trace cannot be written: File exists" in err


def test_replay_says_where_a_trace_cannot_be_applied(here: Here, tmp_path: Path) -> None:
    """After an edit by hand: the line and the reason."""
    text = trace_text(shortest())
    lines = text.splitlines()
    number = next(index for index, line in enumerate(lines) if "process=" in line or "server=" in line)
    lines[number] = lines[number].replace("reg-1", "reg-7")
    (tmp_path / "x.chaos.yaml").write_text("\n".join(lines) + "\n")

    code, out, err = here("replay", "x.chaos.yaml")

    assert code == 2, err
    assert out.startswith(f"cannot be applied: x.chaos.yaml:{number + 1}: at ")
    assert "did you mean 'reg-" in out or "there are reg-0" in out


@pytest.fixture
def hunting(toys_installed: Path, tmp_path: Path) -> subprocess.Popen[str]:
    """A hunt that would go on for a minute, in a group of its own as a terminal would give it."""
    environment = dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{toys_installed}")
    command = [sys.executable, "-m", "chaoskube", "hunt", "toy", "--for", "60s", "--without", "crash"]
    command += ["--without", "pause", "--without", "partition", "--seed", "1", "--workers"]
    return subprocess.Popen(
        [*command, "1"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_hunt_stopped_by_hand_says_what_it_has(hunting: subprocess.Popen[str]) -> None:
    """Ctrl-C: the runs so far are told, and a run cut short is not taken for a digest that differs."""
    assert hunting.stdout is not None
    first = hunting.stdout.readline()
    time.sleep(1.0)
    os.killpg(hunting.pid, signal.SIGINT)
    out, err = hunting.communicate(timeout=60)

    assert hunting.returncode == 2, err
    assert first.startswith("hunting toy with --seed 1")
    assert "nothing found so far" in out
    assert err.strip() == "chaoskube: stopped by hand"


def test_a_closed_pipe_is_no_violation(hunting: subprocess.Popen[str]) -> None:
    """`chaoskube hunt | head -1` must not end with the exit code that says that something was found."""
    assert hunting.stdout is not None and hunting.stderr is not None
    hunting.stdout.close()
    err = hunting.stderr.read()
    hunting.stderr.close()

    assert hunting.wait(timeout=60) == 2
    assert err == ""
