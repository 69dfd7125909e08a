"""Our store answers as a real etcd does, request by request and event by event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaoskube.bug import patched
from chaoskube.models.etcd import mvcc, txn
from chaoskube.models.etcd.messages import (
    Compact,
    Compare,
    CompareTarget,
    DeleteRange,
    KeyValue,
    Put,
    Range,
    Request,
    SortOrder,
    SortTarget,
    Txn,
    WatchCreate,
)
from tests.differential.compare import Difference, compare_history
from tests.differential.corpus import CASES, check_corpus
from tests.differential.oracle import Oracle
from tests.differential.search import search
from tests.differential.server import NoServer, running_server
from tests.differential.values import from_data, moved, to_data

REQUESTS = 2_000
SEED = 20_000


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    """A real server; without one the test is skipped and says so in one line."""
    try:
        with running_server() as server:
            oracle = Oracle(server)
            yield oracle
            oracle.close()
    except NoServer as missing:
        pytest.skip(str(missing))


def test_a_real_server_answers_alike(oracle: Oracle) -> None:
    """The differential test: `python -m tests.differential` does more of it."""
    figures = search(oracle, REQUESTS, SEED)

    assert figures.requests >= REQUESTS and figures.watches > 0 and figures.refused > 0


@pytest.mark.parametrize("case", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_what_once_differed_is_alike(oracle: Oracle, case: Path) -> None:
    """Each file is the smallest history of a difference that was found, or of a surprise that was worth keeping."""
    kept = json.loads(case.read_text())
    requests, watch = from_data(kept["requests"]), from_data(kept["watch"])
    assert isinstance(requests, tuple) and isinstance(watch, WatchCreate | None)

    met = compare_history(requests, oracle, watch)

    assert [one.issue for one in met] == kept.get("deviations", [])


def test_recorded_answers_are_alike() -> None:
    """The same without a server: what one answered is committed."""
    assert check_corpus() >= 2_000


BROKEN = {
    "a range is sorted without looking at the limit first": (
        mvcc,
        "ordered",
        lambda found, request: sorted(found, key=lambda kv: kv.mod_revision),
        (
            Put(key="b", value="1"),
            Put(key="a", value="1"),
            Range(key="a", range_end="\0", sort_order=SortOrder.DESCEND, sort_target=SortTarget.MOD),
        ),
    ),
    "a missing key compares unequal to a value": (
        txn,
        "compare_holds",
        lambda compare, kv: kv is None,
        (Txn(compare=(Compare(key="a", target=CompareTarget.VALUE, value="1"),)),),
    ),
    "ranges of a transaction aren't checked": (
        txn,
        "check_range",
        lambda operation, store: None,
        (Txn(success=(Range(key="a", revision=99, count_only=True, limit=1), DeleteRange(key="a"))),),
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_wrong_store_is_noticed(oracle: Oracle, what: str) -> None:
    """The comparison has power: each of these is wrong in one function alone."""
    module, name, broken, history = BROKEN[what]

    with patched(module, name, broken), pytest.raises((Difference, AssertionError)):
        compare_history(history, oracle, None)


def test_a_compaction_that_drops_a_deletion_is_noticed(oracle: Oracle) -> None:
    """18089 is in the list of known deviations: ours without it differs from ours with it, as the server's."""
    history: tuple[Request, ...] = (Put(key="a", value="1"), DeleteRange(key="a"), Compact(3, physical=True))
    watch = WatchCreate(key="a", range_end="\0", start_revision=3)

    met = compare_history(history, oracle, watch)

    assert [one.issue for one in met] == [18089]
    with patched(mvcc, "keeps_deletion", lambda deleted_at, compacted: False):
        assert compare_history(history, oracle, watch) == []


def test_values_survive_files_and_moves() -> None:
    """What is stored is what is read; a move forth and back changes nothing."""
    request = Txn(
        compare=(Compare(key="a", target=CompareTarget.MOD, value=3),),
        success=(
            Range(key="a", revision=4, sort_target=SortTarget.MOD),
            Txn(success=(Put(key="b", value="x"),)),
        ),
        failure=(Range(key="a", revision=-1),),
    )
    kv = KeyValue(key="a", value="x", create_revision=2, mod_revision=5, version=3, lease=7)

    for value in (request, kv, Compact(5)):
        assert from_data(json.loads(json.dumps(to_data(value)))) == value
        assert moved(moved(value, 100), -100) == value
    assert "103" in str(moved(request, 100)) and "-1" in str(moved(request, 100))
