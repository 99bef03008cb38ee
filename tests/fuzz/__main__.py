"""Says what servers that say anything bring about."""

import argparse
import asyncio
import faulthandler
import sys

from tests.fuzz.trial import ENGINES, Trial


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--seed", type=int, default=20261128, help="the same servers each time")
    parser.add_argument("--servers", type=int, default=1000, help="how many")
    parser.add_argument("--only", type=int, help="the server with this number alone")
    given = parser.parse_args()
    trial = Trial(given.engine, given.seed)
    numbers = range(given.servers) if given.only is None else (given.only,)
    asyncio.run(trial.run(iter(numbers)))
    faulthandler.cancel_dump_traceback_later()
    for fault in trial.faults:
        print(fault, file=sys.stderr)
    print(f"{given.engine}: {len(trial.faults)} faults", file=sys.stderr)
    return 1 if trial.faults else 0


sys.exit(main())
