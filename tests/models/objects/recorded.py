"""What was recorded of a real API server: the objects that it returned, and what it made of what it was sent.

A few recordings are committed beside this; where ../shared/golden is, all of them are read.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "data" / "recorded"
GOLDEN = Path(__file__).parents[3] / ".." / "shared" / "golden"
Tree = dict[str, Any]
HAS_GOLDEN = GOLDEN.is_dir()


def recordings() -> list[Path]:
    """The committed ones, and all others that are here."""
    more = [path for path in sorted(GOLDEN.glob("*/*.jsonl.gz")) if path.parent.name != "etcd"]
    return [*sorted(HERE.glob("*.jsonl.gz")), *more]


def records(path: Path) -> Iterator[Tree]:
    """The lines of one recording."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def returned_objects() -> Iterator[tuple[str, Tree]]:
    """Every object that the server ever answered with or sent to a watch, once: where it was, and its tree."""
    seen: set[str] = set()
    for path in recordings():
        for record in records(path):
            for tree in _objects_of(record):
                text = json.dumps(tree, sort_keys=True)
                if text not in seen:
                    seen.add(text)
                    yield f"{path.stem} at {record['t']}", tree


def _objects_of(record: Tree) -> Iterator[Tree]:
    for field in ("object", "response"):
        tree = record.get(field)
        if not isinstance(tree, dict) or "kind" not in tree or "apiVersion" not in tree:
            continue
        if tree["kind"].endswith("List") and "items" in tree:
            for item in tree["items"] or ():
                yield {"apiVersion": tree["apiVersion"], "kind": tree["kind"][:-4], **item}
        else:
            yield tree


def creations(*, status: int) -> Iterator[tuple[str, Tree]]:
    """Every POST of an object that was answered with this code."""
    for path in recordings():
        for record in records(path):
            is_create = record["rec"] == "cmd" and record["verb"] == "POST" and record["status"] == status
            if is_create and isinstance(record["body"], dict) and isinstance(record["response"], dict):
                yield f"{path.stem} at {record['t']}", record
