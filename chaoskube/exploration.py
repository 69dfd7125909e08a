"""What an exhaustive search is told: members made of a pure core, what happens to them, what must hold.

A core joins by a small adapter, `Member`: one member of a cluster as a value that can be copied, with the core,
what its disk holds, and what it has yet to save and to send. A `Model` makes the members at the beginning, names
messages and events, and carries the checks. `History` is what must be remembered of the past, and no member
remembers: who led which term, what was acknowledged.

Everything must be a function of the state alone: no clock, no luck. The search keeps each state of a member and each
message once, and remembers what an input leads to, so an adapter's methods run once for each pair that differs.

A function that returns an `Exploration` is registered with `@exploration("raft")`, one file each beside the
scenarios, and found by `discovery.py`. `explore.py` searches, `chaoskube explore` prints.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Protocol, Self

from attrs import evolve, field, frozen

from chaoskube.sim import Catalogue, UsageError

Names = Mapping[int, int]
"""Another number for each member (from 1 on); a number that is not in it (0 for nobody) stays what it is."""


@frozen(kw_only=True)
class Packet:
    """A message on its way between two members."""

    to: int
    sender: int
    message: Hashable


@frozen(kw_only=True)
class Output:
    """What a member gave away since it was last asked: packets to send, events for the history."""

    packets: tuple[Packet, ...] = ()
    events: tuple[Hashable, ...] = ()


class Member(Protocol):
    """One member. The search copies it before it calls a method that changes it.

    An input answers False when it makes no sense now, with nothing changed. After an input the search asks `take`
    (what may leave before the sync), then either loses power, or calls `sync` and asks `take` again, until the
    member `is_synced`, or leaves the write under way and gives it other inputs before `sync`.
    """

    def copy(self) -> Self:
        """A member in the same state that shares nothing which changes."""

    def key(self, names: Names) -> Hashable:
        """All that can matter to its future, with members renamed: equal keys behave equally."""

    def receive(self, sender: int, message: Hashable) -> bool:
        """A message arrives."""

    def time_out(self) -> bool:
        """Its time-out passes (it campaigns, it asks again)."""

    def request(self, number: int) -> bool:
        """A client asks it to change something; the search numbers requests from 1."""

    def read(self, number: int) -> bool:
        """A client asks it to read."""

    def is_synced(self) -> bool:
        """Is no write under way that a loss of power would lose?"""

    def sync(self) -> None:
        """The write that is under way is safe: what waited for it may leave, and the next write may begin."""

    def restart(self) -> None:
        """It lost power and comes up from what was safe."""

    def take(self) -> Output:
        """What it gave away since the last time."""

    def ignores(self, sender: int, message: Hashable) -> bool:
        """Would this message, whenever it arrives from now on, change nothing? When in doubt: no."""


class History(Protocol):
    """What is remembered of the past; frozen."""

    def after(self, member: int, event: Hashable) -> History:
        """The history with this event of this member in it."""

    def key(self, names: Names) -> Hashable:
        """All of it that checks may ever ask for, with members renamed."""


class Model(Protocol):
    """A cluster of members of one kind."""

    def begin(self, count: int) -> tuple[Sequence[Member], History]:
        """Members 1 to `count`, equal but for their number."""

    def message_key(self, message: Hashable, names: Names) -> Hashable:
        """A message with members renamed."""

    def message_text(self, message: Hashable) -> str:
        """A message in a step of a trace."""

    def event_text(self, event: Hashable) -> str | None:
        """What an event reads like after `member 2`; None: not worth telling."""


@frozen(kw_only=True)
class Seen:
    """What a check looks at: all members (member 1 first) and the history, between two steps."""

    members: tuple[Member, ...]
    history: History


@frozen(kw_only=True)
class Check:
    """A claim about every state: `function` fails (assert) where it does not hold."""

    name: str
    rule: str
    function: Callable[[Seen], None]


def check(function: Callable[[Seen], None]) -> Check:
    """A check from a function: `one_leader_a_term` is called one-leader-a-term, its docstring is the rule."""
    doc = inspect.getdoc(function)
    if not doc:
        raise UsageError(f"check {function.__name__} needs a docstring: the rule, in one sentence")
    return Check(
        name=function.__name__.replace("_", "-"),
        rule=" ".join(doc.split("\n\n")[0].split()),
        function=function,
    )


@frozen(kw_only=True)
class Bounds:
    """How far a search goes. Each budget is for a whole path, all members together."""

    members: int = 3
    depth: int = 12
    """Steps of a path."""
    time_outs: int = 2
    drops: int = 0
    """A message that is never delivered is lost already; a drop only takes it out of sight."""
    duplicates: int = 0
    crashes: int = 0
    slow_writes: int = 0
    """Writes during which other things happen; all others are done at once, or lost with the power."""
    requests: int = 0
    reads: int = 0
    states: int = 1_000_000
    """States to keep, about 0.7 KB of memory each."""
    seconds: float | None = None

    def __attrs_post_init__(self) -> None:
        for name in (
            "depth",
            "time_outs",
            "drops",
            "duplicates",
            "crashes",
            "slow_writes",
            "requests",
            "reads",
        ):
            value = getattr(self, name)
            if value < 0:
                raise UsageError(f"{name}={value} must be 0 or more")
        if not 1 <= self.members <= 7:
            raise UsageError(f"members={self.members} must be from 1 to 7")
        if self.states < 1:
            raise UsageError(f"states={self.states} must be 1 or more")

    def but(self, **changes: int) -> Bounds:
        """These bounds with some of them changed."""
        return evolve(self, **changes)


@frozen(kw_only=True)
class Exploration:
    """A model to search, with its checks and the bounds that are usual for it."""

    name: str
    doc: str
    model: Model
    checks: tuple[Check, ...]
    bounds: Bounds = field(factory=Bounds)


ExplorationMaker = Callable[[], Exploration]

explorations: Catalogue[ExplorationMaker] = Catalogue("exploration")


def exploration(name: str) -> Callable[[ExplorationMaker], ExplorationMaker]:
    """Register a function that returns an Exploration."""
    return lambda make: explorations.register(name, make)
