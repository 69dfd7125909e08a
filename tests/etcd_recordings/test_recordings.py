"""The simulated etcd answers what the recorded one answered, field by field."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaoskube.models.etcd.messages import Put, Txn
from chaoskube.models.etcd.mvcc import Store
from chaoskube.sim import UsageError
from tests.golden.recording import EtcdCall, read_recording, replaced

from .bodies import encoded, shortened, with_body
from .cluster import options_of
from .compare import differences, tree_differences
from .conftest import RECORDINGS
from .known import KNOWN, LUCK, surprises
from .player import play
from .requests import request_of
from .scenario import steps_of


def test_ours_answers_as_the_recorded_etcd_did(etcd_recorded: Path) -> None:
    """Answers, errors, revisions, order of events, time-outs: fidelity is measured, not claimed."""
    found = surprises(read_recording(etcd_recorded))

    if found:
        pytest.fail("\n".join(found[:20]), pytrace=False)


def test_what_was_recorded_does_not_hang_on_the_seed() -> None:
    """Other elections and other latencies: the same answers."""
    for name in ("etcd-watch-basic", "etcd-cluster-follower-lags", "etcd-cluster-graceful-stop"):
        recording = read_recording(RECORDINGS / f"{name}.jsonl.gz")
        assert not differences(recording, play(recording, seed=7)), name


def test_every_known_difference_is_of_a_recording_that_is_here() -> None:
    """A renamed recording must not keep its excuses."""
    names = {path.name.removesuffix(".jsonl.gz") for path in RECORDINGS.glob("*.jsonl.gz")}

    assert set(KNOWN) | set(LUCK) <= names


def test_a_store_that_forgets_versions_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison that leaves out too much would pass whatever the store does."""
    put = Store.put

    def forgetful(self: Store, key: str, value: object, lease: int = 0) -> object:
        put(self, key, value, lease)
        return put(self, key, value, lease)

    monkeypatch.setattr(Store, "put", forgetful)
    recording = read_recording(RECORDINGS / "etcd-put-and-range.jsonl.gz")

    assert any("version" in one for one in differences(recording, play(recording)))


def test_a_lost_answer_is_found_out() -> None:
    """As is one that came where none was recorded."""
    recording = read_recording(RECORDINGS / "etcd-put-flags.jsonl.gz")
    lied = replaced(
        recording,
        [
            EtcdCall(t=one.t, path=one.path, member=0, request=one.request, status=None, response=None)
            if isinstance(one, EtcdCall) and one.path == "/v3/lease/grant"
            else one
            for one in recording.records
        ],
    )

    assert [one for one in differences(lied, play(lied)) if "/v3/lease/grant" in one]


def test_calls_that_raced_are_sent_in_the_order_in_which_they_were_committed() -> None:
    """Else the four writers of etcd-watch-order-under-load would get each other's revisions."""
    steps = steps_of(read_recording(RECORDINGS / "etcd-watch-order-under-load.jsonl.gz"))
    first = [step.deed.request for step in steps if isinstance(step.deed, EtcdCall)][:2]
    waiting = next(step for step in steps if step.after and steps[step.after[0]].deed.t > step.deed.t)

    assert first == [
        {"key": encoded("k0"), "value": encoded("0")},
        {"key": encoded("k1"), "value": encoded("0")},
    ]
    assert isinstance(waiting.deed, EtcdCall)


@pytest.mark.parametrize(
    ("note", "size"),
    [
        ("put big, 1000000 bytes", 1_000_000),
        ("a key of 100000 bytes", 1),
        ("128 puts k0..k127", 0),
        ("5 puts f0..f4 of 200000 letters x", 200_000),
    ],
)
def test_requests_too_big_to_keep_are_made_again(note: str, size: int) -> None:
    """From the note that was kept in their place."""
    path = "/v3/kv/txn" if "puts" in note else "/v3/kv/put"
    request = request_of(path, with_body({"note": note}))
    last = request.success[-1] if isinstance(request, Txn) else request

    assert isinstance(last, Put)
    assert len(str(last.value)) == size
    with pytest.raises(ValueError, match="no request can be made"):
        with_body({"note": "something else"})
    assert shortened("x" * 200_000) == "(200000 letters x)"


def test_a_flag_that_ours_does_not_have_is_refused() -> None:
    """A recording made under another configuration would be compared with the wrong thing."""
    with pytest.raises(UsageError, match="auto-compaction-mode"):
        options_of({"auto-compaction-mode": "periodic"})


def test_trees_differ_where_they_differ() -> None:
    """Missing fields, other values, shorter lists."""
    assert list(tree_differences({"a": [1, {"b": "x"}], "c": 1}, {"a": [1], "c": 1})) == [
        ".a[1] is {'b': 'x'}, ours None"
    ]
