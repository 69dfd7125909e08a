"""Connections: ordered streams of whole messages that break as TCP does.

- A partition swallows packets; TCP sends them again, less and less often, and everything arrives in order
  once it heals, unless somebody gave up first. Nobody is told of a partition: a keepalive or a time-out
  finds out.
- A process that dies resets its connections; a host without power says nothing, and answers with a reset
  when it is back and is asked about a connection that it no longer knows.
- A paused process's kernel goes on accepting and acknowledging; the process itself answers nothing.

Called by `Network`. Not modelled: windows, segments, half-closed connections.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from .calm import RETRANSMIT_FIRST, RETRANSMIT_MAX, RETRANSMITS, SYN_RETRY
from .clock import Timer
from .journal import canonical

if TYPE_CHECKING:
    from .network import Address, Link, Network
    from .process import Process
    from .stream_rules import StreamRule


class _State(enum.Enum):
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSED = "closed"


@frozen
class _Fin:
    """The peer has closed."""


@frozen
class _Ping:
    """HTTP/2 PING: the peer's process answers it, so a frozen process doesn't."""


@frozen
class _Pong:
    """The answer to a ping."""


_FIN, _PING, _PONG = _Fin(), _Ping(), _Pong()


class Connection:
    """One end of a connection. The owner sets `on_message` and `on_close` and calls `send`.

    `on_close` hears once why the connection ended: closed, reset, refused or timeout; not when the owner
    closed it itself.
    """

    __slots__ = (
        "_deadline",
        "_delivered",
        "_early",
        "_give_up",
        "_held",
        "_last_arrival",
        "_peer",
        "_ping_timer",
        "_repeated_until",
        "_resend_timer",
        "_resends",
        "_returned",
        "_sent",
        "_stalled",
        "_state",
        "_way",
        "label",
        "life",
        "local",
        "network",
        "on_close",
        "on_message",
        "on_open",
        "peer_name",
        "process",
        "remote",
    )

    def __init__(
        self, network: Network, process: Process, local: Address, remote: Address, label: str
    ) -> None:
        self.network = network
        self.process = process
        self.life = process.life
        self.local = local
        self.remote = remote
        self.label = label
        self.peer_name = ""
        self.on_open: Callable[[], None] | None = None
        self.on_message: Callable[[object], None] | None = None
        self.on_close: Callable[[str], None] | None = None
        self._state = _State.CONNECTING
        self._peer: Connection | None = None
        self._way: Link | None = None
        self._early: list[object] = []
        self._stalled: list[object] = []
        self._returned = 0
        """How many of them had left already: they come before all others."""
        self._repeated_until = -1
        """Nothing else arrives before these are there again."""
        self._held: list[object] = []
        self._last_arrival = 0
        self._deadline = 0
        self._delivered = 0
        self._sent = 0
        self._resends = 0
        self._resend_timer: Timer | None = None
        self._give_up: Timer | None = None
        self._ping_timer: Timer | None = None

    @property
    def is_open(self) -> bool:
        """Messages can be sent and received."""
        return self._state is _State.OPEN

    @property
    def is_closed(self) -> bool:
        """It is over, for whatever reason."""
        return self._state is _State.CLOSED

    @property
    def backlog(self) -> int:
        """Messages that the peer's process has not taken yet: under way, lost, held back, or waiting while it is paused."""
        taken = self._peer._delivered if self._peer is not None else 0
        return len(self._early) + self._sent + len(self._stalled) + len(self._held) - taken

    @property
    def delivered(self) -> int:
        """How many messages this end's process has taken."""
        return self._delivered

    # -- opening

    def begin(self, timeout_ns: int) -> None:
        """Send the first SYN. Called by `Network.connect`."""
        self.network.opened(self)
        self._deadline = self.network.world.clock.now + timeout_ns
        self._send_syn(SYN_RETRY)

    def _send_syn(self, retry_ns: int) -> None:
        if self._state is not _State.CONNECTING:
            return
        network, clock = self.network, self.network.world.clock
        source = self.process.host_name
        target = network.host_of_ip(self.remote.ip)
        if target is not None and network.world.hosts[target].is_up:
            link = network.link(source, target)
            if not link.blocked:
                arrival = clock.now + link.latency_ns + link.extra_ns
                clock.at(arrival, self._syn_arrives, source, target, clock.now, retry_ns)
                return
        self._syn_lost(clock.now, retry_ns)

    def _syn_lost(self, sent_at: int, retry_ns: int) -> None:
        """Timers only where a packet was really lost: a calm connection needs none."""
        clock = self.network.world.clock
        if self._give_up is None:
            self._give_up = clock.timer(self._deadline, self._end, ("timeout",))
        self._resend_timer = clock.timer(sent_at + retry_ns, self._send_syn, (retry_ns * 2,))

    def _syn_arrives(self, source: str, target: str, sent_at: int, retry_ns: int) -> None:
        network = self.network
        if self._state is not _State.CONNECTING or self._peer is not None:
            return
        back = network.link(target, source)
        is_there = network.world.hosts[target].is_up and network.host_of_ip(self.remote.ip) == target
        if not is_there or back.blocked or network.link(source, target).blocked:
            self._syn_lost(sent_at, retry_ns)
            return
        clock = network.world.clock
        arrival = clock.now + back.latency_ns + back.extra_ns
        listener = network.listener_at(self.remote)
        if listener is None or (self.process.name, listener.process.name) in network.refusals:
            clock.at(arrival, self._end, "refused")
            return
        peer = Connection(network, listener.process, self.remote, self.local, self.label)
        peer._state = _State.OPEN
        peer._peer, self._peer = self, peer
        peer.peer_name, self.peer_name = self.process.name, listener.process.name
        peer._way, self._way = back, network.link(source, listener.process.host_name)
        network.opened(peer)
        network.world.journal.trace(f"{clock.now} {self.process.name} connects to {self.remote} {self.label}")
        listener.process.handle(peer.life, listener.on_connect, (peer,))
        clock.at(arrival, self._accepted)

    def _accepted(self) -> None:
        if self._state is not _State.CONNECTING:
            return
        self._state = _State.OPEN
        if self._give_up is not None:
            self._give_up.cancel()
        if self._resend_timer is not None:
            self._resend_timer.cancel()
        if self.on_open is not None:
            self.process.handle(self.life, self.on_open, ())
        early, self._early = self._early, []
        for message in early:
            self._transmit(message)

    # -- talking

    def send(self, message: object) -> None:
        """Send a whole message. On a connection that is over it goes nowhere, as a write after a reset."""
        process = self.process
        if not process.is_running:  # dead: nothing leaves; frozen in the middle of a handler: when it thaws
            process.handle(self.life, self.send, (message,))
        elif self._state is _State.OPEN:
            self._transmit(message)
        elif self._state is _State.CONNECTING:
            self._early.append(message)

    def close(self) -> None:
        """Send what is under way, then FIN. The owner hears nothing more from this end."""
        if self._state is _State.OPEN:
            self._transmit(_FIN)
        self._finish()

    def reset(self) -> None:
        """Close at once; the peer sees a reset (a process that dies with data unread)."""
        self.abandon(silent=False)

    def keepalive(self, interval_ns: int, timeout_ns: int) -> None:
        """Ping after `interval_ns` of silence from the peer; without an answer in `timeout_ns`: "timeout"."""
        self._ping_timer = self.process.call_later(
            interval_ns, self._ping, interval_ns, timeout_ns, self._delivered
        )

    def _ping(self, interval_ns: int, timeout_ns: int, heard: int) -> None:
        if self._state is _State.CLOSED:
            return
        if self._state is _State.OPEN and heard == self._delivered:
            self._transmit(_PING)
            self._ping_timer = self.process.call_later(
                timeout_ns, self._check, interval_ns, timeout_ns, heard
            )
        else:
            self.keepalive(interval_ns, timeout_ns)

    def _check(self, interval_ns: int, timeout_ns: int, heard: int) -> None:
        if heard == self._delivered:
            self._end("timeout")
        else:
            self.keepalive(interval_ns, timeout_ns)

    def _transmit(self, message: object) -> None:
        network = self.network
        world = network.world
        world.journal.trace(
            f"{world.clock.now} {self.process.name}>{self.peer_name} {self.label} {canonical(message)}"
        )
        rules = network.stream_rules and network.rules_about(self.label, self.process.name, self.peer_name)
        if rules and self._is_held_back(rules, message):
            self._held.append(message)
            return
        self._put_on_its_way(message, sum([rule.delay_ns() for rule in rules]) if rules else 0)

    def _put_on_its_way(self, message: object, late_ns: int = 0) -> None:
        clock = self.network.world.clock
        peer, link = self._peer, self._way
        assert peer is not None and link is not None
        self._sent += 1
        if self._stalled or link.blocked or not peer.process.machine.is_up:
            self._stall(message, len(self._stalled))
            return
        arrival = max(clock.now + link.latency_ns + link.extra_ns + late_ns, self._last_arrival)
        self._last_arrival = arrival
        clock.at(arrival, peer._arrive, message)

    def _arrive(self, message: object) -> None:
        sender = self._peer
        assert sender is not None
        clock = self.network.world.clock
        if clock.now <= sender._repeated_until:  # it was sent after what comes again
            clock.at(sender._repeated_until, self._arrive_in_turn, message)
        else:
            self._arrive_in_turn(message)

    def _arrive_in_turn(self, message: object) -> None:
        sender = self._peer
        assert sender is not None
        link = sender._way
        assert link is not None
        if sender._stalled or link.blocked or not self.process.machine.is_up:
            sender._stall(message, sender._returned)  # it was sent before all that never left
            sender._returned += 1
        elif self._state is _State.CLOSED:
            if message is not _FIN:
                self._answer_reset(sender)
        else:
            self.process.handle(self.life, self._take, (message,))

    def _take(self, message: object) -> None:
        self._delivered += 1
        if self._state is _State.CLOSED:
            return
        if message is _FIN:
            self._end("closed")
        elif message is _PING:
            if self._state is _State.OPEN:
                self._transmit(_PONG)
        elif message is not _PONG and self.on_message is not None:
            if self.network.stream_rules:
                self._take_by_rules(message)
            else:
                self.on_message(message)

    def _take_by_rules(self, message: object) -> None:
        rules = self.network.rules_about(self.label, self.peer_name, self.process.name)
        for rule in rules:
            rule.arriving(self, message)
        self.process.handle(
            self.life, self._hand_over, (message,)
        )  # it may have been paused or killed just now
        for rule in rules:
            rule.taken(self, message)

    def _hand_over(self, message: object) -> None:
        if self._state is not _State.CLOSED and self.on_message is not None:
            self.on_message(message)

    # -- rules

    def _is_held_back(self, rules: list[StreamRule], message: object) -> bool:
        if message is _PING or message is _PONG:
            return False
        opinions = [rule.holds_back(self, message) for rule in rules]
        return any(opinions) or bool(self._held)

    def release(self) -> None:
        """Send what was held back."""
        held, self._held = self._held, []
        for message in held:
            self._transmit(message)

    def cut(self) -> None:
        """Something between the two resets both ends (a middlebox, a load balancer).

        Nothing passes from now on; the two hear of it in a moment, and never in the middle of what they do.
        """
        for end in (self, self._peer):
            if end is not None and end._state is not _State.CLOSED:
                end._finish()
                end._stalled.clear()
                end._held.clear()
                if end.on_close is not None:
                    clock = end.network.world.clock
                    clock.at(clock.now, end.process.handle, end.life, end.on_close, ("reset",))

    # -- trouble

    def _stall(self, message: object, place: int) -> None:
        self._sent -= 1
        self._stalled.insert(place, message)
        if self._resend_timer is None or not self._resend_timer.active:
            self._resends = 0
            self._resend_later()

    def _resend_later(self) -> None:
        delay = min(RETRANSMIT_FIRST << self._resends, RETRANSMIT_MAX)
        clock = self.network.world.clock
        self._resend_timer = clock.timer(clock.now + delay, self._resend, ())

    def _resend(self) -> None:
        peer = self._peer
        assert peer is not None
        if not self._stalled or not self.process.machine.is_up:
            return
        link = self.network.link(self.process.host_name, peer.process.host_name)
        if not link.blocked and peer.process.machine.is_up:
            self._repeat(peer, link)
            return
        self._resends += 1
        if self._resends >= RETRANSMITS:
            self._stalled.clear()
            self._end("timeout")
        else:
            self._resend_later()

    def _repeat(self, peer: Connection, link: Link) -> None:
        """What had left comes before what is under way, and what had not after it. Rules were asked when it was sent."""
        clock = self.network.world.clock
        stalled, returned = self._stalled, self._returned
        self._stalled, self._returned = [], 0
        self._repeated_until = clock.now + link.latency_ns + link.extra_ns
        self._last_arrival = max(self._last_arrival, self._repeated_until)
        for message in stalled[:returned]:
            self._sent += 1
            clock.at(self._repeated_until, peer._arrive_in_turn, message)
        for message in stalled[returned:]:
            self._put_on_its_way(message)

    def _answer_reset(self, sender: Connection) -> None:
        network = self.network
        link = network.link(self.process.host_name, sender.process.host_name)
        if not link.blocked:
            clock = network.world.clock
            clock.at(clock.now + link.latency_ns + link.extra_ns, sender._end, "reset")

    def abandon(self, *, silent: bool) -> None:
        """The owner is gone or wants no more: reset the peer, or tell nobody."""
        peer = self._peer
        was_open = self._state is _State.OPEN
        self._finish()
        self._stalled.clear()
        self._held.clear()
        if was_open and not silent and peer is not None:
            self._answer_reset(peer)

    def _end(self, reason: str) -> None:
        if self._state is _State.CLOSED:
            return
        self._finish()
        self._stalled.clear()
        self._held.clear()
        if self.on_close is not None:
            self.process.handle(self.life, self.on_close, (reason,))

    def _finish(self) -> None:
        self._state = _State.CLOSED
        self._early.clear()
        if self._give_up is not None:
            self._give_up.cancel()
        if self._ping_timer is not None:
            self._ping_timer.cancel()
        if self._resend_timer is not None and not self._stalled:
            self._resend_timer.cancel()
        self.network.closed(self)

    def __repr__(self) -> str:
        return (
            f"<connection {self.process.name} {self.local} to {self.remote} {self.label} {self._state.value}>"
        )
