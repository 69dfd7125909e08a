"""Our verdicts are those that others found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chaoskube.sim import UsageError

from .conftest import COMMITTED, PUBLIC
from .judging import judged
from .known import expected_verdict


def test_the_verdict_is_the_known_one(history_file: Path, verdicts: list[str]) -> None:
    """A checker that is wrong once is believed never again; porcupine's own tests assert these verdicts."""
    complaint = ""
    try:
        one = judged(history_file)
    except UsageError as error:
        complaint = str(error)
        verdicts.append(f"{history_file.name:28} {'':9}     malformed: {complaint}")
    if complaint:
        pytest.fail(complaint, pytrace=False)
    expected = expected_verdict(history_file.name)
    known = {None: "", one.is_linearizable: ", as known"}.get(expected, ", NOT AS KNOWN")
    verdicts.append(one.line + known)

    assert expected in (None, one.is_linearizable), one.line


def test_the_public_histories_are_here() -> None:
    """They may not be committed, so a checkout alone judges fewer."""
    if not PUBLIC.is_dir():
        pytest.skip("../shared/histories is not here: only the committed recordings were judged")

    assert len(list(PUBLIC.rglob("etcd_*.log"))) > 60


def test_a_folder_is_judged_file_by_file_and_nothing_goes_unsaid(tmp_path: Path) -> None:
    """A file that is cut off is one sentence, and one that is no history is not taken for judged."""
    whole = min(COMMITTED.glob("*.jsonl.gz"))
    (tmp_path / whole.name).write_bytes(whole.read_bytes())
    (tmp_path / "cut.jsonl.gz").write_bytes(whole.read_bytes()[:3000])
    (tmp_path / "notes.txt").write_text("what I did")

    code, printed = run_pytest(tmp_path)

    assert code == 1
    assert re.search(rf"^{re.escape(whole.name)} .* linearizable", printed, re.MULTILINE)
    assert "it was cut off or is damaged" in printed and "Error" not in printed
    assert "passed over, as they don't begin as a history does: notes.txt" in printed


def test_a_folder_without_a_history_is_refused(tmp_path: Path) -> None:
    """Nothing judged is not a pass."""
    code, printed = run_pytest(tmp_path)

    assert code == 4
    assert f"--histories {tmp_path}: no file below it begins as a history does" in printed


def run_pytest(folder: Path) -> tuple[int, str]:
    """`pytest --histories FOLDER` from the checkout."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--histories", str(folder)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout
