"""What every client of these scenarios has: a connection, a history in the journal, luck of its own, and an end of work."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from chaoskube.models.etcd.client import EtcdClient, Outcome
from chaoskube.models.etcd.messages import Request
from chaoskube.sim import MILLISECOND, SECOND, Address, Process

THINK_NS = 900 * MILLISECOND
CALL_NS = 3 * SECOND


class Worker:
    """A client at work: `act` is called again and again, each time when the call before is over."""

    def __init__(
        self,
        process: Process,
        servers: tuple[Address, ...],
        until: int,
        *,
        think_ns: int = THINK_NS,
        share_watches: bool = False,
    ) -> None:
        self.process = process
        self.client = EtcdClient(process, servers, history=True, share_watches=share_watches)
        self._until = until
        self._think_ns = think_ns
        self._values = 0

    @property
    def luck(self) -> Random:
        """The process's own stream."""
        return self.process.rng

    @property
    def is_at_work(self) -> bool:
        """The end hasn't come."""
        return self.process.now < self._until

    def start(self) -> None:
        """Begin, not at the same moment as everybody."""
        self.process.call_later(self.luck.randrange(self._think_ns), self._turn)

    def act(self) -> None:
        """The next thing to do; it ends with `rest`."""
        raise NotImplementedError

    def rest(self, *_: object) -> None:
        """Think, then act again."""
        if self.is_at_work:
            self.process.call_later(self._think_ns, self._turn)

    def _turn(self) -> None:
        if self.is_at_work:
            self.act()

    def ask(self, request: Request, on_done: Callable[[Outcome], None]) -> None:
        """One call, noted in the history of this client."""
        self.client.request(request, on_done, CALL_NS)

    def value(self) -> str:
        """A value that nobody has written yet."""
        self._values += 1
        return f"{self.process.name}.{self.process.life}.{self._values}"
