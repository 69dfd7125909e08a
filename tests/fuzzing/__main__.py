"""`python -m tests.fuzzing --requests 50000 --seed 0`: the long run; prints requests a second, codes by verb, the first offender.

`--keep-going N` goes on until N offences were found, and prints each kind once.
"""

from __future__ import annotations

import argparse
import sys

from .hunt import Offence, hunt, minimised


def main() -> int:
    """Run it; 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing")
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep-going", type=int, default=1, metavar="N", help="stop after N offences")
    wanted = parser.parse_args()
    kinds: dict[str, Offence] = {}

    def heard(offence: Offence) -> None:
        if offence.kind not in kinds:
            kinds[offence.kind] = offence
            print(f"\n{offence.place}: {offence.sent.line()[:1500]}\n   {offence.what[-2500:]}", flush=True)

    def told(done: int, seconds: float) -> None:
        print(f"\r{done:,} requests, {seconds:.0f} s of CPU", end="", file=sys.stderr, flush=True)

    report = hunt(
        wanted.seed, wanted.requests, offences_max=wanted.keep_going, on_offence=heard, on_progress=told
    )
    rate = report.requests / report.cpu_seconds
    print(f"\n{report.requests:,} requests, {rate:,.0f} a second of CPU, {len(report.offences)} offences\n")
    print(report.table())
    if not report.offences:
        return 0
    small = minimised(report.offences[0])
    print("\nthe first offender, minimised:")
    for one in small.before:
        print(f"  after {one.line()}")
    print(f"  {small.sent.line()}\n  {small.what}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
