"""Judges a history of a real etcd along its revisions: never "unknown", in one pass.

Each answer carries the store's revision, so the order of all answered writes is known. The revisions that no answer
claims are told by the watches; each must be the effect of a call that got no answer. What follows is
`check_commit_order`, and that watches and members tell the same story. Rules, as a verdict names them:

    shared-revision    two writes were answered with one revision
    phantom-write      a revision that no call can have made
    hole               a revision that nobody claims and no watch tells of
    lost-write, wrong-answer, real-time-order      see `chaoskube.commit_order`
    watch-event        a watch was told something else of a revision than what was written
    watch-gap          a watch was told of a revision that is not the next
    members-differ     the members' own keys differ after the run
    final-state        they are not what was written
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from chaoskube.linearizability import Placed, check_commit_order
from chaoskube.models.etcd.messages import (
    DeleteRange,
    DeleteRangeResponse,
    Event,
    EventType,
    Put,
    PutResponse,
    Txn,
    TxnResponse,
)

from .etcd_recording import EtcdRecording, KvOperation, KvRequest, KvResponse
from .etcd_store import EtcdKeys, Keys, carry_out, events_between


@frozen(kw_only=True)
class Finding:
    """A rule that a recording breaks, and where."""

    rule: str
    message: str


@frozen(kw_only=True)
class Replay:
    """What happened, by revision: entry i of `requests` made revision i + 2, state i is that at revision i + 1."""

    requests: tuple[KvRequest, ...]
    states: tuple[Keys, ...]
    callers: tuple[KvOperation | None, ...]
    findings: tuple[Finding, ...]


def judge(recording: EtcdRecording) -> list[Finding]:
    """Every rule that is broken, with each place."""
    replay = replayed(recording)
    called = {id(one): position for position, one in enumerate(replay.callers, start=1)}
    placed = [
        Placed(
            operation=one,
            position=one.output.revision - 1 if one.output is not None else called.get(id(one)),
            is_write=one.output is None or is_write(one.output),
        )
        for one in recording.operations
    ]
    broken = check_commit_order(EtcdKeys(), replay.requests, placed)
    return [
        *replay.findings,
        *(Finding(rule=one.rule, message=one.message) for one in broken),
        *_watch_findings(recording, replay),
        *_final_findings(recording, replay),
    ]


def is_write(response: KvResponse) -> bool:
    """Whether an answer says that its revision is its own."""
    if isinstance(response, TxnResponse):
        return any(is_write(one) for one in response.responses)
    return isinstance(response, PutResponse) or (
        isinstance(response, DeleteRangeResponse) and response.deleted > 0
    )


def replayed(recording: EtcdRecording) -> Replay:
    """Who made each revision, and the state after it."""
    findings: list[Finding] = []
    claims = _claims(recording, findings)
    told = _told(recording)
    unanswered = [one for one in recording.operations if one.output is None]
    state = Keys()
    requests, states, callers = [], [state], []
    for revision in range(2, max([1, *claims, *told]) + 1):
        caller = claims.get(revision)
        if caller is None and revision in told:
            caller = _unanswered_maker(state, told[revision], unanswered)
        if caller is not None:
            request = caller.input
        else:
            request = Txn(success=tuple(_repeated(event) for event in told.get(revision, ())))
            rule = "phantom-write" if revision in told else "hole"
            findings.append(Finding(rule=rule, message=f"nobody made revision {revision}: {request}"))
        _, state = carry_out(state, request)
        state = evolve(state, revision=revision)
        requests.append(request)
        states.append(state)
        callers.append(caller)
    return Replay(
        requests=tuple(requests), states=tuple(states), callers=tuple(callers), findings=tuple(findings)
    )


def _claims(recording: EtcdRecording, findings: list[Finding]) -> dict[int, KvOperation]:
    """The answered writes by revision."""
    claims: dict[int, KvOperation] = {}
    for one in recording.operations:
        if one.output is not None and is_write(one.output):
            other = claims.setdefault(one.output.revision, one)
            if other is not one:
                message = f"revision {one.output.revision}: {other.input} and {one.input}"
                findings.append(Finding(rule="shared-revision", message=message))
    return claims


def _told(recording: EtcdRecording) -> dict[int, tuple[Event, ...]]:
    """The events of each revision, as the first watch told them."""
    told: dict[int, tuple[Event, ...]] = {}
    for watch in recording.watches:
        for batch in watch.batches:
            for revision, events in _by_revision(batch.events).items():
                told.setdefault(revision, events)
    return told


def _unanswered_maker(
    state: Keys, events: Sequence[Event], unanswered: list[KvOperation]
) -> KvOperation | None:
    """The call without an answer whose effect would be these events; it is used up."""
    for one in unanswered:
        _, after = carry_out(state, one.input)
        if _bare(events_between(state, after)) == _bare(events):
            unanswered.remove(one)
            return one
    return None


def _repeated(event: Event) -> Put | DeleteRange:
    """A request that makes an event."""
    if event.type is EventType.PUT:
        return Put(key=event.kv.key, value=event.kv.value)
    return DeleteRange(key=event.kv.key)


def _watch_findings(recording: EtcdRecording, replay: Replay) -> list[Finding]:
    """Each watch tells every revision once, in order, as it was written."""
    findings = []
    for watch in recording.watches:
        expected = watch.start_revision
        for batch in watch.batches:
            for revision, events in _by_revision(batch.events).items():
                where = f"member {watch.member} at {batch.time}, revision {revision}"
                if revision != expected:
                    findings.append(Finding(rule="watch-gap", message=f"{where}, expected {expected}"))
                written = events_between(replay.states[revision - 2], replay.states[revision - 1])
                if not _agree(events, written, recording.is_compacted):
                    findings.append(Finding(rule="watch-event", message=f"{where}: {events}, not {written}"))
                expected = revision + 1
    return findings


def _final_findings(recording: EtcdRecording, replay: Replay) -> list[Finding]:
    """After the run every member has what was written."""
    findings = []
    finals = list(recording.finals.items())
    for member, final in finals:
        if final != finals[0][1]:
            findings.append(Finding(rule="members-differ", message=f"members {finals[0][0]} and {member}"))
        if final.kvs != replay.states[-1].kvs or final.revision != len(replay.states):
            findings.append(Finding(rule="final-state", message=f"member {member} at {final.revision}"))
    return findings


def _by_revision(events: Sequence[Event]) -> dict[int, tuple[Event, ...]]:
    """A batch cut into revisions, the events of each by key."""
    cut: dict[int, list[Event]] = {}
    for event in events:
        cut.setdefault(event.kv.mod_revision, []).append(event)
    return {revision: tuple(sorted(some, key=_event_key)) for revision, some in cut.items()}


def _agree(told: Sequence[Event], written: Sequence[Event], may_lack_previous: bool) -> bool:
    """The same events; a previous value may be missing where history was compacted."""
    if tuple(told) == tuple(written):
        return True
    return (
        may_lack_previous
        and _bare(told) == _bare(written)
        and all(one.prev_kv in (None, other.prev_kv) for one, other in zip(told, written, strict=True))
    )


def _bare(events: Sequence[Event]) -> list[Event]:
    return [evolve(event, prev_kv=None) for event in events]


def _event_key(event: Event) -> str:
    return event.kv.key
