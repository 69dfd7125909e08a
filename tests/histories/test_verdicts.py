"""Our verdicts are those that others found."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaoskube.sim import UsageError

from .conftest import PUBLIC
from .judging import judged
from .known import expected_verdict


def test_the_verdict_is_the_known_one(history_file: Path, verdicts: list[str]) -> None:
    """A checker that is wrong once is believed never again; porcupine's own tests assert these verdicts."""
    try:
        one = judged(history_file)
    except UsageError as error:
        verdicts.append(f"{history_file.name:28} {'':9}     malformed: {error}")
        raise
    expected = expected_verdict(history_file.name)
    known = {None: "", one.is_linearizable: ", as known"}.get(expected, ", NOT AS KNOWN")
    verdicts.append(one.line + known)

    assert expected in (None, one.is_linearizable), one.line


def test_the_public_histories_are_here() -> None:
    """They may not be committed, so a checkout alone judges fewer."""
    if not PUBLIC.is_dir():
        pytest.skip("../shared/histories is not here: only the committed recordings were judged")

    assert len(list(PUBLIC.rglob("etcd_*.log"))) > 60
