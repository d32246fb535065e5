"""Run many worlds: ``python -m lpa_core.testing.simulation --seeds 0:10000 [--jobs 2]``; show one: ``--trace 17``.

The same command goes on where it was stopped, unless the code has changed since.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lpa_core.testing.simulation.many_worlds import Tally, run
from lpa_core.testing.simulation.world import SimulationResult, simulate

_LINE_SECONDS: Final = 30.0
_INTERRUPTED: Final = 130
_SHOWN: Final = 20
"""Violations of one world; ``--trace`` tells how they came about."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0:1000", help="first:end")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--trace", type=int, help="show what happens in the world of this seed")
    parser.add_argument(
        "--record", type=Path, default=Path("simulation-progress.json"), help="holds how far the run is"
    )
    told = parser.parse_args(arguments)
    if told.trace is not None:
        outcome = simulate(told.trace)
        print("\n".join(outcome.trace))
        _show(outcome)
        return bool(outcome.violations)
    first, _, end = told.seeds.partition(":")
    console = Console(stderr=True)
    columns = TextColumn("worlds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("worlds", total=int(end) - int(first))
        lines = _lines() if not console.is_terminal else lambda tally: None

        def progressed(tally: Tally) -> None:
            bar.update(task, completed=tally.done - tally.first)
            lines(tally)

        try:
            tally = run(int(first), int(end), jobs=told.jobs, record=told.record, violated=_show, progressed=progressed)
        except KeyboardInterrupt:
            print(f"stopped; the same command goes on from {told.record}", file=sys.stderr)
            return _INTERRUPTED
    print(f"{tally.done - tally.first:,} worlds, {tally.steps:,} steps, {tally.wrong} with violations")
    return bool(tally.wrong)


def _lines() -> Callable[[Tally], None]:
    """Tells how far a run is, a line now and then."""
    last = time.monotonic()

    def line(tally: Tally) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_SECONDS:
            last = time.monotonic()
            done, all_ = tally.done - tally.first, tally.end - tally.first
            print(f"{done:,} of {all_:,} worlds, {tally.wrong} with violations", file=sys.stderr, flush=True)

    return line


def _show(outcome: SimulationResult) -> None:
    for violation in outcome.violations[:_SHOWN]:
        print(f"seed {outcome.seed}: {violation}", flush=True)
    if len(outcome.violations) > _SHOWN:
        print(f"seed {outcome.seed}: {len(outcome.violations) - _SHOWN} more", flush=True)


if __name__ == "__main__":
    sys.exit(main())
