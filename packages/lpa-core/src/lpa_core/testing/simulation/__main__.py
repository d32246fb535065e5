"""Run many worlds: ``python -m lpa_core.testing.simulation --seeds 0:10000 [--jobs 2]``; show one: ``--trace 17``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from lpa_core.testing.simulation.world import Outcome, simulate


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0:1000", help="first:end")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--trace", type=int, help="show what happens in the world of this seed")
    told = parser.parse_args(arguments)
    if told.trace is not None:
        outcome = simulate(told.trace)
        print("\n".join(outcome.trace))
        _show(outcome)
        return bool(outcome.violations)
    first, _, end = told.seeds.partition(":")
    seeds = range(int(first), int(end))
    wrong = steps = 0
    with ProcessPoolExecutor(told.jobs) as pool:
        for outcome in pool.map(simulate, seeds, chunksize=20):
            steps += outcome.steps
            if outcome.violations:
                wrong += 1
                _show(outcome)
    print(f"{len(seeds)} worlds, {steps:,} steps, {wrong} with violations")
    return bool(wrong)


def _show(outcome: Outcome) -> None:
    for violation in outcome.violations:
        print(f"seed {outcome.seed}: {violation}")


if __name__ == "__main__":
    sys.exit(main())
