"""Sends requests, looks at every answer, counts, and makes the first offender small.

A world lasts for `PER_WORLD` requests, then a new one begins. An offence is kept with the requests of its world that were
accepted before it; `minimised` leaves out those that it doesn't need, then parts of the request itself.
"""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Final

import attrs
from attrs import frozen

from chaoskube.sim import SECOND, World

from .oracle import of_object, of_refusal, of_store, of_views, of_write
from .requests import Sent, draw
from .server import Answer, Bench
from .values import at, places

PER_WORLD: Final = 1000
VIEWS_EVERY: Final = 200
SETTLES_SLOWLY: Final = ("customresourcedefinitions",)


@frozen(kw_only=True)
class Offence:
    """A request with an answer, or consequences, that may not be."""

    sent: Sent
    what: str
    before: tuple[Sent, ...]
    """The accepted writes of its world before it."""
    place: int

    @property
    def kind(self) -> str:
        """What offences of the same cause have in common, more or less."""
        return self.what[:60] if not self.what.startswith("Traceback") else self.what.strip()[-150:]


@frozen
class Report:
    """What came of a hunt."""

    requests: int
    cpu_seconds: float
    codes: Counter[tuple[str, int]]
    offences: tuple[Offence, ...]

    def table(self) -> str:
        """Verbs against codes."""
        methods = sorted({method for method, _ in self.codes})
        codes = sorted({code for _, code in self.codes})
        lines = [f"{'':8}" + "".join([f"{code:>8}" for code in codes])]
        for method in methods:
            lines.append(f"{method:8}" + "".join([f"{self.codes[method, code] or '':>8}" for code in codes]))
        return "\n".join(lines)


class Trial:
    """One world and what was sent in it."""

    def __init__(self, world: World) -> None:
        self.bench = Bench(world)
        self.accepted: list[Sent] = []

    def judge(self, sent: Sent) -> tuple[Answer | None, str]:
        """Send a request; the answer, and what is wrong ("": nothing)."""
        try:
            before = self.bench.contents()
            answer = self.bench.send(sent)
            if any(plural in sent.path for plural in SETTLES_SLOWLY):
                self.bench.world.advance(8 * SECOND)
                self.bench.is_redefined |= answer.code < 300 and sent.method != "GET"
            wrong = "; ".join(self._wrong(sent, answer, before))
        except Exception:  # noqa: BLE001  # whatever it is, it is what we look for
            return None, traceback.format_exc()
        if answer.code < 300 and sent.method != "GET":
            self.accepted.append(sent)
        return answer, wrong

    def _wrong(self, sent: Sent, answer: Answer, before: Mapping[str, object]) -> Iterator[str]:
        if answer.code == 0:
            yield "no answer within 70 s"
        elif answer.code >= 400:
            yield from of_refusal(answer)
        else:
            yield from of_object(answer)
        yield from of_store(sent, answer, before, self.bench)
        if answer.code < 300:
            yield from of_write(sent, answer, self.bench)

    def views(self) -> str:
        """What is wrong with lists and watches."""
        try:
            self.bench.world.advance(SECOND)
            return "; ".join(of_views(self.bench))
        except Exception:  # noqa: BLE001  # as above
            return traceback.format_exc()


def hunt(
    seed: int,
    requests: int,
    *,
    offences_max: int = 1,
    on_offence: Callable[[Offence], None] = lambda offence: None,
    on_progress: Callable[[int, float], None] = lambda done, seconds: None,
) -> Report:
    """Send so many requests, or until there were so many offences."""
    began = time.process_time()
    codes: Counter[tuple[str, int]] = Counter()
    offences: list[Offence] = []
    done, turn = 0, 0
    while done < requests and len(offences) < offences_max:
        rng = Random(f"{seed}/{turn}")
        turn += 1
        with World(seed=0) as world:
            trial = Trial(world)
            for place in range(min(PER_WORLD, requests - done)):
                sent = draw(rng, trial.bench.stored(), done)
                done += 1
                earlier = tuple(trial.accepted)
                answer, wrong = trial.judge(sent)
                if answer is not None:
                    codes[sent.method, answer.code] += 1
                if not wrong and place % VIEWS_EVERY == VIEWS_EVERY - 1:
                    wrong = trial.views()
                if wrong:
                    offence = Offence(sent=sent, what=wrong, before=earlier, place=done)
                    offences.append(offence)
                    on_offence(offence)
                    if answer is None or "watch" in wrong or len(offences) >= offences_max:
                        break
        on_progress(done, time.process_time() - began)
    return Report(done, time.process_time() - began, codes, tuple(offences))


# ---- making it small


def minimised(offence: Offence, trials_max: int = 150) -> Offence:
    """The same kind of offence with as little as possible."""
    left = [trials_max]

    def offends(before: Sequence[Sent], sent: Sent) -> str:
        left[0] -= 1
        found = replayed(before, sent)
        kind = attrs.evolve(offence, what=found).kind
        return found if found and kind == offence.kind else ""

    before, sent, what = list(offence.before), offence.sent, offence.what
    if not offends(before, sent):
        return offence
    size = len(before)
    while size and left[0] > 0:
        for start in range(0, len(before), size):
            shorter = [*before[:start], *before[start + size :]]
            if len(shorter) < len(before) and offends(shorter, sent):
                before, size = shorter, min(size, len(shorter)) * 2
                break
        size //= 2
    for smaller in _smaller(sent):
        if left[0] <= 0:
            break
        found = offends(before, candidate := smaller(sent))
        if found:
            sent, what = candidate, found
    return attrs.evolve(offence, sent=sent, what=what, before=tuple(before))


def replayed(before: Sequence[Sent], sent: Sent) -> str:
    """What is wrong with a request after these."""
    with World(seed=0) as world:
        trial = Trial(world)
        for one in before:
            trial.judge(one)
        return trial.judge(sent)[1] or trial.views()


def _smaller(sent: Sent) -> Iterator[Callable[[Sent], Sent]]:
    for name in sent.query:
        yield partial(_without_option, name)
    for path in sorted(places(sent.body), key=len):
        yield partial(_without_part, path)


def _without_option(name: str, sent: Sent) -> Sent:
    return attrs.evolve(sent, query={key: value for key, value in sent.query.items() if key != name})


def _without_part(path: tuple[str | int, ...], sent: Sent) -> Sent:
    return attrs.evolve(sent, body=_without(sent.body, path))


def _without(body: Any, path: tuple[str | int, ...]) -> Any:
    result = json.loads(json.dumps(body))
    try:
        del at(result, path[:-1])[path[-1]]
    except (KeyError, IndexError, TypeError):
        return body
    return result
