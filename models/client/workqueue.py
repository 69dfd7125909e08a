"""The work queue of keys: each key waits once, and is never worked on twice at the same time.

Three sets as in client-go: `waiting` in order, `dirty` (asked for and not taken yet), `processing`. A key
added while it is processed runs once more afterwards. Keys that are put off keep the earlier of two times.
Pure: times are handed in; `workers.py` is the shell that waits.

Source: staging/src/k8s.io/client-go/util/workqueue/{queue,delaying_queue}.go.

Not modelled: metrics, queues with priorities.
"""

from __future__ import annotations

from collections import deque


class WorkQueue:
    """Keys to work on. `add`, then `take` and `done` around the work."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._dirty: set[str] = set()
        self._processing: set[str] = set()
        self._put_off: dict[str, int] = {}
        self._is_shutting_down = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Nothing waits and nothing is being worked on (keys put off don't count)."""
        return not self._waiting and not self._processing

    def add(self, key: str) -> bool:
        """Ask for `key`; True when it may be taken now, False when it waits already or is in work."""
        if self._is_shutting_down or key in self._dirty:
            return False
        self._dirty.add(key)
        if key in self._processing:
            return False
        self._waiting.append(key)
        return True

    def take(self) -> str | None:
        """The key that waited longest, now in work; None when none waits."""
        if not self._waiting:
            return None
        key = self._waiting.popleft()
        self._processing.add(key)
        self._dirty.discard(key)
        return key

    def done(self, key: str) -> bool:
        """The work on `key` ended; True when it was asked for meanwhile and waits again."""
        self._processing.discard(key)
        if key not in self._dirty:
            return False
        self._waiting.append(key)
        return True

    def shut_down(self) -> None:
        """Take nothing new from now on; what waits is still given out (ShutDown; with nothing in work it has drained)."""
        self._is_shutting_down = True

    def put_off(self, key: str, ready_at: int) -> bool:
        """Add `key` at `ready_at`; False when an earlier time stands already, or nothing new is taken."""
        if self._is_shutting_down:
            return False
        standing = self._put_off.get(key)
        if standing is not None and standing <= ready_at:
            return False
        self._put_off[key] = ready_at
        return True

    def is_due(self, key: str, ready_at: int) -> bool:
        """Whether the time set by `put_off` is the one that stands; if so it is used up."""
        if self._put_off.get(key) != ready_at:
            return False
        del self._put_off[key]
        return True
