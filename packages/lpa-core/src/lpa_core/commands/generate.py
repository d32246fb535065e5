"""``lpa generate``: realistic events to try things with."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

import cyclopts
from cyclopts import Parameter
from rich.markup import escape
from rich.progress import Progress

from lpa_core.commands.output import console
from lpa_core.errors import JobFailed, UsageError
from lpa_core.generate.generator import generate
from lpa_core.printable import printable
from lpa_core.standard_streams import output_failure

_LINES_AT_ONCE = 2000


def _check(
    events: int = 0,
    duplicates: float = 0,
    bad: float = 0,
    jobs: float = 0,
    sessions: int = 1,
    seed: int = 0,
    output: Path | None = None,
) -> None:
    generate(events, duplicates=duplicates, bad=bad, jobs=jobs, sessions=sessions, seed=seed)


generate_app = cyclopts.App(name="generate", validator=_check)


@generate_app.default
def generate_command(
    *,
    events: int,
    duplicates: float = 0.02,
    bad: float = 0.01,
    jobs: float = 0.0,
    sessions: int = 100,
    seed: int = 1,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
) -> int:
    """Write realistic events, one JSON document a line. The same arguments give the same bytes.

    Parameters
    ----------
    events
        How many lines in all.
    duplicates
        Share of lines that repeat an earlier event.
    bad
        Share of lines to be rejected, for each reason in turn.
    jobs
        Share of lines of batch and BYOC jobs, tickets and heartbeats.
    sessions
        How many streams the events belong to; fewer if there are not 24 events for each.
    seed
        Another seed gives other events.
    output
        File to write to, compressed when it ends in .gz or .zst. Default: standard output.
    """
    lines = generate(events, duplicates=duplicates, bad=bad, jobs=jobs, sessions=sessions, seed=seed)
    screen = console(stderr=True)
    if output is None:
        for text, _ in _joined(lines):
            sys.stdout.buffer.write(text)
            if output_failure() is not None:
                break
        sys.stdout.buffer.flush()
        return 0 if output_failure() is None else 1
    with ExitStack() as opened:
        try:
            file = _open(output, opened)
        except OSError as error:
            raise UsageError(
                f"cannot write {output}: {error.strerror}", remedy="name a file that can be written"
            ) from None
        progress = Progress(console=screen, transient=True, disable=not screen.is_terminal)
        try:
            with progress:
                task = progress.add_task(escape(printable(output.name)), total=events)
                for text, count in _joined(lines):
                    file.write(text)
                    progress.advance(task, count)
            opened.close()
        except OSError as error:
            raise JobFailed(f"{output} is incomplete: {error.strerror}") from None
    return 0


def _joined(lines: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    while batch := list(islice(lines, _LINES_AT_ONCE)):
        batch.append(b"")
        yield b"\n".join(batch), len(batch) - 1


def _open(path: Path, opened: ExitStack) -> BinaryIO | gzip.GzipFile | zstd.ZstdFile:
    file = opened.enter_context(path.open("wb"))
    if path.suffix == ".gz":
        # Neither name nor time in the header: the same events give the same file.
        return opened.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0))
    if path.suffix == ".zst":
        return opened.enter_context(zstd.ZstdFile(file, "wb"))
    return file
