"""The work queue's three sets. Each claim is from client-go's util/workqueue/queue.go."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

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


class Naive:
    """A queue that remembers all that happened, and looks it up each time."""

    def __init__(self) -> None:
        self.history: list[tuple[str, str]] = []

    def _last(self, verb: str, key: str) -> int:
        return max((i for i, (v, k) in enumerate(self.history) if (v, k) == (verb, key)), default=-1)

    def in_work(self, key: str) -> bool:
        """Taken, and not done since."""
        return self._last("take", key) > self._last("done", key)

    def _wanted_since(self, key: str) -> int | None:
        """When the key came to wait: its first add since it was taken, or the end of the work that it waited for."""
        taken, done = self._last("take", key), self._last("done", key)
        adds = [i for i, step in enumerate(self.history) if step == ("add", key) and i > taken]
        if not adds or self.in_work(key):
            return None
        return max(adds[0], done) if adds[0] < done else adds[0]

    def waiting(self) -> list[str]:
        """Keys that may be taken, who waits longest first."""
        keys = {key for _, key in self.history}
        since = {key: at for key in keys if (at := self._wanted_since(key)) is not None}
        return sorted(since, key=lambda key: since[key])


@given(
    st.lists(st.tuples(st.sampled_from(["add", "add", "take", "done"]), st.sampled_from("abc")), max_size=40)
)
@settings(max_examples=400, deadline=None)
def test_it_behaves_like_a_queue_that_remembers_everything(steps: list[tuple[str, str]]) -> None:
    """No key is lost, none is in work twice, and who waited longest comes first."""
    queue, naive = WorkQueue(), Naive()
    for verb, key in steps:
        if verb == "add":
            naive.history.append(("add", key))
            before = len(queue)
            assert queue.add(key) == (len(queue) > before)
        elif verb == "take":
            expected = naive.waiting()
            taken = queue.take()
            assert taken == (expected[0] if expected else None)
            if taken is not None:
                assert not naive.in_work(taken)
                naive.history.append(("take", taken))
        elif naive.in_work(key):
            naive.history.append(("done", key))
            queue.done(key)
        assert len(queue) == len(naive.waiting())


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), max_size=30))
@settings(max_examples=200, deadline=None)
def test_a_key_that_is_put_off_comes_at_the_earliest_of_its_times(calls: list[tuple[int, int]]) -> None:
    """Naive: of all times asked for since it last came, the smallest; those passed over are no time at all."""
    queue, now = WorkQueue(), 0
    timers: list[int] = []
    wanted: list[int] = []
    came: list[int] = []
    for pause, delay in calls:
        now += pause
        for due in sorted(at for at in timers if at <= now):
            if queue.is_due("a", due):
                came.append(due)
                assert due == min(wanted)
                wanted = []
        timers = [at for at in timers if at > now]
        wanted.append(now + delay)
        if queue.put_off("a", now + delay):
            timers.append(now + delay)
    assert (min(wanted) in timers) if wanted else True


def test_a_queue_that_shuts_down_takes_nothing_new_and_gives_out_what_waits() -> None:
    """ShutDownWithDrain: over when nothing is in work any more."""
    queue = WorkQueue()
    queue.add("a")
    queue.shut_down()

    assert not queue.add("b")
    assert not queue.put_off("b", 5)
    assert queue.take() == "a"
    assert queue.take() is None
    queue.done("a")
    assert queue.is_idle
