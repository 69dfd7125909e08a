"""How fast a follower is sent to: etcd-io/raft tracker/progress.go and inflights.go, rule by rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskube.models.raft.progress import Progress, ProgressState
from chaoskube.sim import ModelBug


def replicating(**options: int) -> Progress:
    progress = Progress(**options)  # type: ignore[arg-type]  # names of its own fields
    progress.become_replicate()
    return progress


@given(
    st.lists(st.integers(0, 50), max_size=20),
    st.integers(1, 8),
    st.integers(0, 100),
    st.data(),
)
def test_what_is_in_flight_is_bounded_in_messages_and_softly_in_bytes(
    sizes: list[int], count_max: int, bytes_max: int, data: st.DataObject
) -> None:
    """Against a plain list. The append that reaches the bound in bytes is still sent."""
    progress = replicating(inflight_max=count_max, inflight_bytes_max=bytes_max)
    naive: list[tuple[int, int]] = []
    for size in sizes:
        is_full = len(naive) >= count_max or (bytes_max > 0 and sum(one for _, one in naive) >= bytes_max)
        assert progress.is_full == is_full
        if is_full:
            upto = data.draw(st.integers(0, progress.next))
            progress.free_up_to(upto)
            naive = [one for one in naive if one[0] > upto]
        else:
            progress.sent_entries(1, size)
            naive.append((progress.next - 1, size))

        assert [*progress.inflight] == naive
        assert progress.inflight_bytes == sum(one for _, one in naive)


def test_a_prober_waits_after_each_append_with_entries() -> None:
    progress = Progress(next=5)

    progress.sent_entries(0)
    assert not progress.is_waiting
    progress.sent_entries(2)

    assert progress.is_waiting and progress.next == 5


def test_after_a_snapshot_probing_begins_behind_it() -> None:
    """The follower has at least that once it is there (progress.go BecomeProbe)."""
    progress = replicating(match=3)
    progress.become_snapshot(10)
    assert (progress.is_waiting, progress.next, progress.sent_commit) == (True, 11, 10)

    progress.become_probe()

    assert (progress.state, progress.next, progress.pending_snapshot) == (ProgressState.PROBE, 11, 0)


def test_a_failed_snapshot_is_forgotten() -> None:
    progress = replicating(match=3)
    progress.become_snapshot(10)
    progress.pending_snapshot = 0

    progress.become_probe()

    assert progress.next == 4


def test_nothing_is_appended_while_a_snapshot_is_under_way() -> None:
    progress = Progress()
    progress.become_snapshot(3)

    with pytest.raises(ModelBug, match="snapshot"):
        progress.sent_entries(1)


def test_old_refusals_are_ignored() -> None:
    """They arrive late when messages overtake each other (progress.go MaybeDecrTo)."""
    replicate = replicating(match=5, next=6)
    assert not replicate.maybe_decrease_to(5, 2)
    assert replicate.maybe_decrease_to(6, 2) and replicate.next == 6
    probe = Progress(match=0, next=10)
    assert not probe.maybe_decrease_to(3, 2)
    assert probe.maybe_decrease_to(9, 2) and probe.next == 3


def test_it_prints_as_etcd_s() -> None:
    """The status command of the scripts shows it."""
    progress = replicating(inflight_max=1)
    progress.is_learner = True
    progress.sent_entries(1)

    assert str(progress) == "StateReplicate match=0 next=2 learner paused inactive inflight=1[full]"
    progress.become_snapshot(7)
    progress.is_recently_active = True
    assert str(progress) == "StateSnapshot match=0 next=8 learner paused pendingSnap=7"


def test_a_copy_shares_nothing() -> None:
    progress = replicating()
    progress.sent_entries(1, 4)

    twin = progress.copy()
    twin.free_up_to(9)

    assert (len(progress.inflight), progress.inflight_bytes, len(twin.inflight)) == (1, 4, 0)
