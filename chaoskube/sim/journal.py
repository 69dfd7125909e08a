"""What happened in a run, in order: typed events that are kept, and every small thing that is only hashed.

Typed events are frozen attrs values recorded by components; listeners (invariants, the observer) are
called at once. Messages, timers and disk writes are far too many to keep: they go into the digest
alone. With `keep_lines` the hashed lines are kept as well, to find the first place where two runs differ.

The digest is the identity of a run: the same actions give the same digest in every process.
"""

from __future__ import annotations

import enum
import hashlib
import sys
from array import array
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final

import attrs
from attrs import frozen

from .errors import ModelBug

_CHUNK = 4096


@frozen(kw_only=True)
class Entry:
    """One event: when (virtual ns), by which process ("" is the harness), and what."""

    seq: int
    at: int
    by: str
    event: object


@frozen
class Line:
    """How an entry reads in a story: which component, and what it did, in words."""

    component: str
    words: str


Listener = Callable[[Entry], None]


class Journal:
    """The record of one run."""

    def __init__(self, *, keep_lines: bool = False) -> None:
        self.entries: list[Entry] = []
        self.lines: list[str] | None = [] if keep_lines else None
        self._text_hash = hashlib.blake2b(digest_size=16)
        self._tick_hash = hashlib.blake2b(digest_size=16)
        self._texts: list[str] = []
        self.ticks: list[int] = []
        """When and in which order each thing of the heap came due: pairs, appended by the clock, hashed later."""
        self._listeners: dict[type, list[Listener]] = {}
        self._everything: list[Listener] = []

    def record(self, at: int, by: str, event: object) -> Entry:
        """Keep `event`, hash it, and tell whoever listens to its type."""
        entry = Entry(seq=len(self.entries), at=at, by=by, event=event)
        self.entries.append(entry)
        self.trace(f"{at} {by} {canonical(event)}")
        for listener in self._listeners.get(type(event), ()):
            listener(entry)
        for listener in self._everything:
            listener(entry)
        return entry

    def mention(self, at: int, by: str, event: object) -> None:
        """Tell whoever listens of something that is neither kept nor hashed, because what set it off is."""
        listeners = self._listeners.get(type(event))
        if listeners:
            entry = Entry(seq=len(self.entries), at=at, by=by, event=event)
            for listener in listeners:
                listener(entry)

    def trace(self, line: str) -> None:
        """Hash a line that nobody will read unless two digests differ."""
        if self.lines is not None:
            self.lines.append(line)
        self._texts.append(line)
        if len(self._texts) >= _CHUNK:
            self.flush()

    def subscribe(self, event_type: type, listener: Listener) -> None:
        """Call `listener` for each event of exactly this type; `object` stands for every event."""
        if event_type is object:
            self._everything = [*self._everything, listener]
        else:  # a new list: somebody may be told of an event right now
            self._listeners[event_type] = [*self._listeners.get(event_type, ()), listener]

    def unsubscribe(self, event_type: type, listener: Listener) -> None:
        """Call it no more; an event that is being told now may still reach it."""
        self._listeners[event_type] = [one for one in self._listeners.get(event_type, ()) if one != listener]

    def digest(self) -> str:
        """The hash of everything so far, in hexadecimal; asking changes nothing."""
        self.flush()
        both = self._text_hash.digest() + self._tick_hash.digest()
        return hashlib.blake2b(both, digest_size=16).hexdigest()

    def flush(self) -> None:
        """Hash what was gathered; the digest doesn't depend on when this is called."""
        # Two hashes, each a plain concatenation: where a chunk happens to end can't be seen in them.
        if self._texts:
            self._texts.append("")  # so that the last line ends as the others do
            self._text_hash.update("\n".join(self._texts).encode(errors="surrogatepass"))
        ticks = array("q", self.ticks)
        if sys.byteorder == "big":
            ticks.byteswap()
        self._tick_hash.update(ticks.tobytes())
        self._texts.clear()
        self.ticks.clear()


def canonical(value: object) -> str:
    """A text that depends on nothing but the value: no id, no hash order, no default repr.

    A class may define `digest_text()` to be asked instead. Raises ModelBug for sets and unknown types,
    because their order or their repr would leak the machine into the run.
    """
    return _WRITERS[type(value)](value)


def _learn(cls: type) -> Callable[[object], str]:
    asked = getattr(cls, "digest_text", None)
    if asked is not None:
        return asked  # type: ignore[no-any-return]  # declared by convention: () -> str
    if attrs.has(cls):
        names = tuple(field.name for field in attrs.fields(cls) if field.eq is not False)
        return _fields_writer(cls.__name__, names)
    if issubclass(cls, enum.Enum):
        return lambda value: f"{cls.__name__}.{value.name}"  # type: ignore[attr-defined]
    if issubclass(cls, Mapping):
        return _mapping
    if issubclass(cls, tuple | list):
        return _sequence
    if issubclass(cls, str):
        return repr
    if issubclass(cls, int):
        return int.__repr__
    raise ModelBug(f"a {cls.__module__}.{cls.__qualname__} has no canonical text; record plain values")


def _fields_writer(head: str, names: tuple[str, ...]) -> Callable[[object], str]:
    if len(names) < 2:  # attrgetter gives no tuple then
        return lambda value: f"{head}({','.join([canonical(getattr(value, name)) for name in names])})"
    fields, writers = attrgetter(*names), _WRITERS
    return lambda value: f"{head}({','.join([writers[type(field)](field) for field in fields(value)])})"


def _mapping(value: object) -> str:
    assert isinstance(value, Mapping)
    writers = _WRITERS
    items = [(key, value[key]) for key in sorted(value)]
    return "{" + ",".join([f"{key!r}:{writers[type(item)](item)}" for key, item in items]) + "}"


def _sequence(value: object) -> str:
    writers = _WRITERS
    return "[" + ",".join([writers[type(item)](item) for item in value]) + "]"  # type: ignore[attr-defined]


class _Writers(dict[type, Callable[[object], str]]):
    """How values of each type are written; looked up without a call, learned at the first miss."""

    def __missing__(self, cls: type) -> Callable[[object], str]:
        writer = self[cls] = _learn(cls)
        return writer


_WRITERS: Final = _Writers(
    {
        str: repr,
        int: repr,
        bool: repr,
        float: repr,
        bytes: repr,
        type(None): repr,
        tuple: _sequence,
        list: _sequence,
        dict: _mapping,
    }
)
