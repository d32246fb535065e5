"""Newline-delimited JSON from a file or from standard input: plain, gzip or zstd."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import UnsupportedOperation
from pathlib import Path
from typing import BinaryIO, Final, final

from lpa_core.records import Oversized, RecordBatch
from lpa_core.sources.decompression import Decompressed
from lpa_core.sources.file_kinds import STDIN, ByteStream, RecognisedText
from lpa_core.sources.lines import LastLine, Lines
from lpa_core.sources.pipe import Pipe
from lpa_core.sources.source import SourceError
from lpa_core.standard_streams import input_is_closed

_UNBOUNDED: Final = 1 << 62
_INGEST: Final = "{} | lpa ingest -"


@final
class LineSource:
    """The lines of a stream of bytes as records of partition 0; the offset is the line counted from 0.

    ``stream`` is the text after decompression, ``file`` what it is read from. ``resume`` is that of
    :class:`~lpa_core.sources.lines.Lines`. A last line without its end is left until it has one if the stream can be
    read again; otherwise it is a record.
    """

    partition = 0

    def __init__(
        self,
        topic: str,
        name: str,
        file: BinaryIO,
        stream: ByteStream,
        size: int | None,
        pipe: Pipe | None = None,
        seconds: float | None = None,
    ) -> None:
        """``size`` is the file's, in bytes; None for a stream that can be read only once, through ``pipe``.

        ``seconds`` after the first record of a batch came through the pipe, the batch is handed over, full or not.
        """
        self.topic = topic
        self.size = size
        self.repeatable: bool = size is not None
        self._file = file
        self._lines = Lines(stream, name, LastLine.WAITS if self.repeatable else LastLine.TAKEN, seconds)
        self._pipe = pipe
        self._offset = 0

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, of ``size``."""
        return 0 if self.size is None or self._file.closed else self._file.tell()

    def seek(self, offset: int, resume: str) -> None:
        self._lines.skip_to(resume)
        self._offset = offset

    @property
    def unfinished(self) -> int:
        """Bytes of a last line without its end that was left, once all others were read."""
        return self._lines.unfinished

    def take_unfinished(self) -> None:
        """Take a last line without its end as a record: nothing comes after it."""
        self._lines.last = LastLine.TAKEN

    def require_whole(self) -> None:
        """Take a last line without its end as a record if it is whole JSON, and raise SourceError if it is not."""
        self._lines.last = LastLine.JSON

    def read(self, max_records: int, max_bytes: int) -> RecordBatch | None:
        return self._batch(*self._lines.take(max_records, max_bytes))

    def read_again(self, count: int, resume: str) -> RecordBatch | None:
        """The ``count`` records up to ``resume``, though what ended the stream then has grown since."""
        return self._batch(*self._lines.take(count, _UNBOUNDED, resume))

    def _batch(self, lines: list[bytes], oversized: dict[int, Oversized]) -> RecordBatch | None:
        if not lines:
            return None
        offsets = range(self._offset, self._offset + len(lines))
        self._offset += len(lines)
        return RecordBatch(self.topic, 0, offsets, lines, oversized=oversized, resume=self._lines.resume)

    def stop(self) -> None:
        if self._pipe is not None:
            self._lines.stop()
            self._pipe.stop()

    def close(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        self._file.close()


def open_file(path: Path, run: str, use: str = _INGEST, seconds: float | None = None) -> LineSource:
    """The lines of a file, whose name is the topic. The first bytes show the compression.

    A pipe cannot be read again: its topic is ``<name>-<run>``, so that each run's positions are its own.

    Args:
        use: what to do with the command that makes lines of JSON of another kind of file, ``{}`` for the command.
        seconds: after which a batch of a pipe is handed over, full or not.

    Raises SourceError if the file cannot be read or is of another kind; of a pipe, the first read tells the kind.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise SourceError(f"{path} does not exist: check the path") from None
    except IsADirectoryError:
        raise SourceError(f"{path} is a folder: name a file of newline-delimited JSON") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    topic = os.fsencode(path.name).decode(errors="replace")  # a name need not be UTF-8, a topic must
    repeatable = file.seekable()
    pipe = None if repeatable else Pipe(file, seconds)
    text = RecognisedText(Decompressed(pipe or file, repeatable=repeatable), str(path), use)
    if not repeatable:
        return LineSource(f"{topic}-{run}", str(path), file, text, None, pipe, seconds)
    try:
        text.recognise()
    except SourceError:
        file.close()
        raise
    return LineSource(topic, str(path), file, text, path.stat().st_size)


def open_snapshot(path: Path) -> LineSource:
    """The lines of a file that nobody adds to: a last line without its end is a record if it is whole JSON.

    Raises SourceError as :func:`open_file`; reading raises it if the file ends in the middle of a line, too.
    """
    source = open_file(path, "snapshot", "{} > lines.ndjson")
    source.require_whole()
    return source


def open_stdin(run: str, seconds: float | None = None) -> LineSource:
    """Standard input, like a pipe, as the topic ``stdin-<run>``. Raises SourceError if it is closed."""
    if input_is_closed():
        raise SourceError("standard input is closed: give it a pipe or a file, or name a file in the place of -")
    stdin = sys.stdin.buffer
    pipe = None
    with suppress(UnsupportedOperation):  # it is in memory
        pipe = Pipe(stdin, seconds)
    text = RecognisedText(Decompressed(pipe or stdin, repeatable=False), STDIN, _INGEST)
    return LineSource(f"stdin-{run}", STDIN, stdin, text, None, pipe, seconds)
