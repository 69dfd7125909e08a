"""Reading Markdown as far as our own pages need it: fenced blocks and what the comment before them says."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "ARCHITECTURE.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
_BLOCK = re.compile(
    r"^<!-- (?P<note>[^\n]*) -->\n```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@frozen(kw_only=True)
class Block:
    """A fenced block with a comment `<!-- kind: words -->` above it."""

    page: Path
    kind: str
    words: str
    language: str
    text: str

    @property
    def name(self) -> str:
        """How a test calls it."""
        return f"{self.page.stem}: {self.words or self.text.splitlines()[0]}"


def blocks(kind: str) -> list[Block]:
    """Every block of a kind, page by page."""
    return [one for page in PAGES if page.exists() for one in _blocks_of(page) if one.kind == kind]


def _blocks_of(page: Path) -> list[Block]:
    found = []
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        kind, _, words = match["note"].partition(":")
        found.append(
            Block(
                page=page,
                kind=kind.strip(),
                words=words.strip(),
                language=match["language"],
                text=match["text"],
            )
        )
    return found
