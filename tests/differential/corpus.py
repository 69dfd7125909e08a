"""What a real etcd answered, recorded: so that our store is held against it where none can be started.

One history a line: {"requests": [...], "answers": [...], "events": [...]}, in the values of `values.py`, revisions as if the
history began at 1. Written by `python -m tests.differential --record N`; read by the tests.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, seed, settings

from chaoskube.models.etcd.messages import Request
from tests.differential.compare import SENTINEL, comparable, comparable_event
from tests.differential.history import histories
from tests.differential.oracle import Oracle
from tests.differential.ours import Ours
from tests.differential.values import from_data, to_data

CORPUS: Final = Path(__file__).parent / "corpus" / "histories.jsonl.gz"
CASES: Final = Path(__file__).parent / "cases"


def record(oracle: Oracle, count: int, first_seed: int) -> int:
    """Write `count` histories with the real answers; how many requests they hold."""
    lines: list[str] = []
    requests = 0

    @seed(first_seed)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(histories)
    def ask(history: tuple[Request, ...]) -> None:
        nonlocal requests
        oracle.empty()
        whole = (*history, SENTINEL)
        answers = [comparable(oracle.ask(request)) for request in whole]
        end = getattr(answers[-1], "revision")  # noqa: B009  # the sentinel is a put
        events = [comparable_event(one) for one in oracle.told(end)]
        line = {"requests": to_data(whole), "answers": to_data(answers), "events": to_data(events)}
        lines.append(json.dumps(line, separators=(",", ":")))
        requests += len(whole)

    ask()
    CORPUS.parent.mkdir(exist_ok=True)
    CORPUS.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    return requests


def check_corpus() -> int:
    """Ask ours what the real one was asked; the number of requests that were answered alike."""
    requests = 0
    for number, line in enumerate(gzip.decompress(CORPUS.read_bytes()).decode().splitlines(), start=1):
        recorded = json.loads(line)
        ours = Ours()
        asked, answers = from_data(recorded["requests"]), from_data(recorded["answers"])
        assert isinstance(asked, tuple) and isinstance(answers, tuple)
        for place, (request, answer) in enumerate(zip(asked, answers, strict=True)):
            mine = comparable(ours.ask(request))
            assert mine == answer, f"history {number}, request {place}: {request}\nours {mine}\nreal {answer}"
            requests += 1
        told = tuple(comparable_event(one) for one in ours.told)
        assert told == from_data(recorded["events"]), f"history {number}: events"
    return requests
