"""Options that every room of the tests may read, and those that play a folder of files.

The latter are declared in `chaoskube/pytest_plugin.py`: of an option that is declared here, pytest would take the
folder for tests to run, look for its settings there, and never come to read this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
ROOMS: Final = {"--golden": "golden", "--histories": "histories", "--raft-scripts": "models/raft/scripts"}
"""Options that play a folder of files, each with the room whose tests do it."""

collect_ignore_glob: Final = ["traces/*", "quality/bugs/*", "quality/traces/*", "scenarios/traces/*"]
"""Our own traces are replayed by tests that ask more of them than the plugin does; once is enough."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rewrite` is the one way in which committed digests change."""
    parser.addoption(
        "--rewrite", action="store_true", help="write the digests of tests/traces anew; read the diff"
    )


def pytest_configure(config: pytest.Config) -> None:
    """A folder of files is played by its room alone, unless other tests were named."""
    for option, room in ROOMS.items():
        folder = config.getoption(option)
        if folder is None:
            continue
        if not Path(folder).is_dir():
            raise pytest.UsageError(f"{option} {folder}: there is no such folder")
        if config.args_source is not pytest.Config.ArgsSource.ARGS:
            config.args = [str(HERE / room)]
