"""The work queue's three sets. Each claim is from client-go's util/workqueue/queue.go."""

from __future__ import annotations

from chaoskube.models.client.workqueue import WorkQueue


def test_many_adds_before_work_are_one_run() -> None:
    """A burst of events must not become a burst of syncs."""
    queue = WorkQueue()

    added = [queue.add("a") for _ in range(3)]

    assert added == [True, False, False]
    assert queue.take() == "a"
    assert queue.take() is None


def test_a_key_added_in_work_runs_once_more_afterwards() -> None:
    """The same key is never worked on twice at the same time, and no event is missed."""
    queue = WorkQueue()
    queue.add("a")
    queue.take()

    assert not queue.add("a")
    assert not queue.add("a")
    assert queue.take() is None
    assert queue.done("a")
    assert queue.take() == "a"
    assert not queue.done("a")
    assert queue.is_idle


def test_keys_come_in_the_order_they_were_added() -> None:
    """FIFO: no key starves."""
    queue = WorkQueue()
    for key in ("b", "a", "c"):
        queue.add(key)

    assert [queue.take() for _ in range(3)] == ["b", "a", "c"]


def test_of_two_delays_the_earlier_stands() -> None:
    """delaying_queue.go: AddAfter of a waiting key keeps the earlier time."""
    queue = WorkQueue()

    assert queue.put_off("a", 50)
    assert not queue.put_off("a", 80)
    assert queue.put_off("a", 20)
    assert not queue.is_due("a", 50)
    assert queue.is_due("a", 20)
    assert not queue.is_due("a", 20)
