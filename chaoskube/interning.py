"""The parts of states, each kept once and called by a number; what inputs lead to; and which states are the same.

A state of the whole cluster is then a few numbers: one for each member's state, one for each message under way, one
for the history. There are far fewer parts than states, so a core's step is computed once for each pair of a
member's state and an input, and looked up afterwards: that is what makes the search fast.

Two states are the same when a renaming of members makes one of the other. Each part knows its number under every
renaming; of all renamings that put the members in the order of their shapes (what is left of a member when names
don't count) the smallest tuple stands for the whole class. Only members of one shape need to be permuted.

Called by `explore.py`. Numbers are given in the order of first sight, so they are the same in every run.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import permutations, product
from typing import Final

from attrs import define, field, frozen

from chaoskube.exploration import History, Member, Model, Names, Output, Packet
from chaoskube.sim import ModelBug

WRITES_MAX: Final = 100
TIME_OUT, REQUEST, READ, CRASH, SYNC = "time-out", "request", "read", "crash", "sync"
DELIVER, DROP = "deliver", "drop"
LOST, SLOW = "lost", "slow"


@frozen(kw_only=True)
class Outcome:
    """What one input at one member's state leads to."""

    local: int
    packets: tuple[int, ...]
    events: tuple[Hashable, ...]
    write: int = 0
    """The write (from 1) of this step that did not come to its end in it; 0 when all did."""
    fate: str = ""
    """What became of that write: LOST with the power, or still under way (SLOW)."""
    error: str | None = None
    """The core refused to go on."""

    def is_nothing_at(self, local: int) -> bool:
        """Has the input changed nothing? A message that does that is as good as one that never arrives."""
        return self.local == local and not self.packets and not self.events and self.error is None


@define
class Numbers:
    """Numbers for values, in the order of first sight."""

    _known: dict[Hashable, int] = field(factory=dict)

    def of(self, value: Hashable) -> int:
        """The number of a value."""
        return self._known.setdefault(value, len(self._known))

    def __len__(self) -> int:
        return len(self._known)


