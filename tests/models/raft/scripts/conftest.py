"""`pytest --raft-scripts DIR` plays the scripts of etcd's Raft in a folder and prints one line for each.

Without the option the committed scripts are played, and those beside the checkout. The folder may hold any files
in the format of `script.py`; which of the three kinds one is shows in its commands.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .folder import ScriptFile, committed, handwritten, scripts_in
from .script import RULE

VERDICTS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """A place for the verdicts."""
    config.stash[VERDICTS] = []


@pytest.fixture
def script_verdicts(request: pytest.FixtureRequest) -> list[str]:
    """The lines that are printed at the end."""
    return request.config.stash[VERDICTS]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line a script, when a folder was asked for."""
    if config.getoption("--raft-scripts", default=None) is not None:
        terminalreporter.section("raft scripts")
        for line in config.stash[VERDICTS]:
            terminalreporter.write_line(line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a folder, only its scripts are played; one without any is refused."""
    folder = config.getoption("--raft-scripts", default=None)
    if folder is not None:
        if not scripts_in(Path(folder)):
            raise pytest.UsageError(
                f"--raft-scripts {folder}: there is no script (*.txt with {RULE} in it) below it"
            )
        played = [item for item in items if "script_file" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=[item for item in items if item not in played])
        items[:] = played


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a script."""
    if "script_file" not in metafunc.fixturenames:
        return
    folder = metafunc.config.getoption("--raft-scripts", default=None)
    scripts: list[ScriptFile] = committed() + handwritten() if folder is None else scripts_in(Path(folder))
    metafunc.parametrize("script_file", scripts, ids=[script.name for script in scripts])
