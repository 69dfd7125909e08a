"""What a cluster's components make of faults of their views: they notice what can be noticed, and recover."""

from __future__ import annotations

from chaoskube.action import parse_step
from chaoskube.discovery import scenario_named
from chaoskube.models.client.events import InformerRelisted, WatchResumed, WriteAnswered, WriteSent
from chaoskube.models.observer import Written
from chaoskube.run import Session
from chaoskube.sim import Entry, seconds


def played(*lines: str, duration: str = "8s") -> list[Entry]:
    """The journal of the rolling update's story with these actions; all invariants hold."""
    with Session(scenario_named("rolling-update")) as session:
        session.warm_up()
        for step in map(parse_step, lines):
            session.advance_to(step.at)
            session.apply(step.action, step.aim)
        result = session.finish(seconds(duration), settles=False)
        entries = [one for one in session.world.journal.entries if one.at >= session.began]

    assert result.failure is None and not result.skipped
    return entries


def test_a_watch_that_has_expired_is_listed_anew() -> None:
    """Only that one: other kinds, and other clients of the same kind, go on."""
    entries = played("at 1s expire-watch watch=watch/pods@*>scheduler-0")

    relisted = [(one.by, one.event.resource) for one in entries if isinstance(one.event, InformerRelisted)]
    assert relisted == [("scheduler-0", "pods")]


def test_a_watch_that_was_dropped_goes_on_at_the_next_server() -> None:
    """From the last version, without a list."""
    entries = played("at 1s drop-stream stream=watch/pods@*>scheduler-0")

    resumed = [(one.by, one.event.resource) for one in entries if isinstance(one.event, WatchResumed)]
    assert resumed == [("scheduler-0", "pods")]
    assert not [one for one in entries if isinstance(one.event, InformerRelisted)]


def test_who_doesnt_see_new_pods_doesnt_bind_them_until_he_does() -> None:
    """A frozen view is late, and nothing of it is lost."""
    entries = played(
        "at 0s freeze-stream stream=watch/pods@*>scheduler-0 lasting=3s",
        "at 0s freeze-stream stream=watch/pods@*>scheduler-1 lasting=3s",
        "at 0s scale deployment=default/web replicas=4",
    )

    began = entries[0].at
    bound = [
        (one.at - began) / 1e9
        for one in entries
        if isinstance(one.event, Written) and one.event.subresource == "binding"
    ]
    assert len(bound) == 1 and 3 <= bound[0] < 3.1


def test_a_write_whose_answer_is_lost_has_happened() -> None:
    """The controller hears only that its connection broke; the pod is there."""
    entries = played(
        "at 0s scale deployment=default/web replicas=4",
        "before 1st create pods write of controller-manager-0 lose-answer question=api@controller-manager-0>*",
    )

    sent = [
        one.event.number for one in entries if isinstance(one.event, WriteSent) and _makes_a_pod(one.event)
    ]
    codes = {one.event.number: one.event.code for one in entries if isinstance(one.event, WriteAnswered)}
    writes = [one.event for one in entries if isinstance(one.event, Written)]
    made = [one for one in writes if (one.verb, one.resource, one.subresource) == ("create", "pods", "")]
    assert codes[sent[0]] == 0
    assert len(made) == len(sent)


def _makes_a_pod(sent: WriteSent) -> bool:
    return (sent.verb, sent.resource, sent.subresource) == ("create", "pods", "")
