"""`python -m tests.differential --requests 20000`: compare that many generated requests with a real etcd and print figures.

`--save FILE` writes the smallest history of a difference; put it into `cases/` once it is understood.
`--record N` writes N recorded histories to `corpus/histories.jsonl.gz` instead.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.differential.compare import Difference
from tests.differential.corpus import CORPUS, record
from tests.differential.oracle import Oracle
from tests.differential.search import search
from tests.differential.server import NoServer, running_server


def main() -> int:
    """0: no difference; 1: one; 2: there is no server."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--record", type=int, metavar="N")
    options = parser.parse_args()
    try:
        with running_server() as server:
            oracle = Oracle(server)
            if options.record:
                print(f"{record(oracle, options.record, options.seed)} requests written to {CORPUS}")
                return 0
            print(f"etcd {server.version}, seed {options.seed}")
            print(search(oracle, options.requests, options.seed))
    except NoServer as missing:
        print(missing)
        return 2
    except Difference as difference:
        print(difference, *difference.__notes__, sep="\n")
        if options.save:
            case = difference.__notes__[0].removeprefix("as a case: ")
            options.save.write_text(json.dumps(eval(case), indent=1) + "\n")  # our own repr
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
