"""The seeded generator: what one run of a hunt does, drawn from one seed, with swarm.

Swarm means that each run draws its own shape first: which verbs of the menu exist at all, how often, how
many actions, how close together, how long their spans, and whether they keep to a few targets. A run
that may do a little finds what a run that may do everything drowns. Now and then a run has no faults at
all, because some promises hold only in calm. Two more things are drawn for each run: how often it aims at whatever
the subject says matters most just now (`targets("leading-process")`), and whether one action comes as a volley, the same
verb again at the same instant, as when a rack loses its power; and whether it relapses: faults come one at a time then, and
soon after one has ended the next hits the same target, while that is still catching up. And how many of its faults are aimed
at a moment (`aim.py`) of a component, mostly of the one that they hit, instead of at a time. What is aimed is followed by an
operation at once, where the run has any: most of what components do follows from what users do, and is over soon.

Arguments are drawn when their time comes, from what exists in the world then; what was drawn is recorded
as plain steps. Called by `hunt.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from random import Random

import attrs
from attrs import frozen

from chaoskube.action import FAULT, Action, Step, draw_action, targets_of
from chaoskube.aim import Aim, Mark, draw_aim, marks_seen
from chaoskube.arguments import CannotApply, draw_name
from chaoskube.bug import Bug
from chaoskube.run import Result, Session
from chaoskube.scenario import Scenario
from chaoskube.sim import MILLISECOND, SECOND

DRAWS_AN_ACTION_MAX = 4
CALM_SHARE = 0.2
RELAPSING_SHARE = 0.5
RELAPSE_NS = 300 * MILLISECOND
AIMED_SHARES = (0.0, 0.2, 0.5, 1.0)
AT_ITSELF = 0.8
"""How often what is aimed at a component's moment hits that component."""
_RELAPSE_UNIT_NS = 10 * MILLISECOND
Hit = Mapping[str, tuple[str, ...]]
"""Names by kind of target."""
LEADING = "leading-"
"""Before a kind of target: those of them that matter most now; a subject may know of none."""
_TIME_UNIT_NS = 100 * MILLISECOND


@frozen(kw_only=True)
class Shape:
    """What one run may do: drawn first, then kept to."""

    verbs: tuple[tuple[type[Action], int], ...]
    times: tuple[int, ...]
    duration_ns: int
    targets_max: int | None
    aim: float = 0.0
    """How often what leads is aimed at, where the subject knows of something that leads."""
    volley_max: int = 1
    """The most actions of one verb at one instant."""
    relapses: bool = False
    """Is what has just recovered hit again?"""
    aimed: float = 0.0
    """How many of the faults are aimed at a moment."""


def run_seed(hunt_seed: int, number: int) -> int:
    """The seed of a hunt's run: from the hunt's seed and the run's number alone."""
    text = f"{hunt_seed}/{number}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest(), "big")


def generate(scenario: Scenario, seed: int, *, bug: Bug | None = None, story: bool = False) -> Result:
    """One run, with everything that is done in it drawn from `seed`."""
    rng, aiming = Random(f"generate/{seed}"), Random(f"generate/{seed}/aims")
    shape = attrs.evolve(draw_shape(scenario, rng), aimed=aiming.choice(AIMED_SHARES))
    with Session(scenario, seed=seed, bug=bug) as session:
        session.warm_up()
        names = _Names(session, shape, rng, aiming)
        due: list[tuple[int, Hit]] = [(at, {}) for at in shape.times]
        relapses = len(due) if shape.relapses else 0
        while due:
            at, names.hit = due.pop(0)
            session.advance_to(at)
            if session.is_over:
                break
            step = _draw_and_apply(session, shape, names, rng)
            if step is not None and step.aim is not None:
                del due[: _follow_up(session, shape, names)]
            action = step.action if step is not None and step.aim is None else None
            span = _span(action)
            again = at + span + _soon(rng)
            if action is not None and span and relapses and again < shape.duration_ns:
                relapses -= 1
                due = [(again, _hit(action)), *[one for one in due if one[0] > again]]
        return session.finish(shape.duration_ns, story=story)


