"""lose, duplicate, reorder: what happens to datagrams between some machines and the rest for a while.

Connections are not touched: TCP repairs losses and order, and pays with latency (`slow-link`).
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.action import Action, Stage, fault
from chaoskube.arguments import CannotApply, duration, group, integer


def _sides(hosts: tuple[str, ...], stage: Stage) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return hosts, tuple(host for host in stage.subject.targets("host") if host not in hosts)


def _two_sided(hosts: tuple[str, ...], stage: Stage) -> None:
    if not _sides(hosts, stage)[1]:
        raise CannotApply("there must be hosts on the other side")


@fault("lose")
@frozen(kw_only=True)
class Lose(Action):
    """Lose datagrams with a chance of `permille` in a thousand."""

    hosts: tuple[str, ...] = group("host")
    permille: int = integer(50, 1000, simplest=1000)
    lasting: int = duration("0.5s", "10s", "60s")

    def ready(self, stage: Stage) -> None:
        _two_sided(self.hosts, stage)

    def do(self, stage: Stage) -> None:
        stage.defer(stage.world.network.lose(*_sides(self.hosts, stage), self.permille).heal)

    def lasts(self) -> int:
        return self.lasting


@fault("duplicate")
@frozen(kw_only=True)
class Duplicate(Action):
    """Deliver datagrams twice with a chance of `permille` in a thousand."""

    hosts: tuple[str, ...] = group("host")
    permille: int = integer(50, 1000, simplest=1000)
    lasting: int = duration("0.5s", "10s", "60s")

    def ready(self, stage: Stage) -> None:
        _two_sided(self.hosts, stage)

    def do(self, stage: Stage) -> None:
        stage.defer(stage.world.network.duplicate(*_sides(self.hosts, stage), self.permille).heal)

    def lasts(self) -> int:
        return self.lasting


@fault("reorder")
@frozen(kw_only=True)
class Reorder(Action):
    """Let datagrams take up to `window` longer, each by its own luck."""

    hosts: tuple[str, ...] = group("host")
    window: int = duration("1ms", "20ms", "2s")
    lasting: int = duration("0.5s", "10s", "60s")

    def ready(self, stage: Stage) -> None:
        _two_sided(self.hosts, stage)

    def do(self, stage: Stage) -> None:
        stage.defer(stage.world.network.reorder(*_sides(self.hosts, stage), self.window).heal)

    def lasts(self) -> int:
        return self.lasting
