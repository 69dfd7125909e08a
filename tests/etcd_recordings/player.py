"""Plays a recording of etcd's API against a simulated cluster, and gives back what was answered.

A process stands for the JSON gateways of all members: one connection to a member for calls, one for each stream,
opened anew when it broke. What it does and when is in `scenario`; requests and answers are turned by `requests`
and `answers`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from attrs import define, field, frozen

from chaoskube.models.etcd.client import CLIENT_PORT
from chaoskube.models.etcd.messages import Answer, Call, EtcdError, Range, Request
from chaoskube.sim import MICROSECOND, Address, Connection, Process, World, seconds
from tests.golden.recording import Control, EtcdCall, Recording, StreamEnd, StreamOpen
from tests.golden.trees import Tree

from .answers import answer_tree, watch_tree
from .bodies import with_body
from .cluster import Members
from .faults import inflict
from .names import Names
from .requests import request_of, watch_of
from .scenario import Step, steps_of

WARM_UP_SECONDS: Final = 10
GOES_ON_SECONDS: Final = 8
"""After the last record: a call may still wait for its time-out."""


EARLY_SECONDS: Final = 1e-5
"""What is due within it is due now: recorded times are rounded."""
NOT_PLAYED: Final = {"/v3/election/observe": "Observe is not modelled"}
"""Streams that are not opened, with the reason."""


@frozen(kw_only=True)
class Answered:
    """What ours said to one recorded call; status None when the connection failed."""

    t: float
    took: float
    status: int | None
    body: Tree


@define
class Played:
    """What came of a play: answers by the place of their call, messages by the label of their stream."""

    steps: list[Step]
    answers: dict[int, Answered] = field(factory=dict)
    messages: dict[str, list[Tree]] = field(factory=dict)
    names: Names = field(factory=Names)


def play(recording: Recording, *, seed: int = 0) -> Played:
    """Our run of the recording's scenario."""
    with World(seed=seed) as world:
        members = Members(world, recording)
        world.advance(seconds(WARM_UP_SECONDS))
        player = Player(world, members, recording)
        world.advance(seconds(1))
        player.begin()
        world.advance(seconds(recording.end + GOES_ON_SECONDS))
        return player.played


