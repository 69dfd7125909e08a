"""The seeded generator: what one run of a hunt does, drawn from one seed, with swarm.

Swarm means that each run draws its own shape first: which verbs of the menu exist at all, how often, how
many actions, how close together, how long their spans, and whether they keep to a few targets. A run
that may do a little finds what a run that may do everything drowns. Now and then a run has no faults at
all, because some promises hold only in calm.

Arguments are drawn when their time comes, from what exists in the world then; what was drawn is recorded
as plain steps. Called by `hunt.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

from attrs import frozen

from chaoskube.action import FAULT, Action, draw_action
from chaoskube.arguments import CannotApply
from chaoskube.bug import Bug
from chaoskube.run import Result, Session
from chaoskube.scenario import Scenario
from chaoskube.sim import MILLISECOND, SECOND

DRAWS_AN_ACTION_MAX = 4
_TIME_UNIT_NS = 100 * MILLISECOND


@frozen(kw_only=True)
class Shape:
    """What one run may do: drawn first, then kept to."""

    verbs: tuple[tuple[type[Action], int], ...]
    times: tuple[int, ...]
    duration_ns: int
    targets_max: int | None


def run_seed(hunt_seed: int, number: int) -> int:
    """The seed of a hunt's run: from the hunt's seed and the run's number alone."""
    text = f"{hunt_seed}/{number}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest(), "big")


def generate(scenario: Scenario, seed: int, *, bug: Bug | None = None, story: bool = False) -> Result:
    """One run, with everything that is done in it drawn from `seed`."""
    rng = Random(f"generate/{seed}")
    shape = draw_shape(scenario, rng)
    with Session(scenario, seed=seed, bug=bug) as session:
        session.warm_up()
        names = _Names(session, shape.targets_max, rng)
        for at in shape.times:
            session.advance_to(at)
            if session.is_over:
                break
            _draw_and_apply(session, shape, names, rng)
        return session.finish(shape.duration_ns, story=story)


def draw_shape(scenario: Scenario, rng: Random) -> Shape:
    """Which verbs, how many actions and when, how many targets."""
    calm = rng.random() < 0.25
    allowed = [cls for cls in scenario.menu if not (calm and cls.kind == FAULT)] or list(scenario.menu)
    kept = [cls for cls in allowed if rng.random() < 0.7] or ([rng.choice(allowed)] if allowed else [])
    verbs = tuple((cls, cls.weight * rng.choice((1, 1, 2, 4))) for cls in kept)
    count = rng.randint(1, rng.choice((3, scenario.actions_max, scenario.actions_max))) if verbs else 0
    return Shape(
        verbs=verbs,
        times=_draw_times(count, scenario.duration_ns, rng),
        duration_ns=scenario.duration_ns,
        targets_max=rng.choice((None, None, 1, 2)),
    )


class _Names:
    """The names that this run keeps to: all, or the same few of each kind."""

    def __init__(self, session: Session, targets_max: int | None, rng: Random) -> None:
        self._session = session
        self._max = targets_max
        self._rng = rng
        self._kept: dict[str, tuple[str, ...]] = {}

    def __call__(self, kind: str) -> Sequence[str]:
        known = self._session.targets(kind)
        if self._max is None or len(known) <= self._max:
            return known
        kept = [name for name in self._kept.get(kind, ()) if name in known]
        if not kept:
            kept = self._rng.sample(known, self._max)
            self._kept[kind] = tuple(kept)
        return [name for name in known if name in kept]


def _draw_and_apply(session: Session, shape: Shape, names: _Names, rng: Random) -> None:
    classes = [cls for cls, _ in shape.verbs]
    weights = [weight for _, weight in shape.verbs]
    for _ in range(DRAWS_AN_ACTION_MAX):
        cls = rng.choices(classes, weights)[0]
        try:
            session.apply(draw_action(cls, rng, names))
        except CannotApply:
            continue
        return


def _draw_times(count: int, duration_ns: int, rng: Random) -> tuple[int, ...]:
    """Spread over the run, or close together from one moment on."""
    if rng.random() < 0.5:
        found = [rng.randrange(duration_ns) for _ in range(count)]
    else:
        start = rng.randrange(max(1, duration_ns // 2))
        gap = rng.choice((SECOND // 5, SECOND, 5 * SECOND))
        found = [start]
        while len(found) < count:
            found.append(found[-1] + rng.randrange(gap))
    return tuple(sorted(min(at, duration_ns) // _TIME_UNIT_NS * _TIME_UNIT_NS for at in found[:count]))
