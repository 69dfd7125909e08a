"""Ask an invariant about a written journal: nothing runs, so each rule is seen alone."""

from __future__ import annotations

from attrs import frozen

from chaoskube.invariant import Invariant
from chaoskube.models.etcd.messages import Event, EventType, KeyValue
from chaoskube.models.etcd.view import EtcdView
from chaoskube.sim import Entry, Journal


@frozen
class Seen:
    """An observer of an etcd cluster alone."""

    etcd: EtcdView


def judge(invariant: Invariant, *events: tuple[str, object]) -> str | None:
    """What the invariant says after these events of (member, event), asked at each; one a nanosecond."""
    return judge_at(invariant, *[(at, by, event) for at, (by, event) in enumerate(events)])


def judge_at(
    invariant: Invariant, *events: tuple[int, str, object], checkpoint_ns: int | None = None
) -> str | None:
    """The same with the time of each event; `checkpoint_ns` is how often leases are noted."""
    journal = Journal()
    seen = Seen(EtcdView(journal))
    seen.etcd.leases.checkpoint_ns = checkpoint_ns
    told: list[str] = []

    def ask(entry: Entry) -> None:
        message = invariant.ask(seen, entry, {})
        if message is not None:
            told.append(message)

    for event_type in invariant.on:
        journal.subscribe(event_type, ask)
    for at, by, event in events:
        journal.record(at, by, event)
    return told[0] if told else None


def version(key: str, revision: int, value: object = "x", *, created: int = 0, number: int = 1) -> KeyValue:
    """One version of a key; created by it unless said otherwise."""
    return KeyValue(
        key=key,
        value=value,
        create_revision=created or revision,
        mod_revision=revision,
        version=number,
    )


def put(key: str, revision: int, value: object = "x", *, created: int = 0, number: int = 1) -> Event:
    """A put of that version."""
    return Event(type=EventType.PUT, kv=version(key, revision, value, created=created, number=number))
