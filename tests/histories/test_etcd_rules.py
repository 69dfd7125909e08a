"""A recording of a real etcd is accepted as it is; each rule is broken by the one change that it is there for."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from attrs import evolve

from chaoskube.models.etcd.messages import Event, PutResponse, Range, RangeResponse, Txn, TxnResponse
from chaoskube.models.etcd.state import State
from chaoskube.sim import UsageError

from .conftest import COMMITTED
from .etcd_recording import Batch, EtcdRecording, KvOperation, KvRequest, Watch, read_recording
from .etcd_rules import is_write, judge, replayed
from .etcd_store import events_between

Change = Callable[[EtcdRecording], EtcdRecording]


@cache
def healthy() -> EtcdRecording:
    return read_recording(COMMITTED / "healthy-3.jsonl.gz")


def rules(recording: EtcdRecording) -> set[str]:
    return {finding.rule for finding in judge(recording)}


def changed(recording: EtcdRecording, old: KvOperation, new: KvOperation | None) -> EtcdRecording:
    operations = tuple(new if one is old else one for one in recording.operations)
    return evolve(recording, operations=tuple(one for one in operations if one is not None))


def a_put(recording: EtcdRecording) -> KvOperation:
    """One from the middle."""
    puts = [one for one in recording.operations if isinstance(one.output, PutResponse)]
    return puts[len(puts) // 2]


def a_read(recording: EtcdRecording) -> tuple[KvOperation, RangeResponse]:
    """One from the middle that found a key."""
    reads = [(one, one.output) for one in recording.operations if isinstance(one.output, RangeResponse)]
    found = [(one, output) for one, output in reads if output.kvs]
    return found[len(found) // 2]


def without_a_call(recording: EtcdRecording) -> EtcdRecording:
    return changed(recording, a_put(recording), None)


def without_a_revision(recording: EtcdRecording) -> EtcdRecording:
    put = a_put(recording)
    assert put.output is not None
    return evolve(
        without_a_call(recording), watches=_told_without(recording, put.output.revision, members="123")
    )


def with_an_answer_twice(recording: EtcdRecording) -> EtcdRecording:
    put = a_put(recording)
    assert put.output is not None
    return changed(recording, put, evolve(put, output=evolve(put.output, revision=put.output.revision + 1)))


def with_another_value_read(recording: EtcdRecording) -> EtcdRecording:
    read, output = a_read(recording)
    kvs = (evolve(output.kvs[0], value="other"), *output.kvs[1:])
    return changed(recording, read, evolve(read, output=evolve(output, kvs=kvs)))


def with_a_stale_read(recording: EtcdRecording) -> EtcdRecording:
    """What the read would have been told a hundred revisions before."""
    read, output = a_read(recording)
    state = replayed(recording).states[output.revision - 101]
    assert isinstance(read.input, Range)
    end = read.input.range_end
    kvs = tuple(
        kv for kv in state.kvs if kv.key == read.input.key or (end and read.input.key <= kv.key < end)
    )
    stale = RangeResponse(revision=output.revision - 100, kvs=kvs, count=len(kvs))
    return changed(recording, read, evolve(read, output=stale))


def with_a_guard_judged_wrongly(recording: EtcdRecording) -> EtcdRecording:
    """The guard held and the put was done, but the client was told that it didn't and wasn't."""
    guarded, output = next(
        (one, one.output)
        for one in recording.operations
        if isinstance(one.input, Txn) and one.input.compare and isinstance(one.output, TxnResponse)
        if one.output.succeeded and one.output.revision > 100
    )
    denied = evolve(output, succeeded=False, responses=(RangeResponse(revision=0),))
    return changed(recording, guarded, evolve(guarded, output=denied))


def with_another_event(recording: EtcdRecording) -> EtcdRecording:
    watch = recording.watches[1]
    batches = list(watch.batches)
    event = batches[50].events[0]
    other = evolve(event, kv=evolve(event.kv, version=event.kv.version + 1))
    batches[50] = evolve(batches[50], events=(other, *batches[50].events[1:]))
    return evolve(recording, watches=(recording.watches[0], evolve(watch, batches=batches)))


def with_a_missing_event(recording: EtcdRecording) -> EtcdRecording:
    put = a_put(recording)
    assert put.output is not None
    return evolve(recording, watches=_told_without(recording, put.output.revision, members="2"))


def with_a_member_behind(recording: EtcdRecording) -> EtcdRecording:
    final = recording.finals["2"]
    return evolve(recording, finals={**recording.finals, "2": evolve(final, kvs=final.kvs[1:])})


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (without_a_call, {"phantom-write"}),
        (without_a_revision, {"hole", "watch-gap"}),
        (with_an_answer_twice, {"shared-revision", "lost-write"}),
        (with_another_value_read, {"wrong-answer"}),
        (with_a_stale_read, {"real-time-order"}),
        (with_a_guard_judged_wrongly, {"wrong-answer"}),
        (with_another_event, {"watch-event"}),
        (with_a_missing_event, {"watch-gap"}),
        (with_a_member_behind, {"members-differ", "final-state"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_each_rule_sees_what_it_is_there_for(change: Change, broken: set[str]) -> None:
    """Six recordings that pass prove nothing about rules that can't fail."""
    assert broken <= rules(change(healthy()))


