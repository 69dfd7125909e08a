"""Where scripts come from: the committed archive, or any folder.

The archive holds scripts of random commands with what the Go code of etcd-io/raft answered. The hand-written
ones of that project are not ours to commit: they are looked for beside the checkout.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Final

from attrs import frozen

from .script import RULE

HERE: Final = Path(__file__).parent
ARCHIVE: Final = HERE / "generated.tar.gz"
BESIDE: Final = HERE.parents[3].parent / "shared" / "raft-interaction"
HANDWRITTEN: Final = ("interaction", "confchange", "quorum")


@frozen(kw_only=True)
class ScriptFile:
    """A script and what to call it."""

    name: str
    text: str


def committed() -> list[ScriptFile]:
    """The scripts in the archive, by name."""
    with tarfile.open(ARCHIVE) as archive:
        return [
            ScriptFile(name=member.name, text=file.read().decode())
            for member in archive.getmembers()
            if (file := archive.extractfile(member)) is not None
        ]


def handwritten() -> list[ScriptFile]:
    """The scripts beside the checkout; [] when there are none."""
    return [script for folder in HANDWRITTEN for script in scripts_in(BESIDE / folder)]


def scripts_in(folder: Path) -> list[ScriptFile]:
    """Every script below `folder`, by path: the `*.txt` files with a line of four dashes."""
    texts = {
        path: path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.rglob("*.txt"))
    }
    return [
        ScriptFile(name=f"{folder.name}/{path.relative_to(folder)}", text=text)
        for path, text in texts.items()
        if RULE in text.splitlines()
    ]
