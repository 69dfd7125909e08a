"""The rules of the house, as tests: rooms, sizes, bans, and one name for each thing."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("chaoskube", "models", "invariants", "scenarios")
LINES_MAX = 600
FUNCTION_LINES_MAX = 60
BANNED_IN_SIMULATED_CODE = {
    "asyncio": "trio tasks of a Process",
    "datetime": "Process.wall_ns and models/objects/times.py",
    "secrets": "Process.rng",
    "socket": "Process.connect",
    "threading": "Process.spawn",
    "time": "Process.now and Process.sleep",
    "uuid": "Process.rng",
}


def _files(*rooms: str) -> list[Path]:
    return sorted(
        file for room in rooms for file in (ROOT / room).rglob("*.py") if not _is_behind_a_link(file)
    )


def _is_behind_a_link(file: Path) -> bool:
    return any(parent.is_symlink() for parent in file.parents if parent != ROOT)


def _imports(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def test_files_and_functions_stay_within_the_walls() -> None:
    """A file over 600 lines holds two ideas; a function over 60 is three."""
    over = []
    for file in _files(*ROOMS):
        text = file.read_text(encoding="utf-8")
        if len(text.splitlines()) > LINES_MAX:
            over.append(f"{file.relative_to(ROOT)}: {len(text.splitlines())} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    over.append(f"{file.relative_to(ROOT)}: {node.name} has {length} lines")

    assert over == []


def test_every_file_says_what_it_is() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in _files(*ROOMS, "benchmarks")
        if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_simulated_code_takes_time_luck_and_company_from_the_world_alone() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line} imports {name}; use {BANNED_IN_SIMULATED_CODE[name.split('.')[0]]}"
        for file in _files("models", "invariants")
        for line, name in _imports(file)
        if name.split(".")[0] in BANNED_IN_SIMULATED_CODE
    ]

    assert [one for one in found if "models/objects/times.py" not in one] == []


def test_hypothesis_stateful_and_trios_insides_are_touched_in_one_file_each() -> None:
    stateful = {
        file.name for file in _files(*ROOMS) for _, name in _imports(file) if name == "hypothesis.stateful"
    }
    private = {
        file.name for file in _files(*ROOMS) for _, name in _imports(file) if name.startswith("trio._")
    }

    assert stateful <= {"machine.py"}
    assert private == {"pump.py"}


def test_bare_room_names_are_refused() -> None:
    """`import models` would make a second copy of every class."""
    for room in ROOMS[1:]:
        ran = subprocess.run(
            [sys.executable, "-c", f"import {room}"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert ran.returncode != 0 and f"import chaoskube.{room}" in ran.stderr


def test_no_module_of_ours_is_loaded_under_two_names() -> None:
    program = (
        "import sys, collections, chaoskube.scenarios.manifests, chaoskube.cli\n"
        "files = [m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)]\n"
        "import os; real = collections.Counter(os.path.realpath(f) for f in files)\n"
        "print([f for f, n in real.items() if n > 1 and 'chaoskube' in f])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == "[]"


def test_packages_in_pyproject_are_the_folders() -> None:
    """setuptools can't find packages that are renamed, so they are listed; this keeps the list true."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = []
    for room in ROOMS:
        prefix = "" if room == "chaoskube" else "chaoskube."
        for init in (ROOT / room).rglob("__init__.py"):
            if not _is_behind_a_link(init):
                folders.append(prefix + ".".join(init.parent.relative_to(ROOT).parts))

    assert sorted(listed) == sorted(folders)


@pytest.mark.parametrize("folder", ["invariants", "scenarios/operations", "chaoskube/faults"])
def test_each_invariant_operation_and_fault_has_a_file_that_says_its_name(folder: str) -> None:
    assert [file for file in (ROOT / folder).glob("*.py") if file.name != "__init__.py"]


def test_public_names_are_what_init_says_and_are_loaded_only_when_asked_for() -> None:
    program = (
        "import sys, chaoskube\n"
        "heavy = {'hypothesis', 'trio', 'faker', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert all(getattr(chaoskube, name) is not None for name in chaoskube.__all__)\n"
        "assert sorted(chaoskube.__all__) == chaoskube.__all__ and set(chaoskube._HOMES) == set(chaoskube.__all__)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
