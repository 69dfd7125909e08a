"""Linearizable reads at one member: wait for a read index that the leader's quorum has confirmed, many at a time.

One round is under way at most; who asks meanwhile goes into the next (server/etcdserver/read/read.go
LinearizableReadLoop). A round is asked again every 500 ms, and when the first entry of a term is applied. When another
leader is heard of, the round under way is refused with "leader changed": its client asks again by itself. A read that
has waited for 7 s is given up.

Called by `replica.py` and `raft_node.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

from chaoskube.models.constants import ETCD_READ_RETRY, ETCD_REQUEST_TIMEOUT
from chaoskube.models.etcd.messages import LEADER_CHANGED, TIMED_OUT, EtcdError

GoOn: TypeAlias = Callable[[EtcdError | None], None]


@frozen(kw_only=True)
class Reader:
    """Somebody waits for a read index: `go_on` gets None when it is reached, else the error."""

    since: int
    go_on: GoOn


class ReadIndex:
    """The readers of one life of a member. `ask` begins a round in Raft, with a number of its own."""

    def __init__(
        self, ask: Callable[[int], None], new_number: Callable[[], int], now: Callable[[], int]
    ) -> None:
        self._ask = ask
        self._new_number = new_number
        self._now = now
        self._next: list[Reader] = []
        self._asking: list[Reader] = []
        self._number = 0
        self._asked_at = 0
        self.waiting_to_apply: list[tuple[int, list[Reader]]] = []
        """Rounds that are confirmed: the index that each needs, and its readers."""

    @property
    def is_idle(self) -> bool:
        """Nobody waits."""
        return not self._asking and not self.waiting_to_apply

    def add(self, reader: Reader) -> None:
        """Wait for the next round."""
        self._next.append(reader)
        if not self._asking:
            self._begin()

    def is_under_way(self, context: object) -> bool:
        """Is it this round that is waited for?"""
        return context == self._number and bool(self._asking)

    def confirmed(self, index: int, applied: int) -> None:
        """A quorum has confirmed the round under way: its readers go on as soon as `index` is applied."""
        readers, self._asking = self._asking, []
        if applied >= index:
            _go_on(readers)
        else:
            self.waiting_to_apply.append((index, readers))
        if self._next:
            self._begin()

    def applied(self, index: int) -> None:
        """This member has applied everything up to `index`."""
        due = [readers for wanted, readers in self.waiting_to_apply if wanted <= index]
        self.waiting_to_apply = [one for one in self.waiting_to_apply if one[0] > index]
        for readers in due:
            _go_on(readers)

    def ask_again(self) -> None:
        """Begin the round under way anew."""
        # A number of its own for each try: an answer to an older one could be stale (etcd issue 20418).
        self._number = self._new_number()
        self._asked_at = self._now()
        self._ask(self._number)

    def expire(self) -> None:
        """Give up who has waited too long, and ask again when an answer is overdue."""
        now = self._now()
        before = now - ETCD_REQUEST_TIMEOUT
        unapplied = [one for _, readers in self.waiting_to_apply for one in readers]
        late = [one for one in (*self._asking, *self._next, *unapplied) if one.since <= before]
        if late:
            self._drop(before)
            for reader in late:
                reader.go_on(TIMED_OUT)
        if not self._asking and self._next:
            self._begin()
        elif self._asking and now - self._asked_at >= ETCD_READ_RETRY:
            self.ask_again()

    def leader_settled(self) -> None:
        """The first entry of a term is applied: whoever waits may be waiting for a leader that is gone."""
        if self._asking:
            self.ask_again()

    def leader_changed(self) -> None:
        """Somebody else leads (raft.go updateLeadership): nobody knows if the old leader has heard of the round."""
        refused, self._asking = self._asking, []
        if self._next:
            self._begin()
        for reader in refused:
            reader.go_on(LEADER_CHANGED)

    def _begin(self) -> None:
        self._asking, self._next = self._next, []
        self.ask_again()

    def _drop(self, before: int) -> None:
        self.waiting_to_apply = [
            (index, [one for one in readers if one.since > before])
            for index, readers in self.waiting_to_apply
        ]
        self._asking = [one for one in self._asking if one.since > before]
        self._next = [one for one in self._next if one.since > before]


def _go_on(readers: list[Reader]) -> None:
    for reader in readers:
        reader.go_on(None)
