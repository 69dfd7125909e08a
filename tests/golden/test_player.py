"""The player's own parts: what it reads out of a recording, what it cannot play, and `--golden`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .beginning import heartbeat_phase, start_ns
from .binding import Binding
from .compare import compare
from .history import as_run
from .player import play, why_not, without_lost_bodies
from .player_names import PlayerNames
from .races import firsts
from .recording import (
    Command,
    Control,
    Load,
    Recording,
    Watched,
    read_recording,
    replaced,
    to_line,
    write_recording,
)
from .story import story_of
from .trees import Tree, text, unix_seconds

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "recordings"


def _real(name: str) -> Recording:
    return read_recording(HERE / f"{name}.jsonl.gz")


def test_a_recording_is_written_as_it_was_read(tmp_path: Path) -> None:
    """Nothing is lost between a file and its records."""
    real = _real("deploy-pod-deleted")
    write_recording(real, tmp_path / "copy.jsonl.gz")
    copy = read_recording(tmp_path / "copy.jsonl.gz")

    assert [to_line(record) for record in copy.records] == [to_line(record) for record in real.records]


@pytest.mark.parametrize(
    "name", ["deploy-create-3", "deploy-pod-deleted", "sched-resource-fit", "node-short-silence"]
)
def test_the_start_agrees_with_every_time_in_the_recording(name: str) -> None:
    """Objects' times are whole seconds: a start that is off by a fraction puts some in the wrong second."""
    real = _real(name)
    start = start_ns(real) / 1e9
    for record in real.records:
        if isinstance(record, Watched) and record.type == "ADDED" and record.kind != "Event":
            created = unix_seconds(text(record.object, "metadata", "creationTimestamp"))
            assert -0.05 < start + record.t - created < 1.05


def test_heart_beats_fall_where_the_gaps_are() -> None:
    """sched-resource-fit has a gap of four unseen writes between 0.801 and 1.209 s, and three nodes."""
    assert 0.801 <= heartbeat_phase(_real("sched-resource-fit")) <= 1.209


def test_names_are_bound_both_ways() -> None:
    """A word inside a sentence is rewritten, a part of another word isn't."""
    binding = Binding()
    binding.bind("web-1a", "web-2b")

    assert binding.words_to_left('pod "web-2b": web-2b-x and web-2b.') == 'pod "web-1a": web-2b-x and web-1a.'
    assert binding.words_to_right("web-1a") == "web-2b"


def test_a_recorded_pod_is_bound_by_its_place() -> None:
    """The pod that the scenario deletes was the first of its ReplicaSet; ours is the first, too."""
    real = _real("deploy-pod-deleted")
    other = read_recording(HERE / "again" / "deploy-pod-deleted.jsonl.gz")
    seen = [record for record in other.records if isinstance(record, Watched) and record.t < 1.9]
    first = as_run(real).of_kind("Pod")[0].name

    ours = PlayerNames(real).to_ours(f"/api/v1/namespaces/x/pods/{first}", 1.9, seen)

    assert ours == f"/api/v1/namespaces/x/pods/{as_run(other).of_kind('Pod')[0].name}"


def test_what_cannot_be_played_is_said() -> None:
    """A recording that needs a fault of the control plane is not played without it."""
    real = _real("deploy-create-3")
    faulty = replaced(real, [*real.records, Control(t=1.0, op="kill", component="scheduler")])
    loaded = replaced(real, [*real.records, Load(t=1.0, millicores=5)])

    assert why_not(real) == ""
    assert "control" in why_not(faulty)
    assert "load" in why_not(loaded)


def test_the_same_play_twice_is_the_same_to_the_letter() -> None:
    """The player lives in a deterministic world and adds no luck of its own."""
    real = _real("deploy-create-3")

    assert story_of(play(real)[0]) == story_of(play(real)[0])


def test_other_luck_is_the_same_story() -> None:
    """Names and ties change with the seed, what is compared doesn't."""
    real = _real("svc-rolling-update-endpoints")
    ours, nodes = play(real, seed=7)

    assert compare(real, ours, right_goes_on=True, nodes=nodes) == []


