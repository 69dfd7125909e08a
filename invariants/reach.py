"""Where some run of a hunt must get: a hunt that never does isn't testing what it should."""

from __future__ import annotations

from chaoskube.invariant import sometimes
from chaoskube.models.observer import (
    BecameLeader,
    Entry,
    InformerRelisted,
    LeaderStarted,
    NodeJudgedUnknown,
)


@sometimes(on=[BecameLeader])
def etcd_changes_its_leader(event: Entry, memory: dict[str, object]) -> None:
    """A second term has a leader: elections are exercised."""
    led = event.event
    assert isinstance(led, BecameLeader), "woken by its own event only"
    first = memory.setdefault("term", led.term)
    assert led.term != first, "still the first leader"


@sometimes(on=[LeaderStarted])
def a_standby_takes_over(event: Entry, memory: dict[str, object]) -> None:
    """Another process holds a lease than the first that did: failover of controllers is exercised."""
    started = event.event
    assert isinstance(started, LeaderStarted), "woken by its own event only"
    first = memory.setdefault(started.lease, event.by)
    assert event.by != first, "still the first holder"


@sometimes(on=[NodeJudgedUnknown])
def a_silent_node_is_called_unknown() -> None:
    """A node was silent for longer than its grace period: detection of dead nodes is exercised."""


@sometimes(on=[InformerRelisted])
def a_cache_is_listed_anew() -> None:
    """A client's watch could not go on and its cache was replaced: relisting is exercised."""
