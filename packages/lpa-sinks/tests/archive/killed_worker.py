"""Runs a small delivery loop into an archive again and again, each time in a child that may be killed.

Reads one command a line from standard input, as JSON: ``folder`` (spool and checkpoint), ``location`` (the
archive), ``mirror`` (copy the archive there instead), ``step`` (be killed before this step with a file, counted
from 1) or ``seconds`` (be killed after so long), ``records`` per range. Answers each with the child's signal, 0 when
it ended by itself.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import structlog
from tenacity import wait_none

from lpa_core.records import RecordBatch
from lpa_sinks.archive import FileArchive
from lpa_sinks.archive.mirror import Mirror
from lpa_sinks.archive.mirror_places import open_places
from lpa_sinks.archive.proven_copies import ProvenCopies

HOUR = 3_600_000
START = 490_000 * HOUR - 4000
"""Shortly before a full hour: some ranges lie across it."""
RANGES = 6


def batch(index: int, records: int) -> RecordBatch:
    """Ranges of two partitions by turns; some of their records belong to the next hour."""
    rng = random.Random(index)
    partition, first = index % 2, index // 2 * records
    return RecordBatch(
        topic="events",
        partition=partition,
        offsets=range(first, first + records),
        values=[None if rng.random() < 0.1 else rng.randbytes(rng.randrange(400)) for _ in range(records)],
        timestamps=[START + 1000 * index + rng.randrange(2000) for _ in range(records)],
    )


def deliver(folder: Path, location: str, records: int) -> None:
    """Prepare, write, finish, with a range that was prepared before coming first."""
    checkpoint = folder / "checkpoint"
    finished = int(checkpoint.read_text()) if checkpoint.exists() else 0
    archive = FileArchive(location, folder / "spool", max_bytes=1 + 1200 * records, max_age_ms=3500, wait=wait_none())
    archive.recover()
    for index in range(finished, RANGES):
        batch_time = START + 1000 * index
        archive.flush_due(batch_time)
        archive.write(batch(index, records), batch_time)
        if index == 3:
            archive.flush_due(batch_time + 10_000)
        temporary = folder / "checkpoint.tmp"
        temporary.write_text(str(index + 1))
        temporary.replace(checkpoint)
    archive.close()


def mirror(folder: Path, archive: str, mirror: str) -> None:
    """Copy the archive."""
    source, target = open_places(archive, mirror, wait=wait_none())
    with ProvenCopies(folder / "proven.ndjson") as proven:
        Mirror(source, target, proven, again_after_ms=HOUR, clock=lambda: START).run()


def kill_before(step: int) -> None:
    """Arrange for SIGKILL right before the given step: a file opened, renamed, emptied or removed."""
    changes = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal changes
        # Segments are opened for reading in the midst of writing a file: half of it is there then.
        if event in ("os.rename", "os.remove", "os.truncate", "os.mkdir") or (event == "open" and arguments[1]):
            changes += 1
            if changes == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for line in sys.stdin:
        command = json.loads(line)
        child = os.fork()
        if not child:
            try:
                if command.get("step"):
                    kill_before(command["step"])
                if command.get("seconds"):
                    signal.setitimer(signal.ITIMER_REAL, command["seconds"])
                folder, location = Path(command["folder"]), command["location"]
                if command.get("mirror"):
                    mirror(folder, location, command["mirror"])
                else:
                    deliver(folder, location, command["records"])
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status), flush=True)


if __name__ == "__main__":
    main()
