"""The command `python -m fuzz`: tries many mutants in worker processes, and prints those that fail."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from .pool import trials

OPENED = 0.5  # the share of the mutants that must still open
MANY = 500  # mutants whose share says something


def main() -> int:
    options = _options()
    seeds = [options.only] if options.only is not None else range(options.seed, options.seed + options.count)
    outcomes: Counter[str] = Counter()
    for trial in trials(list(seeds), options.jobs):
        outcomes["opened" if trial.opened else "refused"] += 1
        if trial.fault:
            outcomes["failed"] += 1
            print(f"seed {trial.seed} ({trial.change} of {trial.origin}):\n{trial.fault}\n", flush=True)
    print(
        f"{outcomes.total() - outcomes['failed']} mutants: {outcomes['opened']} opened, {outcomes['refused']} refused"
    )
    print(f"{outcomes['failed']} failed")
    few = len(seeds) >= MANY and outcomes["opened"] < OPENED * len(seeds)
    if few:
        print(f"fewer than {OPENED:.0%} opened: such mutants do not reach what reads arrays")
    return 1 if outcomes["failed"] or few else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Files changed at random, read by kconvert")
    parser.add_argument("--count", type=int, default=10000, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0, help="of the first one")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    parser.add_argument("--only", type=int, help="the mutant of this seed alone")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
