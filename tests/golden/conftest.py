"""`pytest --golden DIR` plays the recordings of a folder and prints one line for each.

Without the option the committed recordings are played. The folder may hold any recordings in the format of
`recording.py`, also of your own control plane.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .recording import recordings_in

COMMITTED = Path(__file__).parent / "recordings"
VERDICTS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """A place for the verdicts."""
    config.stash[VERDICTS] = []


@pytest.fixture
def verdicts(request: pytest.FixtureRequest) -> list[str]:
    """The lines that are printed at the end."""
    return request.config.stash[VERDICTS]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line a recording, when a folder was asked for."""
    if config.getoption("--golden", default=None) is not None:
        terminalreporter.section("recordings")
        for line in config.stash[VERDICTS]:
            terminalreporter.write_line(line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a folder, only its recordings are played, not the tests of the tool itself; one without any is refused."""
    folder = config.getoption("--golden", default=None)
    if folder is not None:
        if not recordings_in(Path(folder)):
            raise pytest.UsageError(f"--golden {folder}: there is no recording (*.jsonl.gz) in it")
        played = [item for item in items if "recorded" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=[item for item in items if item not in played])
        items[:] = played


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a recording."""
    if "recorded" not in metafunc.fixturenames:
        return
    folder = metafunc.config.getoption("--golden", default=None)
    if folder is None:
        paths = sorted(COMMITTED.glob("*.jsonl.gz"))
    else:
        paths = recordings_in(Path(folder))
    metafunc.parametrize("recorded", paths, ids=[path.name.removesuffix(".jsonl.gz") for path in paths])
