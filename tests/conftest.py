"""Options that every room of the tests may read."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rewrite` is the one way in which committed digests change."""
    parser.addoption(
        "--rewrite", action="store_true", help="write the digests of tests/traces anew; read the diff"
    )