def test_the_members_that_diverged_break_rules_of_six_kinds() -> None:
    """etcd bug 18667: one transaction failed on one member and was applied on the others."""
    recording = read_recording(COMMITTED / "bug18667-diverged-3.jsonl.gz")

    assert rules(recording) == {
        "shared-revision",
        "phantom-write",
        "lost-write",
        "wrong-answer",
        "real-time-order",
        "watch-event",
    }


def test_unanswered_writes_that_took_effect_are_found_by_their_events() -> None:
    """Every fortieth write loses its answer, and the verdict stays."""
    recording = healthy()
    writes = [one for one in recording.operations if one.output is not None and is_write(one.output)]
    lost = {id(one) for one in writes[::40]}
    operations = tuple(one.unanswered() if id(one) in lost else one for one in recording.operations)
    recording = evolve(recording, operations=operations)
    replay = replayed(recording)

    assert judge(recording) == []
    assert sum(one is not None and not one.is_answered for one in replay.callers) == len(lost)


@pytest.mark.parametrize("name", ["healthy-3", "kill-leader-3", "pause-leader-3", "kill-all-3", "compact-1"])
def test_our_store_answers_what_the_real_one_answered(name: str) -> None:
    """Every field of every answer and event, but for revisions inside of transactions, which mean nothing."""
    recording = read_recording(COMMITTED / f"{name}.jsonl.gz")
    replay = replayed(recording)
    callers = {id(one) for one in replay.callers}
    reads: dict[int, list[KvOperation]] = {}
    for one in recording.operations:
        if one.output is not None and id(one) not in callers:
            reads.setdefault(one.output.revision, []).append(one)
    state = State()
    for request, caller, (before, after) in zip(
        replay.requests, replay.callers, pairwise(replay.states), strict=True
    ):
        for read in reads.get(before.revision, ()):
            assert read_in(state, read.input) == read.output
        applied = state.apply(request, 0)
        assert caller is None or caller.output in (None, bare(applied.response))
        assert told(applied.events) == told(events_between(before, after))


def read_in(state: State, request: KvRequest) -> object:
    """The answer to what changes nothing here: a range, a guard that doesn't hold, a deletion of nothing."""
    if isinstance(request, Range):
        return state.read(request)
    applied = state.apply(request, 0)
    assert applied.events == ()
    return bare(applied.response)


def told(events: Sequence[Event]) -> list[Event]:
    """Events by key, without what a watch looks up besides."""
    return sorted((evolve(event, prev_kv=None) for event in events), key=lambda event: event.kv.key)


def bare(response: object) -> object:
    """An answer without the revisions inside of it."""
    if not isinstance(response, TxnResponse):
        return response
    return evolve(response, responses=tuple(evolve(one, revision=0) for one in response.responses))


def test_a_recording_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    """In the middle of the compressed data, and between two lines."""
    whole = (COMMITTED / "healthy-3.jsonl.gz").read_bytes()
    file = tmp_path / "cut.jsonl.gz"
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=r"cut.jsonl.gz:\d+: the compressed file can't be read on"):
        read_recording(file)

    lines = gzip.decompress(whole).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(lines[:100])))
    with pytest.raises(
        UsageError, match="cut.jsonl.gz:100: the last line is not of type final; the file was cut off"
    ):
        read_recording(file)


@pytest.mark.parametrize(
    "line",
    [
        b"what\n",
        b'{"type":"what"}\n',
        b'{"type":"kv","path":"/v3/kv/put","request":{}}\n',
        b'{"type":"kv"}\n',
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "bad.jsonl.gz"
    file.write_bytes(gzip.compress(b'{"type":"meta"}\n' + line))

    with pytest.raises(UsageError, match="bad.jsonl.gz:2: .* is no line of an etcd history"):
        read_recording(file)


def _told_without(recording: EtcdRecording, revision: int, *, members: str) -> tuple[Watch, ...]:
    """The watches of some members, as if they had never been told of a revision."""
    return tuple(
        evolve(watch, batches=[_cut(batch, revision) for batch in watch.batches])
        if watch.member in members
        else watch
        for watch in recording.watches
    )


def _cut(batch: Batch, revision: int) -> Batch:
    return evolve(batch, events=tuple(event for event in batch.events if event.kv.mod_revision != revision))
