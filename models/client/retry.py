"""Trying again after a conflict, as controllers and users' tools do it.

`DEFAULT_RETRY` is for many writers of one object that don't disagree (5 times, 10 ms apart); `DEFAULT_BACKOFF` for those
that do (4 times, 10 ms, 50 ms, 250 ms). The work reads anew each time: trying the same write again would only fail again.

Source: staging/src/k8s.io/client-go/util/retry/util.go.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import frozen

from chaoskube.models.client.api import is_conflict
from chaoskube.sim import MILLISECOND, Process, Refused, reached

T = TypeVar("T")


@frozen(kw_only=True)
class RetryBackoff:
    """`steps` tries; the first pause, what it is multiplied by, and by how many tenths it may be stretched."""

    steps: int
    duration_ns: int
    factor: int
    jitter_tenths: int = 1

    def pauses(self, luck: random.Random) -> list[int]:
        """The pauses between the tries."""
        pauses: list[int] = []
        duration = self.duration_ns
        for _ in range(self.steps - 1):
            pauses.append(duration + luck.randrange(max(1, duration * self.jitter_tenths // 10)))
            duration *= self.factor
        return pauses


DEFAULT_RETRY = RetryBackoff(steps=5, duration_ns=10 * MILLISECOND, factor=1)
DEFAULT_BACKOFF = RetryBackoff(steps=4, duration_ns=10 * MILLISECOND, factor=5)


async def retry_on_error(
    process: Process,
    backoff: RetryBackoff,
    work: Callable[[], Awaitable[T]],
    is_retriable: Callable[[Exception], bool],
) -> T:
    """What `work` returns; its last refusal when all tries are used up, any other error at once."""
    for pause in backoff.pauses(process.rng):
        try:
            return await work()
        except Refused as refused:
            if not is_retriable(refused):
                raise
        reached("tried again after a conflict")
        await process.sleep(pause)
    return await work()


async def retry_on_conflict(
    process: Process, work: Callable[[], Awaitable[T]], *, backoff: RetryBackoff = DEFAULT_RETRY
) -> T:
    """Read, change, write, and all of it again when somebody else wrote in between."""
    return await retry_on_error(process, backoff, work, is_conflict)
