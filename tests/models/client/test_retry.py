"""Retries after conflicts (client-go util/retry)."""

from __future__ import annotations

import random
from itertools import pairwise

from chaoskube.models.apiserver.api import Status
from chaoskube.models.client.retry import DEFAULT_BACKOFF, DEFAULT_RETRY, RetryBackoff, retry_on_conflict
from chaoskube.sim import MILLISECOND, Process, Refused, World, seconds

CONFLICT = Refused(Status(code=409, reason="Conflict"))
FORBIDDEN = Refused(Status(code=403, reason="Forbidden"))


def play(errors: list[Refused], backoff: RetryBackoff = DEFAULT_RETRY) -> tuple[list[int], object]:
    """When the work was tried, and what came of it, if its tries end like this and then well."""
    times: list[int] = []
    outcome: list[object] = []

    def boot(process: Process) -> None:
        async def work() -> str:
            times.append(process.now)
            if errors:
                raise errors.pop(0)
            return "done"

        async def task() -> None:
            try:
                outcome.append(await retry_on_conflict(process, work, backoff=backoff))
            except Refused as refused:
                outcome.append(refused)

        process.spawn(task)

    with World(seed=1) as world:
        world.add_host("h")
        world.call_later(seconds(11), lambda: None)
        world.process("p", host="h", boot=boot).start()
        world.advance(seconds(10))
    return times, outcome[0]


def test_a_conflict_is_tried_again_and_anything_else_is_not() -> None:
    """The work reads anew each time; a refusal of another kind is the caller's."""
    times, outcome = play([CONFLICT, CONFLICT])
    assert (len(times), outcome) == (3, "done")

    times, outcome = play([FORBIDDEN])
    assert (len(times), outcome) == (1, FORBIDDEN)


def test_after_five_tries_the_conflict_is_the_callers() -> None:
    """DefaultRetry: 5 steps."""
    times, outcome = play([CONFLICT] * 9)

    assert (len(times), outcome) == (5, CONFLICT)
    assert all(
        10 * MILLISECOND <= later - earlier < 11 * MILLISECOND + 1 for earlier, later in pairwise(times)
    )


def test_the_other_backoff_grows_five_times_each_step() -> None:
    """DefaultBackoff: 10 ms, 50 ms, 250 ms, each up to a tenth longer."""
    pauses = DEFAULT_BACKOFF.pauses(random.Random(1))

    assert [pause // (10 * MILLISECOND) for pause in pauses] in ([1, 5, 25], [1, 5, 26], [1, 5, 27])
