"""`pytest --histories DIR` judges every history in a folder, whatever its kind, and prints one line for each.

Without the option the committed recordings of etcd are judged, and the public histories where they lie beside the
checkout. A verdict that is known (`known.py`) must come out; any other is printed only.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .judging import histories_in, others_in

COMMITTED = Path(__file__).parent / "recordings"
PUBLIC = Path(__file__).parents[2] / ".." / "shared" / "histories"
VERDICTS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """A place for the lines."""
    config.stash[VERDICTS] = []


@pytest.fixture
def verdicts(request: pytest.FixtureRequest) -> list[str]:
    """The lines that are printed at the end."""
    return request.config.stash[VERDICTS]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line a history, when a folder was asked for."""
    if config.getoption("--histories") is not None:
        terminalreporter.section("histories")
        for line in config.stash[VERDICTS]:
            terminalreporter.write_line(line)
        others = others_in(Path(config.getoption("--histories")))
        if others:
            terminalreporter.write_line(
                f"passed over, as they don't begin as a history does: {', '.join(others)}"
            )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a folder, only its histories are judged: the tests of the tool itself are left out."""
    folder = config.getoption("--histories")
    if folder is not None:
        if not histories_in(Path(folder)):
            raise pytest.UsageError(f"--histories {folder}: no file below it begins as a history does")
        judged = [item for item in items if "history_file" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=[item for item in items if item not in judged])
        items[:] = judged


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a history."""
    if "history_file" not in metafunc.fixturenames:
        return
    folder = metafunc.config.getoption("--histories")
    if folder is not None:
        paths = histories_in(Path(folder))
    else:
        paths = [*histories_in(COMMITTED), *(histories_in(PUBLIC) if PUBLIC.is_dir() else ())]
    metafunc.parametrize("history_file", paths, ids=[path.name for path in paths])
