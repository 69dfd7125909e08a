"""Reads a recording (gzip JSON lines) into typed, frozen records.

One class a kind of record, as the recordings' README lists them; a line of an unknown kind, without a field it
needs, or with a field of the wrong type is a `UsageError` with file and line. Objects and bodies stay JSON trees.
Who calls it: the player (what to send), the comparer (what came of it), the story. `write_lines` turns records
back into the same lines; the tests use it to make recordings that lie.
"""

from __future__ import annotations

import gzip
import json
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import attrs
from attrs import field, frozen

from chaoskube.sim import UsageError

from .trees import Json, Tree, text

_EMPTY: Tree = {}
_CAMEL = re.compile(r"_([a-z])")


@frozen(kw_only=True)
class Meta:
    """The first line: what was played, on what."""

    t: float
    scenario: str
    group: str = "etcd"
    description: str = ""
    versions: Tree = field(default=_EMPTY)
    namespace: str = ""
    nodes: list[Json] = field(factory=list)
    members: int = 0
    config: Tree = field(default=_EMPTY)


@frozen(kw_only=True)
class Command:
    """One request of the scenario and its answer (status None: there was none)."""

    t: float
    verb: str
    path: str
    status: int | None
    response: Json
    query: Tree = field(default=_EMPTY)
    headers: Tree = field(default=_EMPTY)
    response_headers: Tree = field(default=_EMPTY)
    content_type: str = ""
    body: Json = None
    took: float = 0.0


@frozen(kw_only=True)
class Watched:
    """One watch event of the recorder."""

    t: float
    type: str
    kind: str
    ns: str | None
    name: str
    rv: int
    object: Tree


@frozen(kw_only=True)
class WatchError:
    """An ERROR event, or a watch that was refused."""

    t: float
    kind: str
    type: str = "ERROR"
    object: Tree


@frozen(kw_only=True)
class WatchBroken:
    """A watch stream of the recorder ended."""

    t: float
    kind: str
    reason: str


@frozen(kw_only=True)
class OwnWatchStart:
    """A watch that the scenario opens on purpose."""

    t: float
    label: str
    path: str
    query: Tree = field(default=_EMPTY)


@frozen(kw_only=True)
class OwnWatch:
    """An event of such a watch."""

    t: float
    label: str
    type: str
    object: Tree


@frozen(kw_only=True)
class OwnWatchEnd:
    """The end of such a watch."""

    t: float
    label: str
    reason: str


@frozen(kw_only=True)
class Kubelet:
    """Something asked of the fake kubelets."""

    t: float
    op: str
    args: list[Json] = field(factory=list)


@frozen(kw_only=True)
class Control:
    """A fault of the control plane or of an etcd member."""

    t: float
    op: str
    component: str = ""
    member: int | None = None
    holder: str = ""


@frozen(kw_only=True)
class Etcd:
    """Something done to the control plane's etcd (compact)."""

    t: float
    op: str
    revision: int = 0


@frozen(kw_only=True)
class Load:
    """The load that the fake metrics report from now on."""

    t: float
    millicores: int


@frozen(kw_only=True)
class Wait:
    """The scenario's own patience: a comment, never a condition."""

    t: float
    until: str
    reached: bool


@frozen(kw_only=True)
class Sleep:
    """The scenario did nothing for a while."""

    t: float
    seconds: float


@frozen(kw_only=True)
class Note:
    """A remark of the scenario's author."""

    t: float
    text: str


@frozen(kw_only=True)
class EtcdCall:
    """One call of etcd's API through its JSON gateway."""

    t: float
    path: str
    member: int
    request: Tree
    status: int | None
    response: Json
    took: float = 0.0
    label: str = ""


@frozen(kw_only=True)
class StreamOpen:
    """A stream of etcd's API (watch, keep-alive, observe) is opened."""

    t: float
    label: str
    path: str
    member: int
    request: Tree


@frozen(kw_only=True)
class StreamMessage:
    """A message on such a stream."""

    t: float
    label: str
    message: Tree


@frozen(kw_only=True)
class StreamEnd:
    """Such a stream ended."""

    t: float
    label: str
    reason: str


