"""Many worlds in several processes, in constant memory; a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import signal
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Final, final

import attrs
import msgspec

import lpa_core
from lpa_core.durable import write_file
from lpa_core.testing.simulation.world import SimulationResult, simulate

_WORLDS_A_TASK: Final = 20
_TASKS_A_JOB: Final = 3
"""Submitted ahead, so that no process waits: more would only take memory."""
_SAVE_SECONDS: Final = 1.0


@final
class Tally(msgspec.Struct, forbid_unknown_fields=True):
    """How far a run is.

    Attributes:
        first, end: the seeds of the whole run.
        done: the first seed that has not ended yet; all before it have.
        wrong: how many worlds had violations.
        code: the fingerprint of the code that was run.
    """

    first: int
    end: int
    done: int
    code: str
    steps: int = 0
    wrong: int = 0


def run(
    first: int,
    end: int,
    *,
    jobs: int,
    record: Path,
    violated: Callable[[SimulationResult], None],
    progressed: Callable[[Tally], None],
) -> Tally:
    """Run the worlds of the seeds from ``first`` to before ``end``.

    Args:
        record: the file that holds how far the run is while it is under way. A run of the same seeds and the same code
            goes on from there.
        violated: receives each world that went wrong, in the order of the seeds.
        progressed: receives how far the run is, after every few worlds.
    """
    tally = taken_up(record, first, end) or Tally(first, end, first, _fingerprint())
    pending: deque[Future[list[SimulationResult]]] = deque()
    next_seed, saved = tally.done, 0.0
    with ProcessPoolExecutor(jobs, initializer=_leave_interrupts_to_the_parent) as pool:
        try:
            while pending or next_seed < end:
                while next_seed < end and len(pending) < _TASKS_A_JOB * jobs:
                    upto = min(next_seed + _WORLDS_A_TASK, end)
                    pending.append(pool.submit(_simulated, next_seed, upto))
                    next_seed = upto
                for outcome in pending.popleft().result():
                    tally.done += 1
                    tally.steps += outcome.steps
                    if outcome.violations:
                        tally.wrong += 1
                        violated(outcome)
                progressed(tally)
                if time.monotonic() - saved >= _SAVE_SECONDS:
                    saved = time.monotonic()
                    write_file(record, [msgspec.json.encode(tally)])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            write_file(record, [msgspec.json.encode(tally)])
            raise
    record.unlink(missing_ok=True)
    return tally


def _simulated(first: int, end: int) -> list[SimulationResult]:
    """The outcomes without their traces: ``--trace`` makes one again."""
    return [attrs.evolve(simulate(seed), trace=()) for seed in range(first, end)]


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def taken_up(record: Path, first: int, end: int) -> Tally | None:
    """How far the run was that the file knows, if it was one of these seeds and this code."""
    try:
        tally = msgspec.json.decode(record.read_bytes(), type=Tally)
    except (OSError, msgspec.DecodeError):
        return None
    same = (tally.first, tally.end, tally.code) == (first, end, _fingerprint())
    return tally if same else None


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(lpa_core.__path__[0]).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
