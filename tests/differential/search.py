"""Search for a difference: Hypothesis draws histories until enough requests have been compared."""

from __future__ import annotations

import time
from collections import Counter

from attrs import define, field
from hypothesis import HealthCheck, given, seed, settings

from chaoskube.models.etcd.messages import EtcdError, Request, WatchCreate
from tests.differential.compare import Difference, compare_history
from tests.differential.history import histories, watches
from tests.differential.oracle import Oracle
from tests.differential.ours import Ours
from tests.differential.values import Json, to_data

CHUNK = 200
"""Histories of one Hypothesis run; each chunk has a seed of its own."""


@define
class Figures:
    """What was compared."""

    requests: int = 0
    histories: int = 0
    watches: int = 0
    seconds: float = 0.0
    refused: int = 0
    """Requests that were answered with an error."""
    kinds: Counter[str] = field(factory=Counter)
    deviations: Counter[int] = field(factory=Counter)
    """How often each known bug of the real one was met, by its issue."""

    def __str__(self) -> str:
        met = ", ".join(f"issue {issue} x {count}" for issue, count in sorted(self.deviations.items()))
        kinds = ", ".join(f"{name} {count}" for name, count in self.kinds.most_common())
        return (
            f"{self.requests} requests in {self.histories} histories, {self.watches} watches from the past: no "
            f"difference ({self.seconds:.1f} s, {self.requests / self.seconds:.0f} requests/s; "
            f"{self.refused} refused by both; known deviations met: {met or 'none'})\n{kinds}"
        )


def search(oracle: Oracle, requests: int, first_seed: int) -> Figures:
    """Compare at least that many requests; raises the smallest Difference that Hypothesis finds."""
    figures = Figures()
    started = time.perf_counter()
    chunk = 0
    while figures.requests < requests:
        _search_chunk(oracle, figures, requests, first_seed + chunk)
        chunk += 1
    figures.seconds = time.perf_counter() - started
    return figures


def _search_chunk(oracle: Oracle, figures: Figures, requests: int, chunk_seed: int) -> None:
    @seed(chunk_seed)
    @settings(max_examples=CHUNK, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(histories, watches)
    def compare(history: tuple[Request, ...], watch: WatchCreate | None) -> None:
        if figures.requests >= requests:
            return
        try:
            met = compare_history(history, oracle, watch)
        except Difference as difference:
            difference.add_note(f"as a case: {as_case(history, watch)}")
            raise
        figures.histories += 1
        figures.requests += len(history)
        figures.watches += watch is not None
        figures.kinds.update(type(request).__name__ for request in history)
        figures.deviations.update(one.issue for one in met)
        ours = Ours()
        figures.refused += sum(isinstance(ours.ask(request), EtcdError) for request in history)

    compare()


def as_case(history: tuple[Request, ...], watch: WatchCreate | None) -> dict[str, Json]:
    """What a file in `cases/` holds."""
    return {"requests": to_data(history), "watch": to_data(watch)}