class Player:
    """One play: calls, streams and faults as they come due."""

    def __init__(self, world: World, members: Members, recording: Recording) -> None:
        self.played = Played(steps=steps_of(recording))
        self._world = world
        self._cluster = members
        self._members = members.elected()
        names = self.played.names
        names.learn(recording)
        for name in names.learn_addresses(recording, [member.name for member in self._members]):
            world.process(name, host=name, boot=lambda process: None)
        self._due: list[int] = []
        self._start_ns = 0
        self._late = 0.0
        self._is_waiting = False
        self._doors: dict[int, Door] = {}
        self._streams: dict[str, Connection] = {}
        self._gateway = world.process("gateway", host="workstation", boot=self._boot)
        self._gateway.start()

    def _boot(self, process: Process) -> None:
        for place, member in enumerate(self._members):
            address = Address(self._world.network.ip_of(member.host_name), CLIENT_PORT)
            self._doors[place] = Door(process, address)
            self._doors[place].ask(Range(key="any", serializable=True), partial(self._meet, place))

    def _meet(self, place: int, answer: Answer | str) -> None:
        """Learn the number by which our member goes."""
        assert isinstance(answer, Answer), answer
        self.played.names.bind_member(place, answer.member)

    def begin(self) -> None:
        """The recording's t=0 is now."""
        self._start_ns = self._world.now
        for place, step in enumerate(self.played.steps):
            self._world.call_later(seconds(step.deed.t), self._is_due, place)

    @property
    def _time(self) -> float:
        return (self._world.now - self._start_ns) // MICROSECOND / 1e6

    def _is_due(self, place: int) -> None:
        self._due.append(place)
        self._go_on()

    def _go_on(self) -> None:
        """Do whatever is due and waits for nothing any more; what came late makes all that follows late."""
        for place in list(self._due):
            if self._is_waiting or place not in self._due or not self._waits_for_nothing(place):
                continue
            self._due.remove(place)
            early = self.played.steps[place].deed.t + self._late - self._time
            if early > EARLY_SECONDS:
                self._world.call_later(seconds(early), self._is_due, place)
                continue
            self._late -= min(early, 0)
            self._do(place)

    def _waits_for_nothing(self, place: int) -> bool:
        return all(other in self.played.answers for other in self.played.steps[place].after)

    def _do(self, place: int) -> None:
        deed = self.played.steps[place].deed
        if isinstance(deed, Control):
            self._inflict(deed)
        elif isinstance(deed, StreamOpen):
            self._open(deed)
        elif isinstance(deed, StreamEnd):
            self._close(deed)
        else:
            self._call(place, deed)

    def _inflict(self, control: Control) -> None:
        member = self._members[control.member or 0]
        inflict(control, member, self._cluster.replicas[member.name])
        door = self._doors[control.member or 0]
        if control.op == "continue":
            door.thaw()
        elif control.op == "pause":
            door.freeze()
        elif control.op == "start":
            self._await_health(door)

    def _await_health(self, door: Door) -> None:
        """The recorder went on when the member that it had started answered a linearizable read."""
        self._is_waiting = True

        def on_answer(answer: Answer | str) -> None:
            if isinstance(answer, str) or isinstance(answer.response, EtcdError):
                self._world.call_later(seconds(0.02), door.ask, Range(key="health"), on_answer)
                return
            self._is_waiting = False
            self._go_on()

        door.ask(Range(key="health"), on_answer)

    # -- calls

    def _call(self, place: int, call: EtcdCall) -> None:
        since = self._time

        def on_answer(answer: Answer | str) -> None:
            status, body = (None, {"client": answer}) if isinstance(answer, str) else answer_tree(answer)
            self.played.names.ours.note(call, body)
            self.played.answers[place] = Answered(t=since, took=self._time - since, status=status, body=body)
            self._go_on()

        request = request_of(call.path, self.played.names.to_ours(call.path, with_body(call.request)))
        if request is None:
            on_answer(f"ours has no {call.path}")
        else:
            self._doors[call.member].ask(request, on_answer)

    # -- streams

    def _open(self, stream: StreamOpen) -> None:
        if stream.path in NOT_PLAYED:
            return
        messages = self.played.messages.setdefault(stream.label, [])
        connection = self._gateway.connect(
            self._doors[stream.member].address,
            label=stream.label,
            on_message=lambda message: messages.append(watch_tree(message)),  # type: ignore[arg-type]
            on_close=lambda reason: None,
        )
        connection.send(watch_of(stream.request))
        self._streams[stream.label] = connection

    def _close(self, stream: StreamEnd) -> None:
        if stream.label in self._streams:
            self._streams[stream.label].close()


class Door:
    """Calls to one member, over one connection that is opened anew when it broke.

    The gateway is a part of the member's program: a call to a frozen member sets out when it thaws.
    """

    def __init__(self, process: Process, address: Address) -> None:
        self.address = address
        self._process = process
        self._connection: Connection | None = None
        self._waiting: dict[int, Callable[[Answer | str], None]] = {}
        self._frozen: list[Call] | None = None
        self._count = 0

    def freeze(self) -> None:
        """The member has been stopped for a while."""
        self._frozen = []

    def thaw(self) -> None:
        """It goes on."""
        calls, self._frozen = self._frozen or [], None
        for call in calls:
            self._send(call)

    def ask(self, request: Request, on_answer: Callable[[Answer | str], None]) -> None:
        """Send `request`; `on_answer` gets its answer, or the reason why there will be none."""
        self._count += 1
        self._waiting[self._count] = on_answer
        call = Call(self._count, request)
        if self._frozen is None:
            self._send(call)
        else:
            self._frozen.append(call)

    def _send(self, call: Call) -> None:
        if self._connection is None:
            self._connection = self._process.connect(
                self.address, label="calls", on_message=self._on_message, on_close=self._on_close
            )
        self._connection.send(call)

    def _on_message(self, message: object) -> None:
        assert isinstance(message, Answer), message
        self._waiting.pop(message.id)(message)

    def _on_close(self, reason: str) -> None:
        self._connection = None
        waiting, self._waiting = self._waiting, {}
        for on_answer in waiting.values():
            on_answer(reason)
