"""Scenarios: a world's content, what may be done to it, and what must hold in it.

A scenario is a value. What differs from run to run lives in its `setup`, plain data as YAML has it (a
cluster's shape, documents): it is embedded in every trace, and the minimiser makes it smaller through
`simpler`. `build` makes the subject from it in a fresh world.

The harness knows a subject only through the protocol below; for Kubernetes it is `models/cluster.py`.
A function that returns a scenario is registered with `@scenario("name")`, one file each, and found by
`discovery.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from attrs import field, frozen

from chaoskube.action import Action
from chaoskube.invariant import Invariant
from chaoskube.sim import SECOND, Catalogue, Entry, Line, World

Setup = Mapping[str, object]
"""Plain YAML data: mappings with text keys, lists, text, whole numbers, true/false/null."""


class Subject(Protocol):
    """What a scenario built in a world."""

    @property
    def observer(self) -> object:
        """What invariants read."""

    def targets(self, kind: str) -> Sequence[str]:
        """The names that an action's argument of this kind may take now, simplest first; () for none.

        The hunt also asks for `leading-` and a kind: those of them that matter most just now.
        """

    def warm(self) -> str | None:
        """None when the workload is up and the story may begin, else the reason why not yet."""

    def unsettled(self) -> str | None:
        """None when nothing more changes, else the reason."""

    def tell(self, entry: Entry) -> Line | None:
        """How this entry reads in a story; None: not worth telling."""

    def assumptions(self) -> Sequence[str]:
        """What the story takes for granted, one line each."""


@frozen(kw_only=True)
class Remedy:
    """One change of the setup that might make a violation go: `readinessProbe added to web`."""

    text: str
    setup: Setup


VIOLATED = "violated"
DIED = "died"
UNSETTLED = "unsettled"


@frozen(kw_only=True)
class Failure:
    """How a run failed. Two failures are the same when they have one `name`.

    violated: `name` is the invariant's. died: the world could not go on (`component-error`, `livelock`,
    `stuck`, `blocked`, `model-bug`). unsettled: something still changed when the bound was reached.
    `at` is virtual ns since the story began (negative: while the workload came up).
    """

    kind: str
    name: str
    message: str
    at: int
    by: str = ""


def _no_setups(setup: Setup) -> Iterable[Setup]:
    return ()


def _no_notes(setup: Setup) -> Iterable[str]:
    return ()


def _no_remedies(setup: Setup, failure: Failure) -> Iterable[Remedy]:
    return ()


@frozen(kw_only=True)
class Scenario:
    """A subject, the actions allowed on it, the invariants checked, and the bounds of a run."""

    name: str
    doc: str
    build: Callable[[World, Setup], Subject]
    menu: tuple[type[Action], ...]
    invariants: tuple[Invariant, ...]
    setup: Setup = field(factory=dict)
    duration_ns: int = 60 * SECOND
    warm_ns: int = 300 * SECOND
    settle_ns: int = 300 * SECOND
    actions_max: int = 8
    simpler: Callable[[Setup], Iterable[Setup]] = _no_setups
    remedies: Callable[[Setup, Failure], Iterable[Remedy]] = _no_remedies
    notes: Callable[[Setup], Iterable[str]] = _no_notes
    """What a user should know before the hunt: kinds that nothing acts on, say."""


ScenarioMaker = Callable[[], Scenario]


scenarios: Catalogue[ScenarioMaker] = Catalogue("scenario")
hidden_scenarios: dict[str, ScenarioMaker] = {}
"""Scenarios made from input: only a trace finds them by name."""


def scenario(name: str, *, hidden: bool = False) -> Callable[[ScenarioMaker], ScenarioMaker]:
    """Register a function that returns a Scenario; a hidden one needs input and is not listed."""

    def register(make: ScenarioMaker) -> ScenarioMaker:
        if hidden:
            hidden_scenarios[name] = make
            return make
        return scenarios.register(name, make)

    return register
