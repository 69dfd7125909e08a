"""The trace file: one run as a small YAML text that people read and edit, and that replays by itself.

    chaoskube: 1                     # the format
    scenario: rolling-update
    seed: 0                          # of the world's own streams (election jitter, generated names)
    runs: 30s
    actions:
      - at 12.5s crash process=etcd-1 down=5s
    violation: {kind: violated, name: one-leader-a-term, at: 13.1s, message: "..."}
    digest: 4f0c...
    versions: {chaoskube: 0.1.0, ...}
    setup: {...}                     # what the world is built from: shape and documents, whole

Only `chaoskube`, `scenario` and `actions` must be there. Every error names file and line.
"""

from __future__ import annotations

import difflib
import os
import platform
import re
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

import attrs
import yaml
from attrs import field, frozen

from chaoskube.action import Step, parse_step
from chaoskube.discovery import bug_named, load, scenario_named
from chaoskube.rules import load_rule, rule_reference
from chaoskube.run import Plan, Result
from chaoskube.scenario import DIED, UNSETTLED, VIOLATED, Failure, Scenario, Setup
from chaoskube.sim import UsageError, seconds, show

try:
    from yaml import CSafeDumper as SafeDumper
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # a PyYAML that was built without libyaml: slower, the same result
    from yaml import SafeDumper, SafeLoader  # type: ignore[assignment]  # the same interface

T = TypeVar("T")
D = TypeVar("D")

FORMAT = 1
SUFFIX = ".chaos.yaml"
BYTES_MAX = 16_000_000
DEPTH_MAX = 100
_KEYS = (
    "chaoskube",
    "scenario",
    "bug",
    "seed",
    "runs",
    "invariants",
    "actions",
    "violation",
    "digest",
    "versions",
    "setup",
)
_HEAD = """\
# A chaoskube trace. `chaoskube replay FILE` plays it; edit it and play it again.
"""


@frozen(kw_only=True)
class Trace:
    """What a trace file says. `lines` are where its actions stand in the file."""

    scenario: str
    steps: tuple[Step, ...]
    setup: Setup | None = None
    seed: int = 0
    duration_ns: int | None = None
    bug: str | None = None
    rules: tuple[str, ...] = ()
    failure: Failure | None = None
    digest: str | None = None
    versions: Mapping[str, str] = field(factory=dict)
    source: str = field(default="<trace>", eq=False)
    lines: tuple[int, ...] = field(default=(), eq=False)

    def plan(self, scenario: Scenario | None = None) -> Plan:
        """The run that this trace describes; of `scenario` if one is given, else of the one it names."""
        try:
            base = scenario if scenario is not None else scenario_named(self.scenario)
            bug = bug_named(self.bug) if self.bug is not None else None
            known = {one.name for one in base.invariants}
            extra = [rule for rule in map(load_rule, self.rules) if rule.name not in known]
        except UsageError as problem:
            raise UsageError(f"{self.source}: {problem}") from problem
        base = attrs.evolve(base, invariants=(*base.invariants, *extra))
        if self.setup is not None:
            base = attrs.evolve(base, setup=self.setup)
        return Plan(
            scenario=base,
            steps=self.steps,
            duration_ns=self.duration_ns if self.duration_ns is not None else base.duration_ns,
            seed=self.seed,
            bug=bug,
        )


def trace_of(result: Result) -> Trace:
    """The trace of a run."""
    plan = result.plan
    return Trace(
        scenario=plan.scenario.name,
        steps=plan.steps,
        setup=plan.setup,
        seed=plan.seed,
        duration_ns=plan.duration_ns,
        bug=plan.bug.slug if plan.bug is not None else None,
        rules=rules_of_their_own(plan.scenario),
        failure=result.failure,
        digest=result.digest,
        versions=versions(),
    )


def rules_of_their_own(scenario: Scenario) -> tuple[str, ...]:
    """References to the invariants that the registered scenario of this name doesn't bring."""
    try:
        known = {one.name for one in scenario_named(scenario.name).invariants}
    except UsageError:
        known = set()
    found = (rule_reference(one) for one in scenario.invariants if one.name not in known)
    return tuple(reference for reference in found if reference is not None)


