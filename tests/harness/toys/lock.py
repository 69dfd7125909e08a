"""A toy core for exhaustive searches: a lock that a majority grants, with mistakes that can be switched on.

Whoever times out asks everybody, and holds the lock once a majority has granted it. A member grants once, and
its grant must be on its disk before it leaves.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from attrs import define, evolve, field, frozen

from chaoskube.exploration import Bounds, Exploration, Names, Output, Packet, Seen, check

ASK, GRANT = "ask", "grant"


@frozen
class Holders:
    """Who ever held the lock."""

    members: tuple[int, ...] = ()

    def after(self, member: int, event: Hashable) -> Holders:
        assert event == "holds"
        return Holders(tuple(sorted({*self.members, member})))

    def key(self, names: Names) -> Hashable:
        return tuple(sorted(names[member] for member in self.members))


@define(kw_only=True)
class Locker:
    """One member."""

    number: int
    count: int
    forgets: bool = False
    hurries: bool = False
    asks: bool = False
    granted: int = 0
    on_disk: int = 0
    grants: frozenset[int] = frozenset()
    is_writing: bool = False
    packets: list[Packet] = field(factory=list)
    events: list[Hashable] = field(factory=list)

    def copy(self) -> Locker:
        return evolve(self, packets=list(self.packets), events=list(self.events))

    def key(self, names: Names) -> Hashable:
        return (
            names[self.number],
            self.asks,
            names.get(self.granted, 0),
            names.get(self.on_disk, 0),
            tuple(sorted(names[one] for one in self.grants)),
            self.is_writing,
        )

    def receive(self, sender: int, message: Hashable) -> bool:
        if message == GRANT:
            self._count(sender)
        elif self.granted in (0, sender):
            self._grant(sender)
        return True

    def time_out(self) -> bool:
        if self.asks or self.granted:
            return False
        self.asks = True
        for other in range(1, self.count + 1):
            if other != self.number:
                self.packets.append(Packet(to=other, sender=self.number, message=ASK))
        self._grant(self.number)
        return True

    def request(self, number: int) -> bool:
        return False

    def read(self, number: int) -> bool:
        return False

    def is_synced(self) -> bool:
        return not self.is_writing

    def sync(self) -> None:
        self.is_writing = False
        if not self.forgets:
            self.on_disk = self.granted
        if not self.hurries:
            self._speak()

    def restart(self) -> None:
        self.is_writing, self.asks, self.grants, self.granted = False, False, frozenset(), self.on_disk

    def take(self) -> Output:
        output = Output(packets=tuple(self.packets), events=tuple(self.events))
        self.packets, self.events = [], []
        return output

    def ignores(self, sender: int, message: Hashable) -> bool:
        return False

    def _grant(self, to: int) -> None:
        self.granted, self.is_writing = to, True
        if self.hurries:
            self._speak()

    def _speak(self) -> None:
        if self.granted == self.number:
            self._count(self.number)
        else:
            self.packets.append(Packet(to=self.granted, sender=self.number, message=GRANT))

    def _count(self, sender: int) -> None:
        if self.asks:
            self.grants |= {sender}
            if len(self.grants) == self.count // 2 + 1:
                self.events.append("holds")


@frozen(kw_only=True)
class Lock:
    """The model: `forgets` never stores a grant, `hurries` sends it before it is stored."""

    forgets: bool = False
    hurries: bool = False

    def begin(self, count: int) -> tuple[Sequence[Locker], Holders]:
        return [
            Locker(number=number, count=count, forgets=self.forgets, hurries=self.hurries)
            for number in range(1, count + 1)
        ], Holders()

    def message_key(self, message: Hashable, names: Names) -> Hashable:
        return message

    def message_text(self, message: Hashable) -> str:
        return str(message)

    def event_text(self, event: Hashable) -> str | None:
        return f"{event} the lock"


@check
def one_holder(seen: Seen) -> None:
    """One member at most ever holds the lock."""
    assert isinstance(seen.history, Holders)
    holders = seen.history.members
    assert len(holders) < 2, f"members {' and '.join(map(str, holders))} hold the lock"


def lock(*, forgets: bool = False, hurries: bool = False) -> Exploration:
    """The toy as an exploration."""
    return Exploration(
        name="lock",
        doc="A lock that a majority grants.",
        model=Lock(forgets=forgets, hurries=hurries),
        checks=(one_holder,),
        bounds=Bounds(members=3, depth=50, time_outs=3),
    )
