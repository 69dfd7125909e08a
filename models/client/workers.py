"""The shell around a work queue: up to five tasks that take keys, work, and put failures off.

A worker lives only while keys wait, so an idle controller costs nothing. Each run first spends the
controller's own work time, then calls `reconcile(key)`. A request that was refused, or whose fate nobody
knows, or `Retry` puts the key off by the rate limit; after `retries_max` failures it is dropped until
somebody adds it again (Deployment and EndpointSlice: 15; ReplicaSet: for ever).

Source: staging/src/k8s.io/client-go/util/workqueue, pkg/controller/*/: processNextWorkItem.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chaoskube.models.client.backoff import ItemBackoff, RateLimiter
from chaoskube.models.client.workqueue import WorkQueue
from chaoskube.models.constants import RECONCILE_WORK
from chaoskube.sim import CancelScope, Process, Refused, Unsure, reached

WORKERS = 5


class Retry(Exception):
    """This run could not finish its work; the reason is for people. The key comes again later."""


class Workers:
    """Works on keys with `reconcile`, from `start()` on."""

    def __init__(
        self,
        process: Process,
        reconcile: Callable[[str], Awaitable[None]],
        *,
        workers: int = WORKERS,
        retries_max: int | None = None,
        backoff: RateLimiter | None = None,
        work_ns: int = RECONCILE_WORK,
    ) -> None:
        self._process = process
        self._reconcile = reconcile
        self._limit = workers
        self._retries_max = retries_max
        self._backoff: RateLimiter = backoff or ItemBackoff()
        self._work_ns = work_ns
        self._queue = WorkQueue()
        self._tasks: dict[int, CancelScope] = {}
        self._count = 0
        self._started = False

    @property
    def is_idle(self) -> bool:
        """No key waits and none is in work."""
        return self._queue.is_idle

    def start(self) -> None:
        """Begin to work on what was added so far and what will be."""
        self._started = True
        for _ in range(min(len(self._queue), self._limit)):
            self._wake()

    def add(self, key: str) -> None:
        """Work on `key` soon."""
        if self._queue.add(key):
            self._wake()

    def add_after(self, key: str, delay_ns: int) -> None:
        """Work on `key` after `delay_ns`; an earlier time that stands already wins."""
        if delay_ns <= 0:
            self.add(key)
            return
        ready_at = self._process.now + delay_ns
        if self._queue.put_off(key, ready_at):
            self._process.call_at(ready_at, self._due, key, ready_at)

    def stop(self) -> None:
        """Take no key any more, and give up what is in work: its context is cancelled, requests on their way may still arrive."""
        self._started = False
        for task in self._tasks.values():
            task.cancel()

    def shut_down(self) -> None:
        """Take nothing new; what waits is still worked on."""
        self._queue.shut_down()

    def add_rate_limited(self, key: str) -> None:
        """Work on `key` after its back-off."""
        self.add_after(key, self._backoff.next_delay(key, self._process.now))

    def _due(self, key: str, ready_at: int) -> None:
        if self._queue.is_due(key, ready_at):
            self.add(key)

    def _wake(self) -> None:
        if self._started and len(self._tasks) < self._limit:
            self._count += 1
            self._tasks[self._count] = self._process.spawn(self._work, self._count)

    async def _work(self, number: int) -> None:
        try:
            while (key := self._queue.take()) is not None:
                await self._process.sleep(self._work_ns)
                await self._run(key)
                self._queue.done(key)
        finally:
            del self._tasks[number]

    async def _run(self, key: str) -> None:
        try:
            await self._reconcile(key)
        except (Refused, Unsure, Retry):
            if self._retries_max is not None and self._backoff.failures(key) >= self._retries_max:
                reached("work queue dropped a key")
                self._backoff.forget(key)
            else:
                self.add_rate_limited(key)
        else:
            self._backoff.forget(key)
