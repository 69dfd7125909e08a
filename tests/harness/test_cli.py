"""The command line in another process: exit codes, one sentence for bad input, the same bytes everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaoskube.hunting import Order, ordered_scenarios
from chaoskube.trace import trace_text
from tests.harness.conftest import Command, Here
from tests.harness.test_trace import shortest

FOUND = ("hunt", "toy", "--seed", "1", "--examples", "3000", "--workers", "1")


def test_hunt_finds_tells_and_saves_and_replay_reproduces(chaoskube: Command, tmp_path: Path) -> None:
    """The whole way, in new processes under several hash seeds, to the last byte."""
    found = chaoskube(*FOUND)
    trace = tmp_path / "chaos-traces" / "toy-reads-are-fresh.chaos.yaml"

    assert found.returncode == 1, found.stderr
    assert "VIOLATED reads-are-fresh" in found.stdout
    assert f"chaoskube replay {trace.relative_to(tmp_path)}" in found.stdout
    assert len(found.stdout.splitlines()) <= 38
    digests = set()
    for hash_seed in ("0", "1", "4711"):
        again = chaoskube("replay", str(trace), "--quiet", hash_seed=hash_seed)
        assert again.returncode == 1, again.stderr
        assert again.stdout.startswith("reproduced: reads-are-fresh")
        digests.add(again.stdout)
    assert len(digests) == 1


def test_workers_find_the_same(chaoskube: Command, tmp_path: Path) -> None:
    """The first violation is the one with the lowest number, whoever ran it, under any hash seed."""
    texts = set()
    for workers, hash_seed in (("1", "1"), ("2", "2")):
        found = chaoskube(*FOUND[:-1], workers, "--out", workers, "--quiet", hash_seed=hash_seed)
        assert found.returncode == 1, found.stderr
        texts.add((tmp_path / workers / "toy-reads-are-fresh.chaos.yaml").read_text())
    assert len(texts) == 1


def test_exit_codes_follow_what_was_hoped_for(here: Here, tmp_path: Path) -> None:
    """0 as hoped, 1 not."""
    calm = ["hunt", "toy", "--examples", "5", "--quiet", "--seed", "3", "--workers", "1"]
    for verb in ("crash", "pause", "partition"):
        calm += ["--without", verb]
    (tmp_path / "x.chaos.yaml").write_text(trace_text(shortest()))

    assert here(*calm)[0] == 0
    assert here(*calm, "--expect", "violation")[0] == 1
    assert here("replay", "x.chaos.yaml", "--expect", "violation")[0] == 0
    assert here("minimise", "x.chaos.yaml")[0] == 0
    assert (tmp_path / "x.min.chaos.yaml").exists()


def test_input_comes_from_files_and_standard_input(chaoskube: Command, tmp_path: Path) -> None:
    """Through the entry point, so the harness knows no format."""
    (tmp_path / "three.toy").write_text("3")

    assert chaoskube("hunt", "three.toy", "--examples", "1", "--quiet").returncode == 0
    assert chaoskube("hunt", "-", "--examples", "1", "--quiet", stdin="2").returncode in (0, 2)


def test_list_shows_what_there_is(here: Here) -> None:
    """Scenarios, actions, invariants, bugs."""
    code, out, _ = here("list")

    assert code == 0
    for name in ("toy", "partition", "reads-are-fresh", "toy-write"):
        assert name in out


def test_explore_finds_and_says_how_far_it_looked(here: Here) -> None:
    """0 as hoped, 1 not; a violation is numbered steps, otherwise the last line is the bound that was hit."""
    single = ("explore", "raft", "--members", "1")

    code, out, _ = here(*single, "--depth", "2")
    assert code == 0 and out.splitlines()[-1].startswith(
        "ended by --depth 2: longer paths were not looked at"
    )
    code, out, _ = here("explore", "--bug", "raft-single-voter-ack-before-sync")
    assert code == 1 and "  1. member 1 times out, and loses power before write 2 of this is synced" in out
    code, out, _ = here(
        "explore", "--bug", "raft-single-voter-ack-before-sync", "--quiet", "--expect", "violation"
    )
    assert code == 0 and len(out.splitlines()) == 1


def test_a_workers_usage_error_reaches_the_user(chaoskube: Command, tmp_path: Path) -> None:
    """It was raised in another process, and is one sentence all the same."""
    (tmp_path / "rule.py").write_text(RULE)
    answer = chaoskube("hunt", "toy", "--invariants", "rule.py", "--seed", "1", "--workers", "2")

    assert answer.returncode == 2
    assert "chaoskube: invariant odd raised KeyError" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("hunt", "tyo"), "there is no scenario called 'tyo'; did you mean 'toy'?"),
        (("hunt", "missing.yaml"), "missing.yaml: there is no such file or folder"),
        (("hunt", "bad.toy"), "bad.toy:1: 'three' is no number of servers"),
        (("hunt", "toy", "--without", "crsh"), "'crsh' is not on the menu"),
        (("hunt", "toy", "--bug", "toy-forget"), "there is no bug called 'toy-forget'"),
        (("hunt", "toy", "--for", "soon"), "'soon' is not a duration"),
        (("hunt", "toy", "--invariants", "none.py"), "none.py: there is no such file"),
        (
            ("hunt", "toy", "--invariants", "rule.py", "--seed", "1", "--workers", "1"),
            "invariant odd raised KeyError",
        ),
        (("hunt", "toy", "--invariants", "broken.py"), "broken.py: cannot be imported: ZeroDivisionError"),
        (("replay", "missing.chaos.yaml"), "missing.chaos.yaml: cannot be read: No such file"),
        (("replay", "old.chaos.yaml"), "old.chaos.yaml:1: this is a trace of format 7"),
        (("minimise", "old.chaos.yaml"), "old.chaos.yaml:1: this is a trace of format 7"),
        (("replay", "binary.chaos.yaml"), "binary.chaos.yaml: is not UTF-8 text"),
        (("list", "things"), "'things' is not one of"),
        (("explore", "rafd"), "there is no exploration called 'rafd'; did you mean 'raft'?"),
        (("explore", "--members", "9"), "9 must be from 1 to 7"),
        (("explore", "--bug", "raft-vote"), "there is no bug called 'raft-vote'"),
        (
            ("explore", "--bug", "rs-count-before-expectations"),
            "`chaoskube hunt --bug rs-count-before-expectations` does",
        ),
        (("hunt", "--bug", "raft-commit-prior-term"), "chaoskube explore raft --bug raft-commit-prior-term"),
        (
            ("hunt", "toy", "--out", "bad.toy"),
            "bad.toy: the trace cannot be written: File exists, and bad.toy is no folder",
        ),
        (
            ("minimise", "fine.chaos.yaml", "--out", "bad.toy/x"),
            "bad.toy: the trace cannot be written: File exists",
        ),
        (("hnt",), "No such command 'hnt'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    here: Here, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    """No traceback, ever."""
    (tmp_path / "bad.toy").write_text("three")
    (tmp_path / "old.chaos.yaml").write_text("chaoskube: 7\nscenario: toy\nactions: []\n")
    (tmp_path / "binary.chaos.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "rule.py").write_text(RULE)
    (tmp_path / "fine.chaos.yaml").write_text("chaoskube: 1\nscenario: toy\nactions: []\n")

    code, out, err = here(*arguments)

    assert code == 2, err
    assert says in err
    assert "Traceback" not in err + out


def test_a_find_is_told_even_if_it_cannot_be_saved(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk may be full by then: minutes of hunting must not end in a sentence about a file."""
    (tmp_path / "traces").mkdir()
    monkeypatch.setattr(Path, "replace", lambda part, path: _no_space())
    code, out, err = here(*FOUND, "--out", "traces")

    assert code == 2
    assert "VIOLATED reads-are-fresh" in out
    assert "the trace cannot be written: No space left on device" in err