class Parts:
    """All parts that were ever seen in one search."""

    def __init__(self, model: Model, count: int, *, merges: bool = True) -> None:
        self.model = model
        self.renamings = tuple(permutations(range(count))) if merges else (tuple(range(count)),)
        """Each renaming by places: the member at place `p` goes to place `renaming[p]`; the first changes nothing."""
        self._names: list[Names] = [
            {place + 1: to + 1 for place, to in enumerate(renaming)} for renaming in self.renamings
        ]
        self.locals: list[Member] = []
        self.packets: list[Packet] = []
        self.histories: list[History] = []
        self._local_numbers, self._packet_numbers, self._history_numbers = Numbers(), Numbers(), Numbers()
        self._renamed: tuple[Numbers, Numbers, Numbers] = (Numbers(), Numbers(), Numbers())
        self._renamed_locals: list[dict[int, int]] = []
        self._renamed_packets: list[dict[int, int]] = []
        self._renamed_histories: list[dict[int, int]] = []
        self._shapes: list[int] = []
        self._outcomes: dict[tuple[int, str, int], tuple[Outcome, ...]] = {}
        self._ignored: dict[tuple[int, int], bool] = {}
        self._after: dict[tuple[int, int, tuple[Hashable, ...]], int] = {}
        self._orders: dict[tuple[int, ...], tuple[int, ...]] = {}

    # -- numbers

    def local(self, place: int, member: Member) -> int:
        """The number of a state of the member at this place."""
        key = (place, member.key(self._names[0]))
        number = self._local_numbers.of(key)
        if number == len(self.locals):
            self.locals.append(member)
            self._renamed_locals.append({})
            first = [order for order, renaming in enumerate(self.renamings) if renaming[place] == 0]
            self._shapes.append(min([self._renamed_local(number, order) for order in first], default=place))
        return number

    def packet(self, packet: Packet) -> int:
        """The number of a packet."""
        number = self._packet_numbers.of(self._packet_key(packet, self._names[0]))
        if number == len(self.packets):
            self.packets.append(packet)
            self._renamed_packets.append({})
        return number

    def history(self, history: History) -> int:
        """The number of a history."""
        number = self._history_numbers.of(history.key(self._names[0]))
        if number == len(self.histories):
            self.histories.append(history)
            self._renamed_histories.append({})
        return number

    def _packet_key(self, packet: Packet, names: Names) -> Hashable:
        message = self.model.message_key(packet.message, names)
        return (names[packet.to], names[packet.sender], message)

    # -- what inputs lead to

    def outcomes(self, place: int, local: int, kind: str, argument: int) -> tuple[Outcome, ...]:
        """What an input leads to at a member's state: nothing; or all writes are done, one is lost, or one is slow."""
        asked = (local, kind, argument)
        found = self._outcomes.get(asked)
        if found is None:
            found = self._outcomes[asked] = self._compute(place, local, kind, argument)
        return found

    def _compute(self, place: int, local: int, kind: str, argument: int) -> tuple[Outcome, ...]:
        if kind == DROP:
            return (Outcome(local=local, packets=(), events=()),)
        member = self.locals[local].copy()
        was_writing = not member.is_synced()
        writing: list[tuple[int, Member, list[Output]]] = []
        try:
            if not self._put_in(member, kind, argument):
                return ()
            given = [member.take()]
            while not member.is_synced():
                if was_writing and kind != SYNC:
                    break  # the write that was under way still is
                writing.append((len(given), member.copy(), list(given)))
                if len(given) > WRITES_MAX:
                    raise ModelBug(f"an input leads to more than {WRITES_MAX} writes")
                member.sync()
                given.append(member.take())
            usual = self._outcome(place, member, given)
        except ModelBug as problem:
            usual = Outcome(local=local, packets=(), events=(), error=str(problem))
        slow = [self._outcome(place, *one[1:], write=one[0], fate=SLOW) for one in writing]
        lost = [self._crash(place, local, *one) for one in writing if kind != CRASH]
        return tuple([one for one in (usual, *slow, *lost) if one.write or not one.is_nothing_at(local)])

    def _crash(self, place: int, local: int, write: int, member: Member, given: list[Output]) -> Outcome:
        """Power is lost while this write (from 1) is under way."""
        crashed = member.copy()
        try:
            crashed.restart()
            return self._outcome(place, crashed, [*given, crashed.take()], write=write, fate=LOST)
        except ModelBug as problem:
            return Outcome(local=local, packets=(), events=(), write=write, fate=LOST, error=str(problem))

    def _put_in(self, member: Member, kind: str, argument: int) -> bool:
        if kind == DELIVER:
            packet = self.packets[argument]
            return member.receive(packet.sender, packet.message)
        if kind == TIME_OUT:
            return member.time_out()
        if kind == REQUEST:
            return member.request(argument)
        if kind == READ:
            return member.read(argument)
        if kind == SYNC:
            if member.is_synced():
                return False
            member.sync()
            return True
        member.restart()
        return True

    def _outcome(
        self, place: int, member: Member, outputs: Sequence[Output], *, write: int = 0, fate: str = ""
    ) -> Outcome:
        return Outcome(
            local=self.local(place, member),
            packets=tuple([self.packet(one) for output in outputs for one in output.packets]),
            events=tuple([event for output in outputs for event in output.events]),
            write=write,
            fate=fate,
        )

    def is_ignored(self, local: int, packet: int) -> bool:
        """Is this packet dead for its receiver in this state?"""
        asked = (local, packet)
        found = self._ignored.get(asked)
        if found is None:
            one = self.packets[packet]
            found = self._ignored[asked] = self.locals[local].ignores(one.sender, one.message)
        return found

    def after(self, history: int, place: int, events: tuple[Hashable, ...]) -> int:
        """The history after these events of the member at this place."""
        if not events:
            return history
        asked = (history, place, events)
        found = self._after.get(asked)
        if found is None:
            told = self.histories[history]
            for event in events:
                told = told.after(place + 1, event)
            found = self._after[asked] = self.history(told)
        return found

    # -- which states are the same

    def canonical(self, locals_: Sequence[int], bag: Sequence[int], history: int) -> tuple[int, ...]:
        """One tuple for all states that differ by names alone."""
        shapes = tuple([self._shapes[local] for local in locals_])
        orders = self._orders.get(shapes)
        if orders is None:
            orders = self._orders[shapes] = tuple(self._sorting(shapes))
        if len(orders) == 1:
            return self._renamed_state(locals_, bag, history, orders[0])
        return min([self._renamed_state(locals_, bag, history, order) for order in orders])

    def _renamed_state(
        self, locals_: Sequence[int], bag: Sequence[int], history: int, order: int
    ) -> tuple[int, ...]:
        renaming = self.renamings[order]
        moved = [0] * len(locals_)
        known_locals, known_packets = self._renamed_locals, self._renamed_packets
        for place, local in enumerate(locals_):
            renamed = known_locals[local].get(order)
            moved[renaming[place]] = self._renamed_local(local, order) if renamed is None else renamed
        packets = [known_packets[packet].get(order, -1) for packet in bag]
        if -1 in packets:
            packets = [self._renamed_packet(packet, order) for packet in bag]
        told = self._renamed_histories[history].get(order)
        if told is None:
            told = self._renamed_history(history, order)
        return (*moved, told, *sorted(packets))

    def _renamed_local(self, local: int, order: int) -> int:
        key = self.locals[local].key(self._names[order])
        number = self._renamed_locals[local][order] = self._renamed[0].of(key)
        return number

    def _renamed_packet(self, packet: int, order: int) -> int:
        key = self._packet_key(self.packets[packet], self._names[order])
        number = self._renamed_packets[packet][order] = self._renamed[1].of(key)
        return number

    def _renamed_history(self, history: int, order: int) -> int:
        key = self.histories[history].key(self._names[order])
        number = self._renamed_histories[history][order] = self._renamed[2].of(key)
        return number

    def _sorting(self, shapes: tuple[int, ...]) -> Iterator[int]:
        """The renamings that put these shapes in order; several where shapes are equal."""
        if len(self.renamings) == 1:
            yield 0
            return
        groups = [
            [place for place, shape in enumerate(shapes) if shape == wanted] for wanted in sorted(set(shapes))
        ]
        number = {renaming: place for place, renaming in enumerate(self.renamings)}
        for arranged in product(*[permutations(group) for group in groups]):
            order = [place for group in arranged for place in group]
            renaming = [0] * len(order)
            for to, place in enumerate(order):
                renaming[place] = to
            yield number[tuple(renaming)]
