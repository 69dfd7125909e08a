"""The harness's tests run on a toy system, reached as a user's own would be: by an entry point."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Here = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def toys_installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH in which the toys' distribution stands."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "toys-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 0\n")
    entry = "a-toy = tests.harness.toys\n"
    (info / "entry_points.txt").write_text(
        f"[chaoskube.scenarios]\n{entry}[chaoskube.inputs]\n{entry[:-1]}.toy:read\n"
    )
    return folder


@pytest.fixture
def chaoskube(toys_installed: Path, tmp_path: Path) -> Command:
    """The command line in another process, with the toys installed, in an empty folder."""

    def run(*arguments: str, hash_seed: str = "0", stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = dict(
            os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{toys_installed}", PYTHONHASHSEED=hash_seed
        )
        environment.pop("CHAOSKUBE_TRACEBACK", None)
        return subprocess.run(
            [sys.executable, "-m", "chaoskube", *arguments],
            cwd=tmp_path,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def here(
    toys_installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Here:
    """The command line in this process, which is quicker: exit code, output, errors."""
    from chaoskube.cli import run

    monkeypatch.syspath_prepend(str(toys_installed))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHAOSKUBE_TRACEBACK", raising=False)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        return (code, *capfd.readouterr())

    return command
