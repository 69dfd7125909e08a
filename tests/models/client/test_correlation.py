"""Events that are combined or dropped (client-go tools/record/events_cache.go)."""

from __future__ import annotations

from chaoskube.models.client.correlation import COMBINED, Correlator
from chaoskube.sim import SECOND

POD = ("Pod", "ns", "a", "u1")


def test_the_tenth_similar_message_is_combined_with_those_before() -> None:
    """One reason, ten messages within ten minutes of each other; ten minutes of quiet begin anew."""
    correlator = Correlator()

    sent = [correlator.correlate(POD, "Warning", "Failed", str(n), n * SECOND) for n in range(12)]
    later = correlator.correlate(POD, "Warning", "Failed", "x", 612 * SECOND)

    assert [one.message for one in sent[8:]] == ["8", COMBINED + "9", COMBINED + "10", COMBINED + "11"]
    assert sent[9].key == sent[10].key
    assert sent[0].key != sent[1].key
    assert later.message == "x"


def test_one_message_may_come_as_often_as_it_likes_without_being_combined() -> None:
    """It counts up."""
    correlator = Correlator()

    keys = {correlator.correlate(POD, "Normal", "Pulled", "same", 0).key for _ in range(20)}

    assert len(keys) == 1


def test_the_26th_event_about_an_object_is_spam_for_five_minutes() -> None:
    """Other objects aren't touched."""
    correlator = Correlator()
    spam = [correlator.correlate(POD, "Normal", "R", "m", 0).is_spam for _ in range(26)]

    assert spam == [False] * 25 + [True]
    assert not correlator.correlate(("Pod", "ns", "b", "u2"), "Normal", "R", "m", 0).is_spam
    assert correlator.correlate(POD, "Normal", "R", "m", 299 * SECOND).is_spam
    assert not correlator.correlate(POD, "Normal", "R", "m", 300 * SECOND).is_spam
