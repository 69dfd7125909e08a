"""Actions: what is done to a world from outside, operations of users and faults alike.

An action is one frozen class in one file: its verb, its arguments (see `arguments.py`), what it does
and how it is undone. The decorator registers it by its verb, so that a trace's line
`at 12.5s crash process=etcd-1 down=5s` finds its way back to the class.

A step is an action and its time, or, with an aim (`aim.py`), the time from which its moment is waited for:
`before 2nd write of controller-manager-0 crash process=controller-manager-0`.

`Stage` is what an action gets to act on: the world, the scenario's subject, and a place to say how it
is healed and when it ends. The runner (`run.py`) makes one stage for each action that it does, records
when the action starts and ends, and undoes it when its time is up or when everything is healed.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING, ClassVar, TypeVar

import attrs

from chaoskube.aim import EXAMPLE, Aim, parse_aim
from chaoskube.arguments import Argument, CannotApply, Group, Names, Target, declared
from chaoskube.sim import Catalogue, Timer, UsageError, World, seconds, show

if TYPE_CHECKING:
    from chaoskube.scenario import Subject

OPERATION = "operation"
FAULT = "fault"
ACTION_TEXT_MAX = 10_000


@attrs.define(eq=False)
class Stage:
    """Where one action is done: the world, its subject, and how the action ends."""

    world: World
    subject: Subject
    on_end: Callable[[], None] = attrs.field(repr=False)
    heal_all: Callable[[], None] = attrs.field(repr=False)
    """Take back every fault that is under way."""
    is_open: bool = attrs.field(default=False, init=False)
    _undo: list[Callable[[], None]] = attrs.field(factory=list, init=False, repr=False)

    def call_later(self, delay_ns: int, fn: Callable[..., None], *args: object) -> Timer:
        """A timer of the harness: it belongs to no process and outlives crashes."""
        return self.world.call_later(delay_ns, fn, *args)

    def defer(self, fn: Callable[[], None]) -> None:
        """Call this when the action is undone; the last deferred comes first."""
        self._undo.append(fn)

    def unwind(self) -> None:
        """Call what was deferred."""
        while self._undo:
            self._undo.pop()()

    def keep_open(self) -> None:
        """The action is not over when `do` returns; `end()` will be called."""
        self.is_open = True

    def end(self) -> None:
        """The action is over (only after `keep_open`); a second call does nothing."""
        if self.is_open:
            self.is_open = False
            self.on_end()


@attrs.frozen(kw_only=True)
class Action:
    """Something done to the world from outside; one subclass a verb, frozen and keyword-only."""

    verb: ClassVar[str] = ""
    kind: ClassVar[str] = OPERATION
    weight: ClassVar[int] = 1
    aimed: ClassVar[str] = ""
    """The kind of moment at which this makes most sense; the hunt aims it there."""
    aimed_share: ClassVar[float] = 0.9
    """How often, at least."""

    def ready(self, stage: Stage) -> None:
        """Raise CannotApply, with nothing touched, when the action makes no sense here and now."""

    def do(self, stage: Stage) -> None:
        """Do it; the journal has its start already."""
        raise NotImplementedError

    def undo(self, stage: Stage) -> None:
        """Take it back (heal); by default what `stage.defer` was told."""
        stage.unwind()

    def lasts(self) -> int | None:
        """After how many ns it is undone; None: it ends by itself, or stays until everything is healed."""
        return None

    def text(self) -> str:
        """The action as it stands in a trace: `crash process=etcd-1 down=5s`."""
        words = [self.verb]
        for name, argument in arguments_of(type(self)).items():
            value = getattr(self, name)
            if argument.shown_always or value != attrs.fields_dict(type(self))[name].default:
                words.append(f"{name}={shlex.quote(argument.text(value))}")
        return " ".join(words)

    def check(self, names: Names) -> None:
        """CannotApply when an argument names nothing that exists."""
        for name, argument in arguments_of(type(self)).items():
            problem = argument.check(getattr(self, name), names)
            if problem:
                raise CannotApply(problem)


@attrs.frozen(kw_only=True)
class Step:
    """An action and when it is done, in ns since the story began; with an aim, at its moment from then on."""

    at: int
    action: Action
    aim: Aim | None = None

    def text(self) -> str:
        """`at 12.5s crash process=etcd-1 down=5s`."""
        return f"{self.when()} {self.action.text()}"

    def when(self) -> str:
        """`at 12.5s`, `before 2nd write of etcd-1`, `from 12.5s before 2nd write of etcd-1`."""
        if self.aim is None:
            return f"at {show(self.at)}"
        return f"from {show(self.at)} {self.aim.text()}" if self.at else self.aim.text()


ActionType = TypeVar("ActionType", bound=type[Action])

actions: Catalogue[type[Action]] = Catalogue("action")


def operation(verb: str, *, weight: int = 1) -> Callable[[ActionType], ActionType]:
    """Register a class as what a user or client does under this verb."""
    return lambda cls: _register(cls, verb, OPERATION, weight)


def fault(verb: str, *, weight: int = 1, aimed: str = "") -> Callable[[ActionType], ActionType]:
    """Register a class as what goes wrong under this verb."""
    return lambda cls: _register(cls, verb, FAULT, weight, aimed)


def arguments_of(cls: type[Action]) -> dict[str, Argument[object]]:
    """The declared arguments of an action's class, by name, in order."""
    found = _declared.get(cls)
    if found is None:
        found = _declared[cls] = declared(cls)
    return found


