"""The queue between reflector and store, against naive models that remember everything.

Whatever comes in, and however it is taken out in between, a store that takes in what comes out ends up like the
server's, and handlers were told of each object as often as it came and went.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskube.models.client.deltas import (
    ADDED,
    BOOKMARK,
    DELETED,
    REPLACED,
    REPLACED_ALL,
    SETTLED,
    UPDATED,
    DeletedFinalStateUnknown,
    Delta,
    DeltaFifo,
    Queue,
    RealFifo,
    WholeState,
)
from chaoskube.models.objects import KubeObject

from .scripted import pod

NAMES = ("a", "b", "c")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(NAMES)),
        st.tuples(st.just("drop"), st.sampled_from(NAMES)),
        st.tuples(st.sampled_from(["put unseen", "drop unseen"]), st.sampled_from(NAMES)),
        st.tuples(st.sampled_from(["relist", "resync", "pop", "bookmark"]), st.just("")),
    ),
    max_size=40,
)


class Pair:
    """A server's state, a queue, and the store behind it."""

    def __init__(self, *, real: bool) -> None:
        self.server: dict[str, KubeObject] = {}
        self.seen: dict[str, KubeObject] = {}
        self.store: dict[str, KubeObject] = {}
        self.queue: Queue = RealFifo() if real else DeltaFifo(lambda: self.store)
        self.version = 0
        self.popped: list[Delta] = []

    def step(self, verb: str, name: str) -> None:
        """One thing that happens."""
        self.version += 1
        if verb.startswith("put"):
            self.server[f"ns/{name}"] = pod(name, self.version)
        elif verb.startswith("drop"):
            gone = self.server.pop(f"ns/{name}", None)
            if verb == "drop" and gone is not None and self.seen.pop(gone.key, None) is not None:
                self.queue.add(DELETED, pod(name, self.version))
        if verb == "put":
            kind = UPDATED if f"ns/{name}" in self.seen else ADDED
            self.seen[f"ns/{name}"] = self.server[f"ns/{name}"]
            self.queue.add(kind, self.server[f"ns/{name}"])
        elif verb == "relist":
            self.seen = dict(self.server)
            objects = tuple(self.server.values())
            self.queue.replace(WholeState(objects=objects, resource_version=str(self.version)))
        elif verb == "resync":
            self.queue.resync()
        elif verb == "bookmark":
            self.queue.bookmark(str(self.version))
        elif verb == "pop" and len(self.queue):
            self.take()

    def take(self) -> None:
        """Let the store take in what comes out next."""
        for delta in self.queue.pop():
            self.popped.append(delta)
            obj = delta.object
            if isinstance(obj, WholeState):
                if delta.type == REPLACED_ALL:
                    self.store = {each.key: each for each in obj.objects}
            elif (
                isinstance(obj, DeletedFinalStateUnknown)
                or isinstance(obj, KubeObject)
                and delta.type == DELETED
            ):
                self.store.pop(obj.key, None)
            elif isinstance(obj, KubeObject):
                self.store[obj.key] = obj

    def drain(self) -> None:
        """Let the store take in everything."""
        while len(self.queue):
            self.take()


def play(steps: list[tuple[str, str]], *, real: bool) -> Pair:
    """All steps, then everything is taken in."""
    pair = Pair(real=real)
    for verb, name in steps:
        pair.step(verb, name)
    pair.drain()
    return pair


@given(STEPS, st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_store_becomes_what_the_reflector_saw(steps: list[tuple[str, str]], real: bool) -> None:
    """Cache convergence, whatever is queued when a relist comes."""
    pair = play(steps, real=real)

    assert pair.store == pair.seen


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_the_real_fifo_keeps_every_change_in_order(steps: list[tuple[str, str]]) -> None:
    """Against the list of what went in."""
    pair = Pair(real=True)
    entered: list[str] = []
    for verb, name in steps:
        before = len(pair.queue)
        taken = len(pair.popped)
        pair.step(verb, name)
        if len(pair.queue) + len(pair.popped) - taken > before:
            entered.append(verb.split()[0])
    pair.drain()

    words = {ADDED: "put", UPDATED: "put", DELETED: "drop", REPLACED_ALL: "relist", BOOKMARK: "bookmark"}
    assert [words.get(delta.type, "resync") for delta in pair.popped] == entered


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_the_delta_fifo_tells_each_coming_and_going_once(steps: list[tuple[str, str]]) -> None:
    """By key: no deletion twice in a row, none of what was never told, and the last word is how things are."""
    pair = play(steps, real=False)

    told: dict[str, list[str]] = {}
    for delta in pair.popped:
        if isinstance(delta.object, KubeObject | DeletedFinalStateUnknown):
            key = delta.object.key
            told.setdefault(key, []).append("-" if delta.type == DELETED else "+")
    for key, words in told.items():
        assert "--" not in "".join(words)
        assert words[0] == "+"
        assert (words[-1] == "+") == (key in pair.seen)
    assert set(pair.seen) <= set(told)


def test_an_object_made_anew_while_its_deletion_is_queued_is_told_of() -> None:
    """kubernetes#83810: the relist's news of a re-created object must not be taken for old news."""
    store = {"ns/a": pod("a", 1)}
    queue = DeltaFifo(lambda: store)
    queue.add(DELETED, pod("a", 2))
    again = pod("a", 3, uid="again")
    queue.replace(WholeState(objects=(again,), resource_version="3"))

    assert queue.pop() == (Delta(DELETED, pod("a", 2)), Delta(REPLACED, again))


def test_of_two_deletions_in_a_row_the_one_that_was_seen_is_kept() -> None:
    """A tombstone knows less."""
    store = {"ns/a": pod("a", 1)}
    queue = DeltaFifo(lambda: store)
    queue.replace(WholeState(objects=(), resource_version="3"))
    queue.add(DELETED, pod("a", 2))

    assert queue.pop() == (Delta(DELETED, pod("a", 2)),)
    assert queue.pop()[0].type == SETTLED


def test_a_batch_holds_each_object_once() -> None:
    """the_real_fifo.go PopBatch: the store takes in a run of different keys, then handlers are told."""
    queue = RealFifo()
    for each in (pod("a", 1), pod("b", 2), pod("a", 3)):
        queue.add(UPDATED, each)
    queue.bookmark("9")

    assert [len(queue.pop()) for _ in range(3)] == [2, 1, 1]