def versions() -> dict[str, str]:
    """What a digest may depend on."""
    found = {"python": platform.python_version()}
    for name in ("chaoskube", "trio"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def check_target(folder: Path) -> None:
    """UsageError when no trace can be written to this folder: said before a hunt, not after it."""
    there = next(place for place in (folder, *folder.parents) if place.exists() or place == place.parent)
    if not there.is_dir():
        raise UsageError(f"{folder}: the trace cannot be written: File exists, and {there} is no folder")
    if not os.access(there, os.W_OK):
        raise UsageError(f"{folder}: the trace cannot be written: {there} is not writable; see --out")


def write_trace(trace: Trace, path: Path) -> None:
    """Write a trace file, whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(trace_text(trace), encoding="utf-8")
        part.replace(path)
    except OSError as problem:
        raise UsageError(f"{path}: the trace cannot be written: {problem.strerror}") from problem


def trace_text(trace: Trace) -> str:
    """The file's text; the same trace gives the same text."""
    head: dict[str, object] = {"chaoskube": FORMAT, "scenario": trace.scenario}
    if trace.bug is not None:
        head["bug"] = trace.bug
    head["seed"] = trace.seed
    if trace.duration_ns is not None:
        head["runs"] = show(trace.duration_ns)
    if trace.rules:
        head["invariants"] = list(trace.rules)
    actions = {"actions": [step.text() for step in trace.steps]}
    tail: dict[str, object] = {}
    if trace.failure is not None:
        tail["violation"] = _failure_tree(trace.failure)
    if trace.digest is not None:
        tail["digest"] = trace.digest
    if trace.versions:
        tail["versions"] = dict(trace.versions)
    if trace.setup is not None:
        tail["setup"] = trace.setup
    return _HEAD + "".join(_dump(part) for part in (head, actions, tail) if part)


def read_trace(path: Path) -> Trace:
    """The trace in a file. UsageError with file and line for anything that is not one."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise UsageError(f"{path}: larger than {BYTES_MAX} bytes; this is no trace")
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"{path}: cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path}: is not UTF-8 text") from problem
    return parse_trace(text, str(path))


def parse_trace(text: str, source: str) -> Trace:
    """The trace in a text."""
    load()
    _refuse_manifest(text, source)
    node, tree = _load(text, source)
    lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}
    reader = _Reader(tree, lines, source)
    _check_format(reader)
    items = next((value for key, value in node.value if key.value == "actions"), None)
    steps, places = _read_steps(items, source)
    violation = reader.get("violation", dict, None)
    runs = reader.get("runs", str, None)
    return Trace(
        scenario=reader.need("scenario", str),
        bug=reader.get("bug", str, None),
        seed=reader.get("seed", int, 0),
        duration_ns=reader.try_(lambda: seconds(runs), "runs") if runs is not None else None,
        rules=tuple(str(rule) for rule in reader.get("invariants", list, [])),
        steps=steps,
        failure=None if violation is None else reader.try_(lambda: _read_failure(violation), "violation"),
        digest=reader.get("digest", str, None),
        versions={str(key): str(value) for key, value in reader.get("versions", dict, {}).items()},
        setup=reader.get("setup", dict, None),
        source=source,
        lines=places,
    )


@frozen
class _Reader:
    """Typed access to a trace's keys; errors name file and line."""

    tree: Mapping[str, object]
    lines: Mapping[str, int]
    source: str

    def error(self, key: str, problem: object) -> UsageError:
        return UsageError(f"{self.source}:{self.lines.get(key, 1)}: {problem}")

    def need(self, key: str, kind: type[T]) -> T:
        if key not in self.tree:
            wanted = f"{key}: {FORMAT}" if kind is int else f"{key}: NAME"
            raise UsageError(f"{self.source}: a trace needs the line `{wanted}`; is this a chaoskube trace?")
        return self.get(key, kind, kind())

    def get(self, key: str, kind: type[T], default: D) -> T | D:
        value = self.tree.get(key)
        if value is None:
            return default
        if not isinstance(value, kind) or isinstance(value, bool):
            example = "; write it like 30s" if key == "runs" else ""
            raise self.error(key, f"{key} must be {_WORDS[kind]}, not {value!r:.60}{example}")
        return value

    def try_(self, read: Callable[[], T], key: str) -> T:
        try:
            return read()
        except UsageError as problem:
            raise self.error(key, f"{key}: {problem}") from problem


def _check_format(reader: _Reader) -> None:
    found = reader.need("chaoskube", int)
    if found != FORMAT:
        raise reader.error(
            "chaoskube", f"this is a trace of format {found}; this chaoskube reads format {FORMAT}"
        )
    for key in reader.tree:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), _KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_KEYS)}"
            raise reader.error(str(key), f"a trace has no key {key!r}; {hint}")


