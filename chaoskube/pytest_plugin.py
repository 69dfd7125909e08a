"""The pytest plugin: a fixture that hunts, and trace files as regression tests.

    def test_shop_survives(chaos):
        chaos.hunt("deploy/", invariants=[my_rule])

A violation is a failed test whose report is the story, with the path of its trace. A file `*.chaos.yaml` is a
test: it passes when what it shows no longer fails (with a planted bug in it: as long as it still does).

pytest imports this module in every session of an environment, so nothing heavy is imported at the top.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr, TracebackStyle

    from chaoskube.invariant import Invariant
    from chaoskube.scenario import Scenario

_SUFFIX = ".chaos.yaml"
_SEED = 0
_RUNS = 100
_SECONDS = 60.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Few options; each is an ini key too where a project may want to fix it."""
    group = parser.getgroup("chaoskube")
    group.addoption(
        "--chaos-seed", type=int, help="seed of every hunt (default: the ini key chaos_seed, else 0)"
    )
    group.addoption("--chaos-runs", type=int, help="runs of every hunt that does not say (default: 100)")
    for folder in (
        "--golden",
        "--histories",
        "--raft-scripts",
    ):  # of chaoskube's own tests: see tests/conftest.py
        group.addoption(folder, metavar="DIR", help=argparse.SUPPRESS)
    parser.addini("chaos_seed", "seed of every hunt", default=str(_SEED))
    parser.addini("chaos_runs", "runs of every hunt that does not say", default=str(_RUNS))
    parser.addini("chaos_traces", "folder for the traces of violations", default="chaos-traces")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A trace file is a test."""
    if file_path.name.endswith(_SUFFIX):
        return TraceFile.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A state machine's violation is told as a story, without frames of ours."""
    report = yield
    told = getattr(call.excinfo.value, "story", None) if call.excinfo is not None else None
    if report.when == "call" and isinstance(told, str) and told:
        report.longrepr = told
    return report


@pytest.fixture
def chaos(request: pytest.FixtureRequest) -> Chaos:
    """Hunts scenarios or manifests: `chaos.hunt("deploy/", invariants=[my_rule])`."""
    return Chaos(request.config)


class Chaos:
    """What a test gets: hunts that fail the test with a story."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def hunt(
        self,
        *what: str | Path | Scenario,
        invariants: Sequence[Invariant] = (),
        without: Sequence[str] = (),
        bug: str | None = None,
        runs: int | None = None,
        seconds: float = _SECONDS,
        seed: int | None = None,
    ) -> None:
        """Hunt a scenario, a scenario's name, or manifests, until `runs` or `seconds` are over.

        Fails the test at the first violation, minimised and saved as a trace.
        """
        __tracebackhide__ = True
        from chaoskube.sim import ChaoskubeError

        try:
            told = self._hunt(what, invariants, without, bug, runs, seconds, seed)
        except ChaoskubeError as problem:
            told = f"{type(problem).__name__}: {problem}"
        if told is not None:
            pytest.fail(told, pytrace=False)

    def _hunt(
        self,
        what: Sequence[str | Path | Scenario],
        invariants: Sequence[Invariant],
        without_verbs: Sequence[str],
        bug: str | None,
        runs: int | None,
        seconds: float,
        seed: int | None,
    ) -> str | None:
        from chaoskube import hunt
        from chaoskube.discovery import bug_named
        from chaoskube.hunting import catch, with_rules
        from chaoskube.sim import UsageError

        if isinstance(without_verbs, str):
            raise UsageError(f"without={without_verbs!r} must be a list of verbs: [{without_verbs!r}]")
        scenario = hunt.without(with_rules(_scenario_of(what, bug), invariants), without_verbs)
        quarry = hunt.Quarry(
            scenario=scenario,
            bug=bug_named(bug) if bug is not None else None,
            seed=seed if seed is not None else self._number("chaos_seed"),
        )
        limits = hunt.Limits(
            runs=runs if runs is not None else self._number("chaos_runs"), wall_seconds=seconds
        )
        tally = hunt.hunt(quarry, limits)
        for report in tally.found.values():
            found = catch(hunt.result_of(quarry, report), self._traces())
            again = f"found in run {report.number + 1} of a hunt with seed {quarry.seed}"
            return "\n".join([*found.lines, again])
        return None

    def _number(self, key: str) -> int:
        given = self._config.getoption(key)
        text = self._config.getini(key) if given is None else given
        try:
            return int(text)
        except ValueError:
            raise pytest.UsageError(f"{key} must be a whole number, not {text!r}") from None

    def _traces(self) -> Path:
        folder = self._config.rootpath / str(self._config.getini("chaos_traces"))
        try:
            return folder.relative_to(Path.cwd())
        except ValueError:
            return folder


class TraceFile(pytest.File):
    """A trace file: one test."""

    def collect(self) -> Iterator[pytest.Item]:
        """The one test in the file."""
        yield TraceItem.from_parent(self, name=self.path.name.removesuffix(_SUFFIX))


class TraceItem(pytest.Item):
    """Replays a trace."""

    def runtest(self) -> None:
        """Fails when the violation that the trace shows is there (with a planted bug: is not)."""
        from chaoskube.replay import DIFFERENTLY, NO_LONGER, REPRODUCED, replay
        from chaoskube.report.text import story
        from chaoskube.trace import read_trace

        trace = read_trace(self.path)
        replayed = replay(trace, story=True)
        told = f"{replayed.verdict}: {replayed.sentence}"
        if replayed.verdict in (REPRODUCED, DIFFERENTLY) and trace.bug is None:
            raise TraceFailed("\n".join([told, "", *story(replayed.result, path=self.path)]))
        is_as_hoped = replayed.verdict in (
            (REPRODUCED, DIFFERENTLY) if trace.bug is not None else (NO_LONGER,)
        )
        if not is_as_hoped or (trace.bug is None and replayed.result.failure is not None):
            raise TraceFailed(told)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> str | TerminalRepr:
        """The story, or one sentence; our own mistakes keep their traceback."""
        from chaoskube.sim import ChaoskubeError

        if isinstance(excinfo.value, TraceFailed | ChaoskubeError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the test stands."""
        return self.path, 0, f"trace {self.name}"


class TraceFailed(Exception):
    """A trace does not end as hoped."""


def _scenario_of(what: Sequence[str | Path | Scenario], bug: str | None) -> Scenario:
    from chaoskube.discovery import bug_named, scenario_for, scenario_of_bug
    from chaoskube.scenario import Scenario
    from chaoskube.sim import UsageError

    if not what:
        if bug is None:
            raise UsageError("chaos.hunt() needs a scenario, a scenario's name, or paths of manifests")
        return scenario_of_bug(bug_named(bug))
    if bug is not None and what == (bug_named(bug).scenario,):
        return scenario_of_bug(bug_named(bug))
    if isinstance(what[0], Scenario):
        if len(what) > 1:
            raise UsageError("chaos.hunt() hunts one scenario at a time")
        return what[0]
    return scenario_for([str(one) for one in what])
