"""How long the verdicts on known histories take: `python benchmarks/linearizability.py [DIR]`.

Prints, for each register log and string log in DIR (../shared/histories beside the checkout), the time of `check_linearizability`
beside that of porcupine, the published checker (Go; a single run on two cores of an AMD EPYC, so good to a factor of
two), with the steps of both; the totals and their ratio; and the time of one sweep over 100,000 operations of a
simulated register along its commit order. Each time is the best of three. Asserts nothing. Wall-clock time, reading
of files left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import perf_counter

from chaoskube.history import Operation
from chaoskube.history_files import history_in
from chaoskube.linearizability import Placed, check_commit_order
from chaoskube.sequential import Answer, Done, Got, Read, Register, RegisterInput, Write
from chaoskube.sim import UsageError

OPERATIONS = 100_000
PORCUPINE: dict[str, tuple[float, int | None]] = {
    "etcd_000.log": (0.36, 1263),
    "etcd_001.log": (0.36, 1764),
    "etcd_002.log": (138.43, 1177310),
    "etcd_003.log": (0.17, 583),
    "etcd_004.log": (0.12, 116),
    "etcd_005.log": (0.22, 808),
    "etcd_006.log": (0.19, 749),
    "etcd_007.log": (84.26, 887001),
    "etcd_008.log": (0.16, 152),
    "etcd_009.log": (0.11, 439),
    "etcd_011.log": (0.18, 815),
    "etcd_013.log": (0.18, 104),
    "etcd_014.log": (0.13, 95),
    "etcd_015.log": (0.16, 456),
    "etcd_017.log": (0.13, 155),
    "etcd_018.log": (0.46, 3019),
    "etcd_019.log": (0.28, 1617),
    "etcd_020.log": (0.15, 439),
    "etcd_021.log": (0.09, 115),
    "etcd_022.log": (0.1, 139),
    "etcd_023.log": (0.14, 511),
    "etcd_025.log": (0.15, 291),
    "etcd_026.log": (0.09, 291),
    "etcd_029.log": (0.12, 714),
    "etcd_030.log": (0.08, 118),
    "etcd_031.log": (0.07, 121),
    "etcd_032.log": (0.09, 188),
    "etcd_033.log": (0.09, 278),
    "etcd_034.log": (0.09, 223),
    "etcd_037.log": (0.15, 778),
    "etcd_039.log": (0.11, 275),
    "etcd_043.log": (0.07, 69),
    "etcd_048.log": (0.1, 389),
    "etcd_049.log": (0.34, 145),
    "etcd_050.log": (0.05, 48),
    "etcd_051.log": (0.12, 623),
    "etcd_052.log": (0.09, 254),
    "etcd_053.log": (2.12, 17076),
    "etcd_055.log": (0.06, 78),
    "etcd_056.log": (0.16, 1174),
    "etcd_058.log": (0.14, 162),
    "etcd_059.log": (0.15, 182),
    "etcd_060.log": (0.17, 455),
    "etcd_061.log": (0.28, 1862),
    "etcd_063.log": (0.16, 518),
    "etcd_064.log": (0.11, 85),
    "etcd_065.log": (0.2, 61),
    "etcd_069.log": (0.07, 41),
    "etcd_070.log": (0.07, 60),
    "etcd_072.log": (0.07, 134),
    "etcd_073.log": (0.28, 3168),
    "etcd_074.log": (0.08, 62),
    "etcd_076.log": (0.13, 554),
    "etcd_077.log": (0.09, 99),
    "etcd_079.log": (0.12, 526),
    "etcd_081.log": (0.09, 119),
    "etcd_082.log": (0.06, 354),
    "etcd_083.log": (0.06, 139),
    "etcd_084.log": (0.11, 380),
    "etcd_085.log": (1.99, 21128),
    "etcd_087.log": (0.19, 665),
    "etcd_090.log": (0.06, 66),
    "etcd_091.log": (0.05, 69),
    "etcd_092.log": (0.08, 174),
    "etcd_093.log": (0.12, 267),
    "etcd_094.log": (0.06, 107),
    "etcd_096.log": (0.1, 445),
    "etcd_101.log": (0.11, 98),
    "c01-ok.txt": (0.17, None),
    "c10-bad.txt": (0.67, None),
    "c50-bad.txt": (17.62, None),
    "c50-ok.txt": (80.03, None),
}
"""Name: milliseconds and steps (where they were published)."""


def main() -> None:
    """Print the figures."""
    beside = Path(__file__).parents[1] / ".." / "shared" / "histories"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else beside
    paths = sorted((*folder.rglob("*.log"), *folder.rglob("c*.txt")))
    if paths:
        histories(paths)
    else:
        print(f"no histories (*.log, c*.txt) in {folder}: only the sweep is measured")
    sweep()


def histories(paths: list[Path]) -> None:
    """Time per file, and in total by kind."""
    print(f"{'file':16} {'verdict':17} {'ms':>9} {'steps':>9} {'porcupine ms':>13} {'its steps':>10}")
    totals: dict[str, tuple[float, float]] = {}
    for path in paths:
        try:
            history = history_in(path)
        except UsageError as error:
            print(f"{path.name:16} {error}")
            continue
        result = history.check()
        milliseconds = best_of(history.check, 3 if result.steps < 100_000 else 1) * 1000
        published, steps = PORCUPINE.get(path.name, (None, None))
        print(
            f"{path.name:16} {result.verdict.value:17} {milliseconds:9.2f} {result.steps:9}"
            f" {published if published is not None else '-':>13} {steps or '-':>10}"
        )
        if published is not None:
            ours, theirs = totals.get(history.kind, (0.0, 0.0))
            totals[history.kind] = (ours + milliseconds, theirs + published)
    for kind, (ours, theirs) in totals.items():
        print(
            f"all of kind {kind}: {ours:.1f} ms, porcupine {theirs:.1f} ms: {ours / theirs:.2f} times as long"
        )


def sweep() -> None:
    """Many operations of a register whose commit order is known."""
    log, placed = simulated(OPERATIONS)
    seconds = best_of(lambda: check_commit_order(Register(), log, placed))
    found = len(check_commit_order(Register(), log, placed))
    print(f"{OPERATIONS} operations along a known commit order: {seconds:.2f} s, {found} violations")


def simulated(count: int) -> tuple[list[RegisterInput], list[Placed[RegisterInput, Answer]]]:
    """What eight clients see of ten keys that take each call at one instant."""
    random = Random(1)
    log: list[RegisterInput] = []
    placed: list[Placed[RegisterInput, Answer]] = []
    values: dict[str, int] = {}
    for number in range(count):
        key, is_write = f"k{random.randrange(10)}", random.random() < 0.5
        if is_write:
            log.append(Write(key=key, value=number))
            values[key] = number
        operation: Operation[RegisterInput, Answer] = Operation(
            client=f"{number % 8}",
            input=log[-1] if is_write else Read(key=key),
            output=Done.OK if is_write else Got(value=values.get(key)),
            call=10 * number - random.randrange(40),
            returned=10 * number + random.randrange(40),
        )
        placed.append(Placed(operation=operation, position=len(log), is_write=is_write))
    return log, placed


def best_of(function: Callable[[], object], times: int = 3) -> float:
    """The shortest of some runs, in seconds."""
    seconds = []
    for _ in range(times):
        started = perf_counter()
        function()
        seconds.append(perf_counter() - started)
    return min(seconds)


if __name__ == "__main__":
    main()