def draw_shape(scenario: Scenario, rng: Random) -> Shape:
    """Which verbs, how many actions and when, how many targets."""
    verbs = _draw_verbs(scenario, rng)
    count_max = rng.choice((2, scenario.actions_max, 2 * scenario.actions_max))
    count = rng.randint(count_max // 2, count_max) if verbs else 0
    times = _draw_times(count, scenario.duration_ns, rng)
    rest = scenario.duration_ns * rng.choice((1, 4, 12)) // 18
    volley_max = rng.choice((1, 1, 1, 2, 4))
    has_faults = any(cls.kind == FAULT for cls, _ in verbs)
    relapses = has_faults and volley_max == 1 and rng.random() < RELAPSING_SHARE
    ends = scenario.duration_ns if relapses else (times[-1] if times else 0) + rest
    return Shape(
        verbs=verbs,
        times=times,
        duration_ns=min(scenario.duration_ns, ends),
        targets_max=rng.choice((None, 1, 1, 2)) if volley_max == 1 else None,
        aim=rng.choice((0.0, 0.0, 0.5, 1.0)),
        volley_max=volley_max,
        relapses=relapses,
    )


def _draw_verbs(scenario: Scenario, rng: Random) -> tuple[tuple[type[Action], int], ...]:
    """Few operations and few faults, so that what is there happens often enough to meet."""
    operations = [cls for cls in scenario.menu if cls.kind != FAULT]
    faults = [cls for cls in scenario.menu if cls.kind == FAULT]
    calm = bool(operations) and rng.random() < CALM_SHARE
    kept = _some(operations, rng) + ([] if calm else _some(faults, rng))
    return tuple((cls, rng.choice((1, 1, 2))) for cls in kept)


def _some(classes: Sequence[type[Action]], rng: Random) -> list[type[Action]]:
    """One to three, or now and then all of them; heavier ones more often."""
    if rng.random() < 0.15:
        return list(classes)
    ranked = sorted(classes, key=lambda cls: -(rng.random() ** (1 / cls.weight)))
    kept = ranked[: rng.choice((1, 1, 2, 3))]
    return [cls for cls in classes if cls in kept]


class _Names:
    """The names that this run keeps to: all, or the same few of each kind."""

    def __init__(self, session: Session, shape: Shape, rng: Random, aiming: Random) -> None:
        self.aiming = aiming
        """Luck of its own for aims: where nothing can be aimed at, nothing else is drawn because of them."""
        self._session = session
        self._max = shape.targets_max
        self._aim = shape.aim
        self._rng = rng
        self._kept: dict[str, tuple[str, ...]] = {}
        self.hit: Hit = {}
        """What a relapse keeps to."""

    def marks(self) -> dict[Mark, int]:
        """What can be aimed at: whatever has happened again and again until now, often to those that lead alone."""
        world = self._session.world
        leads = self._aim and self.aiming.random() < self._aim
        processes = self._session.targets(f"{LEADING}process") if leads else ()
        wanted = processes or self._session.targets("process")
        return marks_seen(world.journal.entries, world.network, wanted)

    def near(self, mark: Mark) -> Hit:
        """The process of a moment, its machine, the streams that reach it (of a stream's moment that one) or leave it."""
        process, label = mark.process, ""
        if mark.definition.is_of_stream:
            label = f"{mark.definition.stream_label(mark.kinds)}@"
        streams = tuple(one for one in self._session.targets("stream") if one.endswith(f">{process}"))
        streams = tuple(one for one in streams if label and one.startswith(label)) or streams
        watches = tuple(one for one in self._session.targets("watch") if one in streams)
        found = {"process": (process,), "host": (self._session.world.processes[process].host_name,)}
        questions = tuple(one for one in self._session.targets("question") if f"@{process}>" in one)
        return {
            **found,
            **({"stream": streams} if streams else {}),
            **({"watch": watches} if watches else {}),
            **({"question": questions} if questions else {}),
        }

    def __call__(self, kind: str) -> Sequence[str]:
        if kind in self.hit:
            return self.hit[kind]
        leading = self._session.targets(LEADING + kind) if self._aim else ()
        if leading and self._rng.random() < self._aim:
            return leading
        known = self._session.targets(kind)
        if self._max is None or len(known) <= self._max:
            return known
        kept = [name for name in self._kept.get(kind, ()) if name in known]
        if not kept:
            kept = [draw_name(known, self._rng) for _ in range(self._max)]
            self._kept[kind] = tuple(kept)
        return [name for name in known if name in kept]


def _draw_and_apply(session: Session, shape: Shape, names: _Names, rng: Random) -> Step | None:
    """What was done, or armed; of a volley, the first."""
    verbs = [one for one in shape.verbs if one[0].kind == FAULT or not names.hit]
    classes = [cls for cls, _ in verbs]
    weights = [weight for _, weight in verbs]
    for _ in range(DRAWS_AN_ACTION_MAX):
        cls = rng.choices(classes, weights)[0]
        step = _apply(session, cls, shape, names, rng)
        if step is not None:
            for _ in range(rng.randint(1, shape.volley_max) - 1):
                _apply(session, cls, shape, names, rng)
            return step
    return None


def _follow_up(session: Session, shape: Shape, names: _Names) -> int:
    """Do one operation, so that there is something to meet; 1 when that was done, instead of what was next."""
    operations = [one for one in shape.verbs if one[0].kind != FAULT]
    if not operations or names.hit:
        return 0
    cls = names.aiming.choices([cls for cls, _ in operations], [weight for _, weight in operations])[0]
    return int(_apply(session, cls, shape, names, names.aiming) is not None)


def _apply(session: Session, cls: type[Action], shape: Shape, names: _Names, rng: Random) -> Step | None:
    aim = _draw_aim(cls, shape, names)
    kept = names.hit
    if aim is not None and names.aiming.random() < AT_ITSELF:
        names.hit = names.near(aim.mark)
    try:
        action = draw_action(cls, rng, names)
        if aim is not None and not session.is_possible(action):
            return None
        session.apply(action, aim)
    except CannotApply:
        return None
    finally:
        names.hit = kept
    return Step(at=session.now, action=action, aim=aim)


def _draw_aim(cls: type[Action], shape: Shape, names: _Names) -> Aim | None:
    """A moment for a fault of this class, where one is to be aimed; a relapse has its time."""
    if cls.kind != FAULT or names.hit or (not shape.aimed and not cls.aimed):
        return None
    share = max(shape.aimed, cls.aimed_share if cls.aimed else 0.0)
    if names.aiming.random() >= share:
        return None
    return draw_aim(names.marks(), names.aiming, lambda mark: not cls.aimed or mark.moment == cls.aimed)


def _hit(action: Action) -> Hit:
    """The targets of an action, by their kind."""
    found: dict[str, tuple[str, ...]] = {}
    for kind, names in targets_of(action):
        found.setdefault(kind, names)
    return found


def _span(action: Action | None) -> int:
    """How long a fault lasts; 0 for what is none, or doesn't end by itself."""
    return action.lasts() or 0 if action is not None and action.kind == FAULT else 0


def _soon(rng: Random) -> int:
    return rng.randrange(RELAPSE_NS) // _RELAPSE_UNIT_NS * _RELAPSE_UNIT_NS


def _draw_times(count: int, duration_ns: int, rng: Random) -> tuple[int, ...]:
    """Spread over the run, or close together from near its beginning on."""
    if rng.random() < 0.3:
        found = [rng.randrange(duration_ns) for _ in range(count)]
    else:
        gap = rng.choice((SECOND // 5, SECOND, 5 * SECOND))
        found = [rng.randrange(5 * SECOND)]
        while len(found) < count:
            found.append(found[-1] + rng.randrange(gap))
    return tuple(sorted(min(at, duration_ns) // _TIME_UNIT_NS * _TIME_UNIT_NS for at in found[:count]))
