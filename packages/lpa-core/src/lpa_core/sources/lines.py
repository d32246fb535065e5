"""Splits a byte stream into lines, and remembers how far it got."""

from __future__ import annotations

import hashlib
import sys
import zlib
from typing import Final, Protocol, final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from lpa_core.records import Oversized
from lpa_core.sources.source import SourceError

_CHUNK: Final = 1 << 20
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_MAX_LINE_BYTES: Final = 64 << 20
"""A longer line is not held in memory: its beginning, size and hash are."""
_KEPT_OF_LONG_LINE: Final = 64 << 10
_TAIL: Final = 4096


class ByteStream(Protocol):
    def read(self, size: int, /) -> bytes: ...


@final
class Lines:
    """Hands out the lines of a stream in order, without their ends (LF or CRLF).

    A byte order mark at the very beginning is not a part of the first line. Text after the last line end is a line,
    too. A stream that ends too early (a truncated archive) raises SourceError, but only after it handed out all whole
    lines.
    """

    def __init__(self, stream: ByteStream, name: str) -> None:
        self._stream = stream
        self._name = name
        self._rest = b""
        self._ended = False
        self._broken: Exception | None = None
        self._consumed = 0
        self._tail = b""

    @property
    def resume(self) -> str:
        """Where the next line begins, and a hash of what stands before it; empty at the beginning."""
        return f"{self._consumed}:{hashlib.sha256(self._tail).hexdigest()[:16]}" if self._consumed else ""

    def skip_to(self, resume: str) -> None:
        """Pass over what was read before. Raises SourceError if the stream no longer holds it."""
        target = int(resume.partition(":")[0]) if resume else 0
        while self._consumed < target and (self._rest or self._fill()):
            self._consume(min(target - self._consumed, len(self._rest)))
        if self.resume != resume:
            raise SourceError(
                f"{self._name} no longer holds what was read from it before: a file may grow, but its beginning must "
                "stay. Give a new file a new name"
            )

    def take(self, max_lines: int, max_bytes: int) -> tuple[list[bytes], dict[int, Oversized]]:
        """Up to ``max_lines`` lines, fewer once they hold ``max_bytes``, none at the end; long ones by index."""
        lines: list[bytes] = []
        oversized: dict[int, Oversized] = {}
        start = self._consumed
        if start == 0:
            self._skip_byte_order_mark()
        while len(lines) < max_lines and self._consumed - start < max_bytes:
            end = self._rest.rfind(b"\n")
            if end >= 0:
                self._split(lines, end + 1, max_lines - len(lines))
            elif len(self._rest) > _MAX_LINE_BYTES:
                lines.append(self._rest[:_KEPT_OF_LONG_LINE])
                oversized[len(lines) - 1] = self._skip_long_line()
            elif not self._fill():
                self._take_last_line(lines)
                break
        if not lines and self._broken is not None:
            raise SourceError(
                f"{self._name} breaks off after byte {self._consumed} of its text ({self._broken}): all whole lines "
                "before that were read; get the file whole and run again"
            )
        return lines, oversized

    def _split(self, lines: list[bytes], whole: int, limit: int) -> None:
        """Move up to ``limit`` lines out of the first ``whole`` bytes, which end with a line end."""
        pieces = self._rest[:whole].split(b"\n", limit)
        left = len(pieces.pop())
        self._consume(whole - left)
        lines += [piece[:-1] if piece.endswith(b"\r") else piece for piece in pieces]

    def _take_last_line(self, lines: list[bytes]) -> None:
        if self._rest and self._broken is None:
            lines.append(self._rest[:-1] if self._rest.endswith(b"\r") else self._rest)
            self._consume(len(self._rest))

    def _skip_long_line(self) -> Oversized:
        digest = hashlib.sha256()
        size = 0
        while self._rest or self._fill():
            end = self._rest.find(b"\n")
            piece = self._rest if end < 0 else self._rest[:end]
            digest.update(piece)
            size += len(piece)
            self._consume(len(piece) + (end >= 0))
            if end >= 0:
                break
        return Oversized(size, digest.hexdigest())

    def _skip_byte_order_mark(self) -> None:
        while len(self._rest) < len(_BYTE_ORDER_MARK) and self._fill():
            pass
        if self._rest.startswith(_BYTE_ORDER_MARK):
            self._consume(len(_BYTE_ORDER_MARK))

    def _consume(self, count: int) -> None:
        self._tail = (self._tail + self._rest[max(0, count - _TAIL) : count])[-_TAIL:]
        self._rest = self._rest[count:]
        self._consumed += count

    def _fill(self) -> bool:
        """Read on; False at the end of the stream."""
        if self._ended:
            return False
        try:
            chunk = self._stream.read(_CHUNK)
        except (OSError, EOFError, zlib.error, zstd.ZstdError) as error:
            self._broken = error
            chunk = b""
        self._ended = not chunk
        self._rest += chunk
        return bool(chunk)
