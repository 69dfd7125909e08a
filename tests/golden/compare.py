"""Compares two runs of one scenario: a recording and ours, or two recordings of the real thing.

What is the same is written in the recordings' README: answers and each object's decisions are strict, counts,
slices, scales and victims follow rules that each run must keep by itself, and the rest is free. `compare` answers
with all differences, the earliest first; none means the same. Who calls it: `player` and the tests.
"""

from __future__ import annotations

from collections.abc import Mapping

from .answers import bind_answers, compare_answers
from .binding import Binding
from .difference import Difference
from .ends import compare_ends
from .events import compare_events
from .history import as_run
from .not_comparable import has_two_managers, without_known
from .objects import compare_objects
from .own_watches import compare_own_watches
from .pairing import pair_runs
from .recording import Recording
from .rules import broken_rules
from .span import span_of


def compare(
    left: Recording,
    right: Recording,
    *,
    right_goes_on: bool = False,
    nodes: Mapping[str, str] | None = None,
) -> list[Difference]:
    """What the right run does differently from the left one; empty when they are the same.

    `nodes`: the right run's node for each of the left's, where the player chose them by the part they play.
    """
    binding = Binding()
    for ours, theirs in (nodes or {}).items():
        binding.bind(ours, theirs)
    span = span_of(left, right, right_goes_on=right_goes_on)
    left_run, right_run = as_run(left), as_run(right)
    bind_answers(left, right, binding)
    pairs = pair_runs(left_run, right_run, binding)
    if has_two_managers(left):
        found = [
            *compare_answers(left, right, binding),
            *compare_ends(left_run, right_run, pairs, binding),
        ]
        return sorted(without_known(left, found), key=lambda difference: difference.time)
    found = [
        *compare_answers(left, right, binding),
        *compare_objects(pairs, binding, span),
        *compare_events(left_run, right_run, binding, span),
        *compare_own_watches(left, right, binding),
        *broken_rules(right_run, span),
    ]
    return sorted(without_known(left, found), key=lambda difference: difference.time)
