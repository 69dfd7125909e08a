"""The readers of one member: rounds that are asked, asked again, refused and given up."""

from __future__ import annotations

from chaoskube.models.etcd.errors import LEADER_CHANGED
from chaoskube.models.etcd.messages import TIMED_OUT, EtcdError
from chaoskube.models.etcd.read_index import Reader, ReadIndex
from chaoskube.sim import SECOND


class Member:
    """Counts what is asked, and hears what readers hear."""

    def __init__(self) -> None:
        self.now = 0
        self.asked: list[int] = []
        self.heard: list[tuple[str, EtcdError | None]] = []
        self._numbers = 0
        self.reads = ReadIndex(self.asked.append, self._number, lambda: self.now)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def read(self, name: str) -> None:
        """Somebody wants to read."""
        self.reads.add(Reader(since=self.now, go_on=lambda error: self.heard.append((name, error))))


def test_who_asks_during_a_round_goes_into_the_next() -> None:
    """An index that was asked for before a read came says nothing about it."""
    member = Member()
    member.read("a")
    member.read("b")
    assert member.asked == [1]

    member.reads.confirmed(5, applied=5)
    assert (member.heard, member.asked) == ([("a", None)], [1, 2])
    member.reads.confirmed(6, applied=5)
    assert member.heard == [("a", None)]
    member.reads.applied(6)
    assert member.heard == [("a", None), ("b", None)]


def test_another_leader_refuses_the_round_and_not_the_next() -> None:
    """The old leader may never answer; who came later asks the new one."""
    member = Member()
    member.read("a")
    member.read("b")
    member.reads.leader_changed()
    assert (member.heard, member.asked) == ([("a", LEADER_CHANGED)], [1, 2])
    assert not member.reads.is_under_way(1) and member.reads.is_under_way(2)


def test_a_read_is_given_up_after_seven_seconds() -> None:
    """And asked about again each half second before."""
    member = Member()
    member.read("a")
    for _ in range(14):
        member.now += SECOND // 2
        member.reads.expire()
    assert len(member.asked) == 14
    assert member.heard == [("a", TIMED_OUT)]
