"""``lpa archive``: mirror."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Annotated, Final

import attrs
import cyclopts
from cyclopts import Parameter

from lpa_core.commands.options import Json, addressed
from lpa_core.commands.output import print_json, print_line
from lpa_core.counted import counted
from lpa_core.durable import write_file
from lpa_core.errors import UsageError
from lpa_core.plugins.context import AppContext
from lpa_core.time_window import parse_duration
from lpa_sinks.archive.mirror import Mirror, Mirrored
from lpa_sinks.archive.mirror_places import open_places
from lpa_sinks.archive.proven_copies import ProvenCopies

_FINISHED: Final = "finished"
"""File beside what was proven: a run ended without a problem when it was written."""

_LONGEST_PAUSE_MS: Final = 366 * 86_400_000


def archive_app(context: AppContext) -> cyclopts.App:
    settings = context.settings
    app = cyclopts.App(name="archive", help="Copy the archive of all received records to another place.")

    @app.command
    def mirror(
        location: Annotated[str | None, Parameter(validator=addressed("LOCATION"))] = None,
        /,
        *,
        archive: Annotated[str | None, Parameter(validator=addressed("--archive"))] = None,
        every: str | None = None,
        recheck: str = "7d",
        json: Json = False,
    ) -> int:
        """Copy what the mirror does not have, and compare each copy with its original; remove nothing there.

        May be interrupted at any time: the next run copies what is missing. Exits with 1 if a file could not be
        mirrored, and names it.

        Parameters
        ----------
        location
            Folder or object store of the mirror, such as s3://bucket/prefix. Default: LPA_MIRROR_DIR.
        archive
            Folder or object store of the archive. Default: LPA_ARCHIVE_DIR.
        every
            Do it again and again, with this pause between, such as 1h. Default: once.
        recheck
            Read copies again and compare them, if they were compared longer ago than this, such as 30d; 0s for all.
        json
            Print JSON.
        """
        archive, location = archive or settings.lpa.archive_dir, location or settings.lpa.mirror_dir
        if not archive:
            raise UsageError("no archive is named: give --archive, or set LPA_ARCHIVE_DIR")
        if not location:
            raise UsageError("no mirror is named: give its location, or set LPA_MIRROR_DIR")
        pause_seconds = None if every is None else _pause_seconds(every)
        again_after_ms = parse_duration(recheck, "--recheck")
        source, target = open_places(archive, location)
        folder = settings.lpa.data.mirrors
        name = hashlib.sha256(f"{source.name}\n{target.name}".encode()).hexdigest()[:16]
        with ProvenCopies(folder / f"{name}.ndjson") as proven:
            work = Mirror(source, target, proven, again_after_ms=again_after_ms, clock=_now_ms)
            while True:
                done = work.run()
                if json:
                    print_json(attrs.asdict(done))
                else:
                    for line in _told(done):
                        print_line(line)
                if not done.problems:
                    write_file(folder / _FINISHED, ())
                if pause_seconds is None:
                    return 1 if done.problems else 0
                time.sleep(pause_seconds)

    return app


def _pause_seconds(every: str) -> float:
    pause_ms = parse_duration(every, "--every")
    if not 1_000 <= pause_ms <= _LONGEST_PAUSE_MS:
        raise UsageError(f"--every={every}: give at least 1s and at most 366d")
    return pause_ms / 1000


def _told(done: Mirrored) -> Iterator[str]:
    yield f"{counted(done.copied, 'file')} copied ({done.bytes / 1e6:,.1f} MB)"
    yield f"{done.compared + done.unchanged:,} were there, {done.compared:,} of them read again"
    for path in done.replaced:
        yield f"replaced, because the copy was damaged: {path}"
    for path in done.growing:
        yield f"left to the next run, because it is being written: {path}"
    yield from done.problems


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
