"""One verdict on one file, of whatever kind its content says that it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from time import perf_counter

from attrs import frozen

from chaoskube.history_files import RegisterHistory, StringHistory, history_in, is_register_log, is_string_log
from chaoskube.linearizability import Result, Verdict
from chaoskube.sequential import Answer, RegisterInput, StringInput

from .etcd_recording import is_etcd_recording, read_recording
from .etcd_rules import judge

AnyResult = Result[RegisterInput, Answer] | Result[StringInput, Answer]


@frozen(kw_only=True)
class Judged:
    """What is known of a file now. `words` says it in one line; `milliseconds` is judging alone, without reading."""

    name: str
    is_linearizable: bool | None
    words: str
    milliseconds: float

    @property
    def line(self) -> str:
        """As it is printed."""
        return f"{self.name:28} {self.milliseconds:9.2f} ms  {self.words}"


def histories_in(folder: Path) -> list[Path]:
    """The files of a folder, and of those below it, that hold a history."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and is_history(path))


def others_in(folder: Path) -> list[str]:
    """The names of the other files, so that nobody believes them judged."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and not is_history(path))


def is_history(path: Path) -> bool:
    """Whether a file is of a kind that is known, malformed or not."""
    if is_etcd_recording(path):
        return True
    with path.open("rb") as file:
        beginning = file.read(100).decode("utf-8", "replace")
    return is_register_log(beginning) or is_string_log(beginning)


def judged(path: Path) -> Judged:
    """The verdict on a file."""
    if not is_etcd_recording(path):
        history = history_in(path)
        started = perf_counter()
        result = history.check()
        return _told(path.name, history, result, perf_counter() - started)
    recording = read_recording(path)
    started = perf_counter()
    kinds = Counter(finding.rule for finding in judge(recording))
    seconds = perf_counter() - started
    found = ", ".join(f"{count} {rule}" for rule, count in sorted(kinds.items()))
    counts = f"{len(recording.operations)} operations, {len(recording.watches)} watches"
    return Judged(
        name=path.name,
        is_linearizable=not kinds,
        words=f"{'NOT linearizable' if kinds else 'linearizable':16}  {counts}{': ' * bool(found)}{found}",
        milliseconds=seconds * 1000,
    )


def _told(name: str, history: RegisterHistory | StringHistory, result: AnyResult, seconds: float) -> Judged:
    unanswered = sum(not one.is_answered for one in history.operations)
    verdict = {Verdict.LINEARIZABLE: True, Verdict.NOT_LINEARIZABLE: False}.get(result.verdict)
    words = {True: "linearizable", False: "NOT linearizable", None: f"unknown after {result.bound}"}[verdict]
    counts = f"{len(history.operations)} operations, {unanswered} unanswered, {result.steps} steps"
    return Judged(
        name=name, is_linearizable=verdict, words=f"{words:16}  {counts}", milliseconds=seconds * 1000
    )
