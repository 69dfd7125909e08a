"""Determinism is the product: one trace, one digest; in every process, hash seed and Python.

The committed digests of `tests/traces` change only by `--rewrite`. A leak that is planted on purpose makes the
same check fail, so it is known to see.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaoskube.replay import replay
from chaoskube.sim import SECOND, World
from chaoskube.trace import read_trace

ROOT = Path(__file__).parent.parent
TRACES = sorted((ROOT / "tests" / "traces").glob("*.chaos.yaml"))
NAMES = [trace.name.removesuffix(".chaos.yaml") for trace in TRACES]
DIGEST = re.compile(r"^digest: (\S+)$", re.MULTILINE)
INTERPRETERS = [f"python3.{minor}" for minor in range(11, 20)]

PROGRAM = """
import json, sys
from pathlib import Path
from chaoskube.replay import replay
from chaoskube.trace import read_trace
json.dump({name: replay(read_trace(Path(name))).result.digest for name in sys.argv[1:]}, sys.stdout)
"""


def _digests_in_another_process(*, python: str = sys.executable, hash_seed: str = "0") -> dict[str, str]:
    paths = [str(ROOT), sysconfig.get_path("purelib")]
    environment = dict(os.environ, PYTHONHASHSEED=hash_seed, PYTHONPATH=os.pathsep.join(paths))
    ran = subprocess.run(
        [python, "-c", PROGRAM, *map(str, TRACES)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{python}: {ran.stderr[-2000:]}"
    return {Path(name).name: digest for name, digest in json.loads(ran.stdout).items()}


def _committed() -> dict[str, str]:
    found = {trace.name: DIGEST.search(trace.read_text()) for trace in TRACES}
    return {name: match[1] for name, match in found.items() if match is not None}


@pytest.mark.parametrize("trace", TRACES, ids=NAMES)
def test_a_trace_has_the_digest_that_is_committed_twice_in_one_process(
    trace: Path, request: pytest.FixtureRequest
) -> None:
    first = replay(read_trace(trace)).result
    again = replay(read_trace(trace)).result
    if request.config.getoption("--rewrite"):
        trace.write_text(DIGEST.sub(f"digest: {first.digest}", trace.read_text()))

    assert first.skipped == ()
    assert first.digest == again.digest == _committed()[trace.name]


def test_digests_hold_in_other_processes_and_under_every_hash_seed() -> None:
    for hash_seed in ("1", "4242"):
        assert _digests_in_another_process(hash_seed=hash_seed) == _committed(), f"PYTHONHASHSEED={hash_seed}"


def _other_interpreters() -> Iterator[str]:
    """Every other Python of a supported version that starts: on the path, or installed by pyenv."""
    managed = sorted(Path.home().glob(".pyenv/versions/*/bin/python3.*"))
    for name in INTERPRETERS:
        if name == f"python3.{sys.version_info.minor}":
            continue
        for found in filter(None, (shutil.which(name), *(str(one) for one in managed if one.name == name))):
            asked = subprocess.run([found, "-c", "print(1)"], capture_output=True, check=False)
            if asked.returncode == 0:
                yield found
                break


def test_digests_hold_under_every_python_that_answers(capsys: pytest.CaptureFixture[str]) -> None:
    others = list(_other_interpreters())
    for python in others:
        assert _digests_in_another_process(python=python) == _committed(), python

    with capsys.disabled():
        print(f"\ndigests agree under {', '.join([sys.executable, *others])}")
    if not others:
        pytest.skip("only one Python answers here")


def test_worlds_that_ran_before_change_nothing() -> None:
    trace = TRACES[0]
    with World(seed=99) as world:
        world.process(
            "other", host="elsewhere", boot=lambda process: process.spawn(process.sleep, SECOND)
        ).start()
        world.call_later(10 * SECOND, lambda: None)
        world.advance(2 * SECOND)

    assert replay(read_trace(trace)).result.digest == _committed()[trace.name]


LEAKS = {
    "a set of strings in its own order": "list({'alpha', 'beta', 'gamma', 'delta', 'epsilon'})",
    "objects by their id": "sorted([object() for _ in range(8)], key=id) and [id(object()) % 4096]",
}

LEAKY = """
import sys
from chaoskube.sim import SECOND, World
def boot(process):
    for name in {leak}:
        process.call_later(SECOND, lambda: None)
        process.send("leaky", str(name))
with World() as world:
    world.process("leaky", host="h", boot=boot).start()
    world.call_later(9 * SECOND, lambda: None)
    world.advance(2 * SECOND)
    print(world.journal.digest())
"""


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leak_planted_on_purpose_is_seen(leak: str) -> None:
    """The check above would miss nothing of this kind: the same program gives several digests."""
    digests = set()
    for hash_seed in ("0", "1", "2", "3", "4", "5"):
        ran = subprocess.run(
            [
                sys.executable,
                "-c",
                "import random; x = [object() for _ in range(random.randrange(999))]\n"
                + LEAKY.replace("{leak}", leak),
            ],
            env=dict(os.environ, PYTHONHASHSEED=hash_seed),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(ran.stdout)

    assert len(digests) > 1
