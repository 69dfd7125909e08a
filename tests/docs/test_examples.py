"""The examples in our pages are what the commands really print.

A console block under `<!-- tested: words -->` is run, command by command, in a folder with a copy of `examples/`
and of the files that the page shows under `<!-- file: path -->`. Compared is what is stable: numbers, what a hunt
reached on its way and the suffixes of generated names may differ, and the lines between "what happened" and "=>"
may be others; a line `...` in the page stands for any number of lines. `pytest tests/docs --rewrite` puts in what is printed now.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, Block, blocks

PROGRAMS = {
    "chaoskube": ["-m", "chaoskube"],
    "pytest": ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:faker"],
}
_TESTED = blocks("tested")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with our examples in it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


@pytest.mark.parametrize("block", _TESTED, ids=[block.name for block in _TESTED])
def test_an_example_prints_what_the_page_says(
    block: Block, folder: Path, request: pytest.FixtureRequest
) -> None:
    """A page that shows what no command prints is worse than none."""
    for file in blocks("file"):
        if file.page == block.page:
            (folder / file.words).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.words).write_text(file.text, encoding="utf-8")
    printed = [(command, _run(command, folder)) for command, _ in _commands(block.text)]

    if request.config.getoption("--rewrite"):
        _rewrite(block, printed)
    else:
        for (command, expected), (_, got) in zip(_commands(block.text), printed, strict=True):
            assert _matches(_stable(expected), _stable(got)), f"$ {command}\n{got}"


def test_an_example_that_is_shown_twice_is_the_same(request: pytest.FixtureRequest) -> None:
    """The README shows one that another page explains."""
    tested = {block.words: block for block in blocks("tested")}
    for block in blocks("same"):
        original = tested[block.words]
        if request.config.getoption("--rewrite"):
            page = block.page.read_text(encoding="utf-8")
            page = page.replace(
                f"<!-- same: {block.words} -->\n```console\n{block.text}",
                f"<!-- same: {block.words} -->\n```console\n{original.text}",
            )
            block.page.write_text(page, encoding="utf-8")
        else:
            assert block.text == original.text, f"{block.page.name}: {block.words}"


def _commands(text: str) -> list[tuple[str, str]]:
    """Each command with what the page says that it prints."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def _run(command: str, folder: Path) -> str:
    """What a command prints, and its exit code where `; echo $?` asks for it."""
    plain = command.removesuffix("; echo $?")
    words = shlex.split(plain, comments=True)
    if words[0] == "cat":
        return (folder / words[1]).read_text(encoding="utf-8")
    environment = dict(os.environ, PYTHONPATH=str(ROOT), COLUMNS="100")
    ran = subprocess.run(
        [sys.executable, *PROGRAMS[words[0]], *words[1:]],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    output = "".join(line for line in ran.stdout.splitlines(keepends=True) if not _is_progress(line))
    return f"{output}{ran.returncode}\n" if plain != command else output


def _is_progress(line: str) -> bool:
    """A line of progress while a hunt lasts: no summary follows its speed-up."""
    return bool(re.match(r"[\w-]+: \d+ runs, \d+ virtual seconds, \d+ times real time", line))


def _stable(text: str) -> list[str]:
    lines, is_event = [], False
    for line in text.rstrip().splitlines():
        is_event = (is_event or line.startswith("what happened")) and "=>" not in line
        if not is_event or line.startswith("what happened"):
            lines.append(_masked(line))
    return lines


def _masked(line: str) -> str:
    """The line without what may differ: numbers, and hashes of generated names."""
    line = re.sub(r"(; \d+ rare branches taken)?(; never reached: .*)?$", "", line)
    line = re.sub(r"-[0-9a-f]{8,10}(-[0-9a-z]{5})?\b", "-HASH", line)
    line = re.sub(r"\b[0-9a-f]{32}\b", "DIGEST", line)
    return re.sub(r"\d+(\.\d+)*", "0", " ".join(line.split()))


def _matches(expected: list[str], got: list[str]) -> bool:
    """The same lines, where `...` stands for any number of them."""
    pattern = "".join(r"(.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in expected)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in got)) is not None


def _rewrite(block: Block, printed: list[tuple[str, str]]) -> None:
    """Put in what is printed now; blocks with `...` are left to people."""
    if "\n...\n" in block.text:
        return
    text = "".join(f"$ {command}\n{output}" for command, output in printed)
    page = block.page.read_text(encoding="utf-8")
    block.page.write_text(
        page.replace(f"```console\n{block.text}```", f"```console\n{text}```"), encoding="utf-8"
    )
