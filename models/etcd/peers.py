"""How a member's connections to the others are: since when each has been heard of, and who answers now.

A connection counts as active since its first message after a silence of 5 s, the time after which etcd closes a stream
(server/etcdserver/api/rafthttp/peer_status.go activeSince, transport.go ConnReadTimeout). Two followers have nothing to
say to each other, so they say that the connection is there three times as often (stream.go linkHeartbeatMessage).
Before a change of members everybody is asked, because a silence shows late.

Made by `replica.py`. Not modelled: streams, pipelines and their probing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from attrs import frozen

from chaoskube.sim import MILLISECOND, SECOND, Process

SILENCE_NS_MAX: Final = 5 * SECOND
ANSWER_NS_MAX: Final = 500 * MILLISECOND
LINK_TICKS: Final = 16
"""How often, in ticks of 100 ms: a third of the silence."""


@frozen
class LinkHeartbeat:
    """The connection between us is there."""


@frozen
class Probe:
    """Are you there?"""

    number: int


@frozen
class Probed:
    """Yes."""

    number: int


@frozen(kw_only=True, eq=False)
class _Asking:
    waits_for: dict[str, None]
    heard: list[str]
    go_on: Callable[[frozenset[str]], object]


class Peers:
    """The other members, by name, as one life of a member hears of them."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._heard: dict[str, int] = {}
        self._since: dict[str, int] = {}
        self._asking: dict[int, _Asking] = {}
        self._number = 0

    def heard(self, name: str) -> None:
        """A message came from a member."""
        now = self._process.now
        last = self._heard.get(name)
        if last is None or now - last > SILENCE_NS_MAX:
            self._since[name] = now
        self._heard[name] = now

    def keep_links(self, names: Iterable[str]) -> None:
        """Tell those whom we tell nothing else that the connection is there."""
        for name in names:
            self._process.send(name, LinkHeartbeat())

    def on_link(self, sender: str, _message: object) -> None:
        """Somebody is there."""
        self.heard(sender)

    def active_since(self, name: str) -> int | None:
        """Since when it has been heard of without a gap; None when it is silent."""
        last = self._heard.get(name)
        if last is None or self._process.now - last > SILENCE_NS_MAX:
            return None
        return self._since[name]

    def is_active_since(self, name: str, since: int) -> bool:
        """Has it been heard of without a gap since before then?"""
        active = self.active_since(name)
        return active is not None and active < since

    def longest_active(self, names: Iterable[str]) -> str | None:
        """The one that has been heard of for the longest time (server/etcdserver/util.go longestConnected)."""
        active = [(self.active_since(name), name) for name in names]
        known = [(since, name) for since, name in active if since is not None]
        return min(known, key=lambda one: one[0])[1] if known else None

    # -- asking

    def ask(self, names: Iterable[str], go_on: Callable[[frozenset[str]], object]) -> None:
        """Call `go_on` with those who answer, when all have or when it is too late."""
        waits_for = dict.fromkeys(names)
        if not waits_for:
            go_on(frozenset())
            return
        self._number += 1
        self._asking[self._number] = _Asking(waits_for=waits_for, heard=[], go_on=go_on)
        for name in waits_for:
            if name in self._process.world.processes:
                self._process.send(name, Probe(self._number))
        self._process.call_later(ANSWER_NS_MAX, self._end, self._number)

    def on_probe(self, sender: str, message: object) -> None:
        """Somebody asks us."""
        assert isinstance(message, Probe)
        self._process.send(sender, Probed(message.number))

    def on_probed(self, sender: str, message: object) -> None:
        """Somebody answers."""
        assert isinstance(message, Probed)
        asking = self._asking.get(message.number)
        if asking is None or sender not in asking.waits_for:
            return
        del asking.waits_for[sender]
        asking.heard.append(sender)
        if not asking.waits_for:
            self._end(message.number)

    def _end(self, number: int) -> None:
        asking = self._asking.pop(number, None)
        if asking is not None:
            asking.go_on(frozenset(asking.heard))