def test_a_folder_of_recordings_is_played_with_one_line_each(tmp_path: Path) -> None:
    """`pytest --golden DIR` is how anybody holds the model against recordings of their own."""
    real = _real("api-conflict")
    wrong = [
        command if command.status != 404 else Control(t=command.t, op="kill", component="scheduler")
        for command in real.commands
    ]
    write_recording(real, tmp_path / "good.jsonl.gz")
    write_recording(replaced(real, wrong), tmp_path / "faulty.jsonl.gz")
    write_recording(replaced(real, real.records[:-8]), tmp_path / "short.jsonl.gz")

    arguments = [
        sys.executable,
        "-m",
        "pytest",
        "tests/golden/test_recordings.py",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*arguments, "-k", "recorded", "--golden", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "api-conflict: same" in done.stdout, done.stdout
    assert "api-conflict: cannot play because it does kill to scheduler (control)" in done.stdout
    assert done.returncode == 0, done.stdout


def test_a_recording_that_differs_is_shown_as_two_stories(tmp_path: Path) -> None:
    """Recording left, ours right, from the first line that differs."""
    real = _real("deploy-create-3")
    lie = [record for record in real.records if not (isinstance(record, Watched) and record.kind == "Event")]
    write_recording(replaced(real, lie), tmp_path / "lie.jsonl.gz")

    done = _pytest("--golden", str(tmp_path))

    assert done.returncode == 1, done.stdout
    assert "deploy-create-3: differs at 0.0" in done.stdout, done.stdout
    assert re.search(r"recording +\| ours", done.stdout), done.stdout
    assert re.search(r"> \(nothing\) +\| .*ScalingReplicaSet", done.stdout), done.stdout


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    """One clear sentence, no traceback."""
    done = _pytest("--golden", str(tmp_path))

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: --golden {tmp_path}: there is no recording (*.jsonl.gz) in it" in done.stderr


def _pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _write(t: float, seen: str, status: int, written: str) -> Command:
    body = {"metadata": {"resourceVersion": seen}}
    answer = {"metadata": {"resourceVersion": written}} if written else {}
    return Command(t=t, took=0.01, verb="PUT", path="/c/n", status=status, body=body, response=answer)


def test_of_overlapping_writes_the_recorded_winner_goes_first() -> None:
    """Who wins is the real server's choice; who came before or after isn't asked twice."""
    loser, winner = _write(0.0, "7", 409, ""), _write(0.001, "7", 200, "8")
    stale, late = _write(0.002, "6", 409, ""), _write(0.5, "7", 409, "")

    assert firsts([loser, winner, stale, late]) == {0: (1,)}


def test_a_read_that_found_nothing_goes_before_the_write_of_its_object() -> None:
    """ha-etcd-follower-killed: a reader of `w0` is answered 404 while the creation of `w0` is under way."""
    created: Tree = {"metadata": {"name": "w0", "resourceVersion": "8"}}
    write = Command(t=0.0, took=0.01, verb="POST", path="/c", status=201, response=created)
    early = Command(t=0.001, took=0.01, verb="GET", path="/c/w0", status=404, response={})
    later = Command(t=0.5, took=0.01, verb="GET", path="/c/w0", status=404, response={})

    assert firsts([write, early, later]) == {0: (1,)}


def test_a_recording_of_etcd_alone_is_held_against_our_etcd(tmp_path: Path) -> None:
    """`--golden` takes any recording that the README describes."""
    name = "etcd-put-flags.jsonl.gz"
    (tmp_path / name).write_bytes((ROOT / "tests" / "etcd_recordings" / "recordings" / name).read_bytes())
    done = _pytest("--golden", str(tmp_path))

    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "etcd-put-flags: same" in done.stdout


def test_a_command_whose_body_was_not_kept_is_left_out() -> None:
    """Sending the note in its place would ask for something else."""
    real = _real("api-conflict")
    asked = Command(
        t=0.0, verb="POST", path="/c", status=422, response={}, body={"note": "a million letters"}
    )

    assert without_lost_bodies(replaced(real, [*real.records, asked])).records == real.records
    assert without_lost_bodies(real) is real
