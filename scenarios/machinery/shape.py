"""How the control plane of `api-machinery` is made: plain data of the setup, and what each world draws where it says so.

`either` lets each world choose, from a stream of its own, as in `scenarios/etcd/shape.py`. What is drawn is told in the story's
assumptions, and the minimiser replaces a draw by a value.

- members: of etcd, 1 or 3; either: mostly 1, because nothing here is about Raft.
- servers: API servers, 1 or 2; either: mostly 2.
- window: how many events each watch cache keeps; 0 as real ones do (100 and more, which no story here gets past in time);
  either: 3 to 10 in two worlds of three.
- watch_buffer: how many responses of etcd wait for a slow watcher (etcd's 128, or one window of HTTP/2); either: one to four in
  one world of two.
- compact_ms: how often somebody compacts etcd beside what API servers do every five minutes; 0 for never; either: every 300 ms
  in one world of two.
- pace: how long writers think between two writes, in ms; either: 300 or 1000.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from attrs import frozen

from chaoskube.models.apiserver.authorization.authorizer import ALWAYS_ALLOW
from chaoskube.models.apiserver.server_options import ServerOptions
from chaoskube.models.etcd.options import ReplicaOptions
from chaoskube.models.etcd.watch import WatchLimits
from chaoskube.scenario import Setup
from chaoskube.sim import SECOND, UsageError, World

EITHER = "either"
WATCH_BUFFER_USUAL = WatchLimits().buffer
PROGRESS_NS = 5 * SECOND
"""As kubeadm runs etcd for API servers."""
USUAL: dict[str, int] = {
    "members": 1,
    "servers": 2,
    "window": 0,
    "watch_buffer": WATCH_BUFFER_USUAL,
    "compact_ms": 0,
    "pace": 300,
}
BOUNDS: dict[str, tuple[int, int]] = {
    "members": (1, 7),
    "servers": (1, 3),
    "window": (0, 100_000),
    "watch_buffer": (1, WATCH_BUFFER_USUAL),
    "compact_ms": (0, 60_000),
    "pace": (50, 60_000),
}
SIMPLER: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("members", (1, 3)),
    ("servers", (1, 2)),
    ("window", (0, 5)),
    ("watch_buffer", (WATCH_BUFFER_USUAL, 1)),
    ("compact_ms", (0, 300)),
    ("pace", (1000, 300)),
)
"""What the minimiser puts for a draw."""
SETUP: Setup = dict.fromkeys(USUAL, EITHER)


@frozen(kw_only=True)
class MachineryShape:
    """What a setup says, with every draw made."""

    members: int
    servers: int
    window: int
    watch_buffer: int
    compact_ms: int
    pace: int

    @property
    def server_options(self) -> ServerOptions:
        """Everybody may do everything, and pods need no service account: no controller would make one."""
        return ServerOptions(
            authorization=(ALWAYS_ALLOW,),
            admission_on=(),
            admission_off=("ServiceAccount",),
            event_window=self.window,
        )

    @property
    def etcd_options(self) -> ReplicaOptions:
        """The members' flags."""
        limits = WatchLimits(window=min(self.watch_buffer, WatchLimits().window), buffer=self.watch_buffer)
        return ReplicaOptions(progress_notify_ns=PROGRESS_NS, watch_limits=limits)

    def assumptions(self) -> tuple[str, ...]:
        """How it is configured, in words."""
        told = [f"etcd members: {self.members}, API servers: {self.servers}"]
        if self.window:
            told.append(f"watch caches that keep {self.window} events")
        if self.watch_buffer != WATCH_BUFFER_USUAL:
            told.append(f"room for {self.watch_buffer} responses of etcd to a slow watcher")
        if self.compact_ms:
            told.append(f"a compaction of etcd every {self.compact_ms} ms")
        return (", ".join(told),)


def shape_of(setup: Setup, world: World, scenario: str) -> MachineryShape:
    """What the setup says, drawn where it leaves a choice; UsageError where it says nothing sensible."""
    values: dict[str, int] = {}
    for name, value in {**USUAL, **setup}.items():
        if name not in USUAL:
            raise UsageError(f"{scenario} has no {name!r} in its setup; there are {', '.join(USUAL)}")
        values[name] = (
            _drawn(name, world.stream(f"{scenario}/{name}")) if value == EITHER else _number(name, value)
        )
    return MachineryShape(**values)


def simpler(setup: Setup) -> Iterable[Setup]:
    """Each draw replaced by a value."""
    for name, values in SIMPLER:
        if setup.get(name, USUAL[name]) == EITHER:
            yield from ({**setup, name: value} for value in values)


def _drawn(name: str, luck: Random) -> int:
    if name == "window":
        return luck.randint(3, 10) if luck.randrange(3) else 0
    if name == "watch_buffer":
        return WATCH_BUFFER_USUAL if luck.randrange(2) else luck.randint(1, 4)
    choices = {
        "members": (1, 1, 1, 3),
        "servers": (2, 2, 2, 1),
        "compact_ms": (0, 300),
        "pace": (300, 300, 1000),
    }
    return luck.choice(choices[name])


def _number(name: str, value: object) -> int:
    least, most = BOUNDS[name]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UsageError(f"{name}={value!r} must be a whole number from {least} to {most}, or {EITHER}")
    return value