def targets_of(action: Action) -> Iterator[tuple[str, tuple[str, ...]]]:
    """To whom something is done: the kind and the names of each argument that names targets, in order."""
    for name, argument in arguments_of(type(action)).items():
        value = getattr(action, name)
        if isinstance(argument, Target):
            yield argument.kind, (value,)
        elif isinstance(argument, Group) and value:
            yield argument.kind, value


def draw_action(cls: type[Action], rng: Random, names: Names) -> Action:
    """An action of this class with arguments from the stream; CannotApply when a name is missing."""
    drawn = {name: argument.draw(rng, names) for name, argument in arguments_of(cls).items()}
    return cls(**drawn)


def parse_step(text: str) -> Step:
    """A step from a trace's line; UsageError says what is wrong with it."""
    first, _, rest = text.strip().partition(" ")
    if len(text) > ACTION_TEXT_MAX or first not in ("at", "from", "before", "after"):
        raise _no_step(text)
    if first in ("before", "after"):
        aim, action = parse_aim(text.strip())
        return Step(at=0, action=parse_action(action), aim=aim)
    time, _, rest = rest.strip().partition(" ")
    if not rest:
        raise _no_step(text)
    if first == "from":
        aim, action = parse_aim(rest.strip())
        return Step(at=seconds(time), action=parse_action(action), aim=aim)
    return Step(at=seconds(time), action=parse_action(rest))


def _no_step(text: str) -> UsageError:
    return UsageError(
        f"{text[:80]!r} is not an action; write it like: at 12.5s crash process=etcd-1 down=5s, or aimed: {EXAMPLE}"
    )


def parse_action(text: str) -> Action:
    """An action from its text; UsageError says what is wrong with it."""
    try:
        verb, *words = shlex.split(text)
    except ValueError as problem:
        raise UsageError(f"{text!r} cannot be read: {problem}") from problem
    cls = actions.get(verb)
    arguments = arguments_of(cls)
    given: dict[str, object] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in arguments:
            raise UsageError(
                f"{verb} takes {', '.join(arguments) or 'no arguments'}; {word!r} is none of them"
            )
        if name in given:
            raise UsageError(f"{verb} is given {name} twice")
        try:
            given[name] = arguments[name].parse(value)
        except UsageError as problem:
            raise UsageError(f"{verb} {name}: {problem}") from problem
    _want_all(cls, verb, given)
    return cls(**given)


_declared: dict[type[Action], dict[str, Argument[object]]] = {}


def _want_all(cls: type[Action], verb: str, given: dict[str, object]) -> None:
    for name, field in attrs.fields_dict(cls).items():
        if name not in given and field.default is attrs.NOTHING:
            raise UsageError(f"{verb} needs {name}=...")


def _register(cls: ActionType, verb: str, kind: str, weight: int, aimed: str = "") -> ActionType:
    if not issubclass(cls, Action):
        raise UsageError(f"{cls.__name__} must have Action as its base: class {cls.__name__}(Action)")
    cls.verb, cls.kind, cls.weight, cls.aimed = verb, kind, weight, aimed
    arguments_of(cls)
    actions.register(verb, cls)
    return cls
