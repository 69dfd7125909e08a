"""Finding scenarios, bugs, actions and inputs: by entry point and by name, never by import.

Entry-point groups, open to any distribution:

- `chaoskube.scenarios`: packages whose modules register scenarios, explorations and actions with their decorators,
- `chaoskube.bugs`: packages whose modules register planted bugs,
- `chaoskube.inputs`: functions `(paths, stdin) -> Scenario | None` that make a scenario of a user's files,
  or say by None that these are not theirs,
- `chaoskube.commands`: click commands that the command line offers beside its own.

A new scenario, action or bug is one new file in such a package.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import attrs
import click

from chaoskube.bug import Bug, bugs
from chaoskube.exploration import Exploration, explorations
from chaoskube.scenario import Scenario, hidden_scenarios, scenarios
from chaoskube.sim import UsageError, load_all

SCENARIOS = "chaoskube.scenarios"
BUGS = "chaoskube.bugs"
INPUTS = "chaoskube.inputs"
COMMANDS = "chaoskube.commands"

Input = Callable[[tuple[str, ...], str | None], Scenario | None]
"""Paths as they were given (`-` is standard input, whose text is the second argument)."""


@cache
def load() -> None:
    """Import everything that registers itself: the harness's own faults, then what is installed."""
    load_all("chaoskube.faults")
    for group in (SCENARIOS, BUGS):
        for name, package in _named(group):
            try:
                load_all(package)
            except ModuleNotFoundError as problem:
                raise UsageError(
                    f"the {group} entry point {name} = {package} cannot be imported: {problem}"
                ) from None


def scenario_named(name: str) -> Scenario:
    """The scenario of this name; a wrong name is answered with the near one."""
    load()
    if name in hidden_scenarios:
        return hidden_scenarios[name]()
    near = get_close_matches(name, [*hidden_scenarios, *scenarios.names()], n=1)
    if near and near[0] in hidden_scenarios:
        raise UsageError(f"there is no scenario called {name!r}; did you mean {near[0]!r}?")
    return scenarios.get(name)()


def bug_named(slug: str) -> Bug:
    """The planted bug of this name; a wrong name is answered with the near one."""
    load()
    return bugs.get(slug)


def scenario_of_bug(bug: Bug) -> Scenario:
    """The scenario in which a planted bug is hunted, with the setup that it needs."""
    if is_explored(bug):
        raise UsageError(
            f"{bug.slug} is not for hunts; it is found by `chaoskube explore {bug.scenario} --bug {bug.slug}`"
        )
    scenario = scenario_named(bug.scenario)
    return attrs.evolve(scenario, setup={**scenario.setup, **bug.setup}) if bug.setup else scenario


def is_explored(bug: Bug) -> bool:
    """Is this bug met by an exhaustive search, and not by hunts?"""
    return bug.scenario in explorations


def exploration_named(name: str) -> Exploration:
    """The exploration of this name; a wrong name is answered with the near one."""
    load()
    return explorations.get(name)()


def built_in() -> tuple[Scenario, ...]:
    """Every scenario that needs no input, by name."""
    load()
    return tuple(make() for make in scenarios)


def scenario_of_input(paths: Sequence[str]) -> Scenario:
    """A scenario made of files, folders, or `-` for standard input."""
    load()
    for path in paths:
        if path != "-" and not Path(path).exists():
            raise UsageError(f"{path}: there is no such file or folder")
    stdin = _standard_input() if "-" in paths else None
    readers = [entry.load() for entry in sorted(entry_points(group=INPUTS), key=lambda entry: entry.name)]
    for read in readers:
        made: Scenario | None = read(tuple(paths), stdin)
        if made is not None:
            return made
    known = "nothing installed reads files" if not readers else "nothing installed knows what these are"
    raise UsageError(f"{', '.join(paths)}: {known}")


def command_names() -> tuple[str, ...]:
    """The commands that are installed beside the harness's own."""
    return tuple(sorted(entry.name for entry in entry_points(group=COMMANDS)))


def command_named(name: str) -> click.Command | None:
    """One of them; None when there is none of this name."""
    for entry in entry_points(group=COMMANDS):
        if entry.name == name:
            found: click.Command = entry.load()
            return found
    return None


def _standard_input() -> str:
    try:
        text = sys.stdin.read()
        text.encode()  # bytes that are no text arrive as lone surrogates where the locale allows them
    except UnicodeError:
        raise UsageError("standard input: not a text in UTF-8") from None
    return text.removeprefix("\ufeff")


def scenario_for(words: Sequence[str]) -> Scenario:
    """What a command line names: one scenario's name, or paths of input."""
    load()
    if len(words) == 1 and words[0] in scenarios:
        return scenario_named(words[0])
    if len(words) == 1 and not _looks_like_a_path(words[0]):
        try:
            return scenarios.get(words[0])()
        except UsageError as problem:
            raise UsageError(f"{problem} (and there is no file or folder {words[0]})") from None
    named = [word for word in words if word in scenarios and not Path(word).exists()]
    if named:
        raise UsageError(
            f"{' '.join(words)}: hunt in one scenario at a time, like {named[0]}, or name none for all of them"
        )
    return scenario_of_input(words)


def _looks_like_a_path(word: str) -> bool:
    return word == "-" or "/" in word or "." in word or Path(word).exists()


def _named(group: str) -> list[tuple[str, str]]:
    found = {(entry.name, entry.value.partition(":")[0]) for entry in entry_points(group=group)}
    return sorted(found)