Record: TypeAlias = (
    Meta
    | Command
    | Watched
    | WatchError
    | WatchBroken
    | OwnWatchStart
    | OwnWatch
    | OwnWatchEnd
    | Kubelet
    | Control
    | Etcd
    | Load
    | Wait
    | Sleep
    | Note
    | EtcdCall
    | StreamOpen
    | StreamMessage
    | StreamEnd
)
KINDS: dict[str, type[Record]] = {
    "meta": Meta,
    "cmd": Command,
    "watch": Watched,
    "watch-error": WatchError,
    "watch-broken": WatchBroken,
    "own-watch-start": OwnWatchStart,
    "own-watch": OwnWatch,
    "own-watch-end": OwnWatchEnd,
    "kubelet": Kubelet,
    "control": Control,
    "etcd": Etcd,
    "load": Load,
    "wait": Wait,
    "sleep": Sleep,
    "note": Note,
    "call": EtcdCall,
    "stream-open": StreamOpen,
    "stream": StreamMessage,
    "stream-end": StreamEnd,
}
_NAMES = {record: name for name, record in KINDS.items()}
_CHECKS: dict[str, Callable[[Json], bool]] = {
    "float": lambda found: isinstance(found, (int, float)) and not isinstance(found, bool),
    "str": lambda found: isinstance(found, str),
    "int": lambda found: isinstance(found, int) and not isinstance(found, bool),
    "bool": lambda found: isinstance(found, bool),
    "str | None": lambda found: found is None or isinstance(found, str),
    "int | None": lambda found: found is None or isinstance(found, int),
    "Tree": lambda found: isinstance(found, Mapping),
    "list[Json]": lambda found: isinstance(found, list),
    "Json": lambda found: True,
}


@frozen(kw_only=True)
class Recording:
    """A whole recording: the meta line and everything after it, in the order of the file."""

    source: str
    meta: Meta
    records: tuple[Record, ...]

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.meta.scenario

    @property
    def commands(self) -> tuple[Command, ...]:
        """The scenario's requests, in order."""
        return tuple(record for record in self.records if isinstance(record, Command))

    @property
    def end(self) -> float:
        """When the last record was made: nothing more was committed until then."""
        return self.records[-1].t if self.records else 0.0

    @property
    def watched_kinds(self) -> tuple[str, ...]:
        """The kinds that occur in watch records, in order of first appearance."""
        return tuple(dict.fromkeys(record.kind for record in self.records if isinstance(record, Watched)))


def read_recording(path: Path) -> Recording:
    """The recording in a file; what cannot be read is a UsageError with the line."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            records = [_read_line(line, f"{path}:{at}") for at, line in enumerate(lines, 1)]
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as gzip of JSON lines: {error}") from error
    if not records or not isinstance(records[0], Meta):
        raise UsageError(f"{path}:1: the first record must be `meta`, which names the scenario and its nodes")
    return Recording(source=str(path), meta=records[0], records=tuple(records[1:]))


def write_recording(recording: Recording, path: Path) -> None:
    """Write it in the format in which it was read."""
    with gzip.open(path, "wt", encoding="utf-8") as out:
        for record in (recording.meta, *recording.records):
            out.write(json.dumps(to_line(record)) + "\n")


def to_line(record: Record) -> dict[str, Json]:
    """A record as the JSON object of its line."""
    line: dict[str, Json] = {"rec": _NAMES[type(record)]}
    for attribute in attrs.fields(type(record)):
        line[_camel(attribute.name)] = getattr(record, attribute.name)
    return line


def _read_line(line: str, where: str) -> Record:
    try:
        tree = json.loads(line)
    except json.JSONDecodeError as error:
        raise UsageError(f"{where}: not JSON: {error}") from error
    if not isinstance(tree, dict):
        raise UsageError(f"{where}: a record must be a JSON object, this is {line.strip()[:60]!r}")
    kind = KINDS.get(text(tree, "rec"))
    if kind is None:
        raise UsageError(
            f"{where}: rec={tree.get('rec')!r} is no kind of record known here ({', '.join(KINDS)})"
        )
    return kind(**_values(kind, tree, where))


def _values(kind: type[Record], tree: dict[str, typing.Any], where: str) -> dict[str, typing.Any]:
    """The keyword arguments for a record: fields checked, unknown ones refused."""
    values: dict[str, typing.Any] = {}
    rest = set(tree) - {"rec"}
    for attribute in attrs.fields(kind):
        key = _camel(attribute.name)
        if key in tree:
            rest.discard(key)
            if not _CHECKS[str(attribute.type)](tree[key]):
                raise UsageError(f"{where}: {tree['rec']}.{key} must be {attribute.type}, is {tree[key]!r}")
            values[attribute.name] = tree[key]
        elif attribute.default is attrs.NOTHING:
            raise UsageError(f"{where}: a {tree['rec']} record needs the field {key}")
    if rest:
        raise UsageError(f"{where}: {tree['rec']} has fields not known here: {', '.join(sorted(rest))}")
    return values


def _camel(name: str) -> str:
    return _CAMEL.sub(lambda found: found.group(1).upper(), name)


def recordings_in(folder: Path) -> list[Path]:
    """The recordings of a folder and of those below it, in the order of their paths."""
    return sorted(folder.rglob("*.jsonl.gz"))


def replaced(recording: Recording, records: Iterable[Record]) -> Recording:
    """The same recording with other records."""
    return attrs.evolve(recording, records=tuple(records))
