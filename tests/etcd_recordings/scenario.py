"""What a recording asks to be played, in order, and what must have happened before each thing is done.

A thing is done at its recorded time, and not before whatever had been answered by then. Calls that overlapped
and were sent within `TOGETHER_SECONDS` are sent in the order in which their writes were committed: which of them
won was a race, and the recording shows how it ended.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from attrs import frozen

from tests.golden.recording import Control, EtcdCall, Note, Record, Recording, StreamEnd, StreamOpen
from tests.golden.trees import at

from .bodies import encoded

TOGETHER_SECONDS: Final = 0.05
_UNRECORDED: Final = "300 puts to the leader, not recorded one by one"
_LEADERS: Final = {
    "etcd-cluster-follower-lags": 1,
    "etcd-cluster-gap-on-kill": 2,
    "etcd-cluster-graceful-stop": 1,
    "etcd-cluster-leader-paused": 2,
    "etcd-cluster-move-leader": 2,
    "etcd-cluster-quorum-lost": 2,
}
"""Who led when the recording began, where it matters and no answer tells: by what was done to whom."""

Deed: TypeAlias = EtcdCall | StreamOpen | StreamEnd | Control


@frozen(kw_only=True)
class Step:
    """One thing to do, and the places (in the list of steps) of the calls that must be answered before."""

    deed: Deed
    after: tuple[int, ...]


def steps_of(recording: Recording) -> list[Step]:
    """Everything that the scenario did, in order."""
    deeds = [deed for record in recording.records for deed in _deeds(recording, record)]
    deeds.sort(key=lambda deed: deed.t)
    steps: list[Step] = []
    implied: list[set[int]] = []
    for place, deed in enumerate(deeds):
        before = _before(deeds, place)
        known = set().union(*(implied[other] for other in before if other < place))
        implied.append(known.union(before))
        steps.append(Step(deed=deed, after=tuple(other for other in before if other not in known)))
    return steps


def _deeds(recording: Recording, record: Record) -> list[Deed]:
    if isinstance(record, (EtcdCall, StreamOpen, StreamEnd, Control)):
        return [record]
    if isinstance(record, Note) and record.text == _UNRECORDED:
        return _three_hundred_puts(recording, record.t)
    return []


def _three_hundred_puts(recording: Recording, until: float) -> list[Deed]:
    """The writes that the recorder did not keep; their answers are not compared (`status` None, no body)."""
    start = max(record.t for record in recording.records if isinstance(record, Control) and record.t < until)
    step = (until - start) / 301
    leader = _LEADERS[recording.name]
    return [
        EtcdCall(
            t=start + step * (place + 1),
            path="/v3/kv/put",
            member=leader,
            request={"key": encoded("k"), "value": encoded(str(place))},
            status=None,
            response=None,
            took=step / 2,
            label="unrecorded",
        )
        for place in range(300)
    ]


def _before(deeds: list[Deed], place: int) -> tuple[int, ...]:
    deed = deeds[place]
    return tuple(
        other
        for other, earlier in enumerate(deeds)
        if other != place
        and isinstance(earlier, EtcdCall)
        and _must_come_before(earlier, deed, other < place)
    )


def _must_come_before(earlier: EtcdCall, deed: Deed, is_earlier: bool) -> bool:
    if is_earlier and earlier.t + earlier.took <= deed.t + 1e-4:
        return True
    if not isinstance(deed, EtcdCall) or abs(earlier.t - deed.t) > TOGETHER_SECONDS:
        return False
    overlap = earlier.t < deed.t + deed.took and deed.t < earlier.t + earlier.took
    return overlap and 0 < written_at(earlier) < written_at(deed)


def written_at(call: EtcdCall) -> int:
    """The revision of a write, 0 for anything else."""
    if call.path != "/v3/kv/put" or call.status != 200:
        return 0
    found = at(call.response, "header", "revision")
    return int(found) if isinstance(found, str) else 0


def leader_of(recording: Recording) -> int:
    """The place of the member that led when the recording began; 0 where it makes no difference."""
    return _LEADERS.get(recording.name, 0)