def _no_space() -> None:
    raise OSError(28, "No space left on device")


def test_a_bug_of_another_scenario_is_said_to_be_one(here: Here) -> None:
    """Else `nothing found` would read as if the bug could not be found."""
    order = ("--examples", "1", "--seed", "3", "--workers", "1", "--without", "crash", "--without", "pause")
    _, out, _ = here("hunt", "toy", "--bug", "rs-count-before-expectations", *order)

    assert "toy: rs-count-before-expectations shows in scale-storm; here it may change nothing" in out


def test_a_bug_gets_its_setup_also_where_its_scenario_is_named() -> None:
    """Whoever types it out means the same hunt."""
    slug = "etcd-slow-watcher-loses-events"
    (alone,) = ordered_scenarios(Order(bug=slug))
    (named,) = ordered_scenarios(Order(what=("etcd-watch",), bug=slug))
    (other,) = ordered_scenarios(Order(what=("etcd-watch",)))

    assert named.setup == alone.setup
    assert named.setup["watch_buffer"] == 1 != other.setup["watch_buffer"]


RULE = '''
from chaoskube.invariant import always
from chaoskube.sim import OperationStarted

@always(on=[OperationStarted])
def odd(event):
    """A rule with a slip."""
    raise KeyError("web")
'''


def test_a_rule_of_the_users_own_is_checked_and_its_trace_replays(chaoskube: Command, tmp_path: Path) -> None:
    """The trace names the rule's file, so replay finds it without help."""
    (tmp_path / "rule.py").write_text(
        RULE.replace('raise KeyError("web")', 'assert event.at < 0, "too late"')
    )

    for workers in ("1", "2"):
        found = chaoskube("hunt", "toy", "--invariants", "rule.py", "--quiet", "--workers", workers)
        assert found.returncode == 1, found.stderr
        assert found.stdout.strip() == "VIOLATED odd: too late"
    again = chaoskube("replay", "chaos-traces/toy-odd.chaos.yaml", "-q")
    assert again.stdout.startswith("reproduced: odd: too late"), again.stdout + again.stderr
