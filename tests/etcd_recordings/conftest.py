"""One test for each committed recording."""

from __future__ import annotations

from pathlib import Path

import pytest

RECORDINGS = Path(__file__).parent / "recordings"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """By name."""
    if "etcd_recorded" in metafunc.fixturenames:
        paths = sorted(RECORDINGS.glob("*.jsonl.gz"))
        metafunc.parametrize(
            "etcd_recorded", paths, ids=[path.name.removesuffix(".jsonl.gz") for path in paths]
        )