def _read_steps(items: yaml.Node | None, source: str) -> tuple[tuple[Step, ...], tuple[int, ...]]:
    if items is None:
        raise UsageError(f"{source}: a trace needs 'actions': a list with one action a line, or []")
    if not isinstance(items, yaml.SequenceNode):
        raise UsageError(
            f"{source}:{items.start_mark.line + 1}: actions must be a list with one action a line"
        )
    steps: list[Step] = []
    places: list[int] = []
    for item in items.value:
        line = item.start_mark.line + 1
        try:
            if not isinstance(item, yaml.ScalarNode):
                raise UsageError("an action is one line of text, like: at 12.5s crash process=etcd-1 down=5s")
            step = parse_step(item.value)
        except UsageError as problem:
            raise UsageError(f"{source}:{line}: {problem}") from problem
        if steps and step.at < steps[-1].at:
            raise UsageError(
                f"{source}:{line}: actions stand in the order of their times; this one belongs further up"
            )
        steps.append(step)
        places.append(line)
    return tuple(steps), tuple(places)


def _failure_tree(failure: Failure) -> dict[str, object]:
    tree: dict[str, object] = {"kind": failure.kind, "name": failure.name, "at": show(failure.at)}
    if failure.by:
        tree["by"] = failure.by
    return tree | {"message": failure.message}


def _read_failure(tree: Mapping[str, object]) -> Failure:
    kind, name = str(tree.get("kind", VIOLATED)), tree.get("name")
    if kind not in (VIOLATED, DIED, UNSETTLED):
        raise UsageError(f"kind {kind!r} must be {VIOLATED}, {DIED} or {UNSETTLED}")
    if not isinstance(name, str):
        raise UsageError("needs a name: the invariant that breaks")
    return Failure(
        kind=kind,
        name=name,
        message=str(tree.get("message", "")),
        at=seconds(str(tree.get("at", "0s"))),
        by=str(tree.get("by", "")),
    )


def _refuse_manifest(text: str, source: str) -> None:
    if re.search(r"^apiVersion:", text, re.MULTILINE) and not re.search(r"^chaoskube:", text, re.MULTILINE):
        raise UsageError(
            f"{source}: this is a manifest, no trace; chaoskube hunt {source} makes traces of it"
        )


def _load(text: str, source: str) -> tuple[yaml.MappingNode, Mapping[str, object]]:
    """The top node (for line numbers) and the plain tree; guarded against depth, aliases and tags."""
    try:
        _guard(text, source)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if not isinstance(node, yaml.MappingNode):
                raise UsageError(
                    f"{source}: this is no trace: it has no keys at all, such as scenario and actions"
                )
            return node, loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{source}:{mark.line + 1}" if mark else source
        raise UsageError(f"{where}: this is not YAML: {problem.problem or problem.context}") from problem
    except yaml.YAMLError as problem:
        raise UsageError(f"{source}: this is not YAML: {str(problem).splitlines()[0]}") from problem


def _guard(text: str, source: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise UsageError(f"{source}:{line}: a trace has no aliases (*{event.anchor})")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_MAX:
            raise UsageError(f"{source}:{line}: nested more than {DEPTH_MAX} deep")


class _Loader(SafeLoader):
    """Refuses a key that stands twice; leaves dates as text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be a plain value", key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":merge"))]
    for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(SafeDumper):
    """Writes shared values again each time, and texts of many lines as they are."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _block_text(dumper: yaml.representer.SafeRepresenter, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _block_text)


def _dump(tree: Mapping[str, object]) -> str:
    try:
        return yaml.dump(plain(tree), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    except yaml.YAMLError as problem:
        raise UsageError(f"a setup must be plain data: {problem}") from problem


def plain(tree: object) -> object:
    """The same tree of plain dicts, lists and scalars. UsageError for anything else."""
    if isinstance(tree, Mapping):
        return {str(key): plain(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [plain(value) for value in tree]
    if tree is None or isinstance(tree, str | int | float):
        return tree
    raise UsageError(f"a setup must be plain data, not {type(tree).__name__} {tree!r:.60}")


_WORDS: dict[type, str] = {str: "a text", int: "a whole number", list: "a list", dict: "a mapping"}
