"""``lpa generate``: realistic events to try things with."""

from __future__ import annotations

import gzip
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from heapq import merge
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, Literal

import attrs

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

import cyclopts
from cyclopts import Parameter
from rich.markup import escape
from rich.progress import Progress

from lpa_core import interrupts
from lpa_core.commands.listing import print_paragraph
from lpa_core.commands.output import console
from lpa_core.errors import JobFailed, UsageError
from lpa_core.generate.generator import START_MS, start_of, timed
from lpa_core.generate.live import live
from lpa_core.generate.mixture import Mixture
from lpa_core.generate.pace import paced
from lpa_core.kafka.record_sender import RecordSender
from lpa_core.printable import printable
from lpa_core.settings.settings import Settings
from lpa_core.standard_streams import output_failure
from lpa_core.time_window import parse_time

_RECORDS_AT_ONCE: Final = 2000
_STOP_SECONDS: Final = 10.0
"""How long it may take to hand over what is under way."""

_Record = tuple[str, bytes]
"""The topic that a record is for, which a file has no use for, and its value."""
_Batches = Iterator[list[_Record]]


def _check(*, events: int | None = None, rate: float | None = None, **given: Any) -> None:
    if events is None and rate is None:
        raise ValueError("give --events, or --rate for events as of now")
    if rate is not None and not 0 < rate <= 1_000_000:
        raise ValueError(f"rate is {rate:g}: give events a second, such as 10")
    if rate is not None and given.get("until") is not None:
        raise ValueError("--rate sends events as of now: leave out --until")
    if given.get("to") is not None and given.get("output") is not None:
        raise ValueError("--to sends to Kafka: leave out --output")
    shares = {name: given[name] for name in attrs.fields_dict(Mixture) if name in given}
    Mixture(events=0 if events is None else events, **shares)


def generate_app(settings: Settings) -> cyclopts.App:
    app = cyclopts.App(name="generate", validator=_check)

    @app.default
    def generate_command(
        *,
        events: int | None = None,
        duplicates: float = 0.02,
        bad: float = 0.01,
        jobs: float = 0.0,
        ignored: float = 0.0,
        sessions: int = 100,
        seed: int = 1,
        until: str | None = None,
        rate: float | None = None,
        to: Literal["kafka"] | None = None,
        output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    ) -> int:
        """Write realistic events, one JSON document a line. The same arguments give the same bytes.

        Parameters
        ----------
        events
            How many lines in all. With --rate it may be left out: events come until stopped.
        duplicates
            Share of lines that repeat an earlier event.
        bad
            Share of lines to be rejected, for each reason in turn.
        jobs
            Share of lines of batch and BYOC jobs, tickets and heartbeats.
        ignored
            Share of lines that lpa ignores, such as statistics of viewers: 0.57 in the wider topic.
        sessions
            How many streams the events belong to; fewer if there are not 24 events for each.
        seed
            Another seed gives other events.
        until
            When the last event arrives: now, or a time such as 2h or 2026-01-08T12:00:00Z. Default: as it comes
            from 2026-01-08T19:20:00Z on.
        rate
            Send about so many events a second, at the times that they carry: as of now.
        to
            Send to the configured Kafka instead of writing. Each input topic gets streams of its own, with the
            seed plus its place.
        output
            File to write to, compressed when it ends in .gz or .zst. Default: standard output.
        """
        mixture = Mixture(
            events=events or 0,
            duplicates=duplicates,
            bad=bad,
            jobs=jobs,
            ignored=ignored,
            sessions=sessions,
            seed=seed,
        )
        topics = settings.quality.topics if to == "kafka" else ("",)
        end = None if until is None else _now_ms() if until == "now" else parse_time(until, "--until", _now_ms())
        if rate is None:
            records = _merged([_finite(each, topic, end) for each, topic in _shared_out(mixture, topics)])
        else:
            sources = [(attrs.evolve(mixture, seed=seed + place), topic) for place, topic in enumerate(topics)]
            now = _now_ms()
            endless = [_for(topic, live(each, rate / len(topics), now)) for each, topic in sources]
            records = islice(_merged(endless), events)
        if rate is None and to is None:
            return _write(_at_once(records), output, total=mixture.events)
        stopped = threading.Event()
        with interrupts.stopping(lambda _: stopped.set(), _STOP_SECONDS):
            batches = _at_once(records) if rate is None else paced(records, _now_ms, stopped.wait)
            if to is None:
                return _write(batches, output, total=events)
            return _send(batches, settings, stopped)

    return app


def _shared_out(mixture: Mixture, topics: tuple[str, ...]) -> Iterator[tuple[Mixture, str]]:
    """What each topic gets: the earlier ones one record more if it does not come out even."""
    share, more = divmod(mixture.events, len(topics))
    for place, topic in enumerate(topics):
        yield attrs.evolve(mixture, events=share + (place < more), seed=mixture.seed + place), topic


def _finite(mixture: Mixture, topic: str, end: int | None) -> Iterator[tuple[int, _Record]]:
    return _for(topic, timed(mixture, START_MS if end is None else start_of(mixture, end)))


def _for(topic: str, records: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, _Record]]:
    return ((at, (topic, record)) for at, record in records)


def _merged(sources: list[Iterator[tuple[int, _Record]]]) -> Iterator[tuple[int, _Record]]:
    return merge(*sources, key=itemgetter(0)) if len(sources) > 1 else sources[0]


def _at_once(records: Iterator[tuple[int, _Record]]) -> _Batches:
    while batch := [record for _, record in islice(records, _RECORDS_AT_ONCE)]:
        yield batch


def _send(batches: _Batches, settings: Settings, stopped: threading.Event) -> int:
    sender = RecordSender(settings, "lpa generate")
    for batch in batches:
        if stopped.is_set():
            break
        for topic, value in batch:
            sender.send(topic, value)
    sender.flush()
    sent = ", ".join(f"{sender.sent[topic]:,} to {topic}" for topic in settings.quality.topics)
    print_paragraph(console(), f"Sent events: {sent}.")
    return interrupts.STOPPED if interrupts.interrupted() else 0


def _write(batches: _Batches, output: Path | None, total: int | None) -> int:
    if output is None:
        for batch in batches:
            sys.stdout.buffer.write(_lines(batch))
            sys.stdout.buffer.flush()
            if output_failure() is not None:
                break
        return 0 if output_failure() is None else 1
    with ExitStack() as opened:
        try:
            file = _open(output, opened)
        except OSError as error:
            raise UsageError(
                f"cannot write {output}: {error.strerror}", remedy="name a file that can be written"
            ) from None
        screen = console(stderr=True)
        progress = Progress(console=screen, transient=True, disable=not screen.is_terminal)
        try:
            with progress:
                task = progress.add_task(escape(printable(output.name)), total=total)
                for batch in batches:
                    file.write(_lines(batch))
                    if total is None:
                        file.flush()
                    progress.advance(task, len(batch))
            opened.close()
        except OSError as error:
            raise JobFailed(f"{output} is incomplete: {error.strerror}") from None
    return 0


def _lines(batch: list[_Record]) -> bytes:
    return b"\n".join([*(value for _, value in batch), b""])


def _open(path: Path, opened: ExitStack) -> BinaryIO | gzip.GzipFile | zstd.ZstdFile:
    file = opened.enter_context(path.open("wb"))
    if path.suffix == ".gz":
        # Neither name nor time in the header: the same events give the same file.
        return opened.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0))
    if path.suffix == ".zst":
        return opened.enter_context(zstd.ZstdFile(file, "wb"))
    return file


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
