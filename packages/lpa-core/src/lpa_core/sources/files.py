"""Newline-delimited JSON from a file (plain, gzip, zstd) or from standard input."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path
from typing import BinaryIO, Final, final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from lpa_core.records import RecordBatch
from lpa_core.sources.lines import ByteStream, Lines
from lpa_core.sources.source import SourceError

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


@final
class LineSource:
    """The lines of a stream of bytes as records of partition 0; the offset is the line counted from 0.

    ``stream`` is the text after decompression, ``file`` what it is read from. ``resume`` is that of
    :class:`~lpa_core.sources.lines.Lines`.
    """

    partition = 0

    def __init__(self, topic: str, name: str, file: BinaryIO, stream: ByteStream, size: int | None) -> None:
        """``size`` is the file's, in bytes; None for a stream that can be read only once."""
        self.topic = topic
        self.size = size
        self.repeatable: bool = size is not None
        self._file = file
        self._lines = Lines(stream, name)
        self._offset = 0

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, of ``size``."""
        return 0 if self.size is None or self._file.closed else self._file.tell()

    def seek(self, offset: int, resume: str) -> None:
        self._lines.skip_to(resume)
        self._offset = offset

    def read(self, max_records: int, max_bytes: int) -> RecordBatch | None:
        lines, oversized = self._lines.take(max_records, max_bytes)
        if not lines:
            return None
        offsets = range(self._offset, self._offset + len(lines))
        self._offset += len(lines)
        return RecordBatch(self.topic, 0, offsets, lines, oversized=oversized, resume=self._lines.resume)

    def close(self) -> None:
        self._file.close()


def open_file(path: Path, run: str) -> LineSource:
    """The lines of a file, whose name is the topic. The first bytes show the compression.

    A pipe cannot be read again: its topic is ``<name>-<run>``, so that each run's positions are its own.

    Raises SourceError if the file cannot be read.
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
    if not file.seekable():
        return LineSource(f"{topic}-{run}", str(path), file, file, None)
    magic = file.read(4)
    file.seek(0)
    stream: ByteStream = file
    if magic.startswith(_GZIP):
        stream = gzip.GzipFile(fileobj=file)
    elif magic.startswith(_ZSTD):
        stream = zstd.ZstdFile(file)
    return LineSource(topic, str(path), file, stream, path.stat().st_size)


def open_stdin(run: str) -> LineSource:
    """Standard input, like a pipe, as the topic ``stdin-<run>``."""
    return LineSource(f"stdin-{run}", "standard input", sys.stdin.buffer, sys.stdin.buffer, None)
