"""Splits a byte stream into lines, and remembers how far it got."""

from __future__ import annotations

import hashlib
import shlex
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, final

from lpa_core.records import Oversized
from lpa_core.sources.decompression import DAMAGED
from lpa_core.sources.file_kinds import BYTE_ORDER_MARK, ByteStream, is_json
from lpa_core.sources.pipe import InputUnavailable
from lpa_core.sources.source import SourceError

_CHUNK: Final = 1 << 20
_MAX_LINE_BYTES: Final = 64 << 20
"""A longer line is not held in memory: its beginning, size and hash are."""
_KEPT_OF_LONG_LINE: Final = 64 << 10
_TAIL: Final = 4096


class LastLine(Enum):
    """What a last line without its end is."""

    WAITS = auto()
    """Being written: it is left until it has its end."""
    TAKEN = auto()
    """A line: nothing comes after it."""
    JSON = auto()
    """A line if it is whole JSON; otherwise the stream cannot be read."""


@final
class Lines:
    """Hands out the lines of a stream in order, without their ends (LF or CRLF).

    A byte order mark at the very beginning is not a part of the first line. A stream that ends too early (a truncated
    archive) raises SourceError, but only after it handed out all whole lines.

    If a last line that was handed out without its end has grown since, the next line is the whole of it.
    """

    def __init__(
        self,
        stream: ByteStream,
        name: str,
        last: LastLine,
        seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``seconds`` after its first line is there, a batch of a stream that raises InputUnavailable is handed out."""
        self.last = last
        self._stream, self._name = stream, name
        self._seconds, self._clock = seconds, clock
        self._rest = b""
        self._ended = False
        self._damage: Exception | None = None
        self._stopped = False
        self._consumed = 0
        self._tail = b""
        self._begun = b""
        """The last line, if it was handed out without its end."""
        self._long_unended = 0

    def stop(self) -> None:
        """From now on text without a line end does not count as a line. Called in another thread."""
        self._stopped = True

    @property
    def resume(self) -> str:
        """Where the next line begins, and a hash of what stands before it; empty at the beginning."""
        return f"{self._consumed}:{hashlib.sha256(self._tail).hexdigest()[:16]}" if self._consumed else ""

    @property
    def unfinished(self) -> int:
        """Bytes of a last line without its end that was left, once all others were handed out."""
        if not self._ended or self._damage is not None:
            return 0
        return self._long_unended or len(self._rest) - (self._rest.rfind(b"\n") + 1)

    def skip_to(self, resume: str) -> None:
        """Pass over what was read before. Raises SourceError if the stream no longer holds it."""
        target = _place(resume)
        last = b""
        while self._consumed < target and (self._rest or self._fill()):
            piece = self._rest[: target - self._consumed]
            last = (last + piece)[-_MAX_LINE_BYTES:].rpartition(b"\n")[2]
            self._consume(len(piece))
        if self._consumed < target and self._damage is not None:
            raise self._broken()
        if self.resume != resume:
            raise SourceError(
                f"{self._name} no longer holds what was read from it before: a file may grow, but its beginning must "
                "stay. Give a new file a new name"
            )
        self._begun = last.removeprefix(BYTE_ORDER_MARK) if len(last) == target else last

    def take(self, max_lines: int, max_bytes: int, until: str = "") -> tuple[list[bytes], dict[int, Oversized]]:
        """Up to ``max_lines`` lines, fewer once they hold ``max_bytes``, none at the end; long ones by index.

        ``until``: a ``resume``; what comes after it counts as not there, and a line that it cuts as ended.
        """
        lines: list[bytes] = []
        oversized: dict[int, Oversized] = {}
        start, end_at = self._consumed, _place(until)
        if start == 0:
            self._skip_byte_order_mark()
        begun = self._go_on()
        closes_at: float | None = None
        while len(lines) < max_lines and self._consumed - start < max_bytes:
            left = end_at - self._consumed if end_at else len(self._rest)
            end = self._rest.rfind(b"\n", 0, left)
            if end >= 0:
                self._split(lines, end + 1, max_lines - len(lines))
            elif end_at and left <= len(self._rest):
                self._take_last_line(lines, left)
                break
            elif len(self._rest) > _MAX_LINE_BYTES:
                long = self._skip_long_line()
                if long is None:
                    break
                beginning, oversized[len(lines)] = long
                lines.append(beginning)
            else:
                if lines and closes_at is None and self._seconds is not None:
                    closes_at = self._clock() + self._seconds
                try:
                    more = self._fill(closes_at)
                except InputUnavailable:
                    break
                if not more:
                    if self._damage is None and self._takes_last_line():
                        self._take_last_line(lines, len(self._rest))
                    break
        if lines and begun and 0 not in oversized:
            lines[0] = begun + lines[0]
        if not lines and self._damage is not None and not self._stopped:
            raise self._broken()
        return lines, oversized

    def _skip_byte_order_mark(self) -> None:
        while len(self._rest) < len(BYTE_ORDER_MARK) and self._fill():
            pass
        if self._rest.startswith(BYTE_ORDER_MARK):
            self._consume(len(BYTE_ORDER_MARK))

    def _go_on(self) -> bytes:
        """The beginning of the next line if that was handed out before its end was there."""
        while self._begun and len(self._rest) < 2 and self._fill():
            pass
        if not self._begun or not self._rest or self._rest == b"\r":
            return b""
        begun, self._begun = self._begun, b""
        for end in (b"\n", b"\r\n"):
            if self._rest.startswith(end):
                self._consume(len(end))
                return b""
        return begun

    def _takes_last_line(self) -> bool:
        if not self._rest or self._stopped or self.last is LastLine.WAITS:
            return False
        if self.last is LastLine.JSON and not is_json(self._rest):
            raise SourceError(
                f"{self._name} ends in the middle of a line of {len(self._rest):,} bytes: it is being written, or was "
                "cut off. Get it whole; if it is complete as it is, add a line end: "
                f"`echo >> {shlex.quote(self._name)}`"
            )
        return True

    def _split(self, lines: list[bytes], whole: int, limit: int) -> None:
        """Move up to ``limit`` lines out of the first ``whole`` bytes, which end with a line end."""
        pieces = self._rest[:whole].split(b"\n", limit)
        left = len(pieces.pop())
        self._consume(whole - left)
        lines += [piece[:-1] if piece.endswith(b"\r") else piece for piece in pieces]

    def _take_last_line(self, lines: list[bytes], size: int) -> None:
        if size:
            line = self._rest[:size]
            lines.append(line[:-1] if line.endswith(b"\r") else line)
            self._begun = line
            self._consume(size)

    def _skip_long_line(self) -> tuple[bytes, Oversized] | None:
        """The beginning of a long line, and what is known of it; None if it is left, as it has no end yet."""
        before = self._consumed, self._tail
        beginning = self._rest[:_KEPT_OF_LONG_LINE]
        digest = hashlib.sha256()
        size = 0
        ended = False
        while not ended and (self._rest or self._fill()):
            end = self._rest.find(b"\n")
            ended = end >= 0
            piece = self._rest[:end] if ended else self._rest
            digest.update(piece)
            size += len(piece)
            self._consume(len(piece) + ended)
        if not ended and (self.last is LastLine.WAITS or self._damage is not None):
            self._consumed, self._tail = before
            self._long_unended = size
            return None
        return beginning, Oversized(size, digest.hexdigest())

    def _broken(self) -> SourceError:
        return SourceError(
            "all whole lines before that were read; get the file whole and run again",
            broken=f"{self._name} breaks off after byte {self._consumed} of its text ({self._damage})",
        )

    def _consume(self, count: int) -> None:
        self._tail = (self._tail + self._rest[max(0, count - _TAIL) : count])[-_TAIL:]
        self._rest = self._rest[count:]
        self._consumed += count

    def _fill(self, closes_at: float | None = None) -> bool:
        """Read on; False at the end of the stream. Raises InputUnavailable once ``closes_at`` is over."""
        if self._ended:
            return False
        chunk: bytes | None = None
        while chunk is None:
            if closes_at is not None and self._clock() >= closes_at:
                raise InputUnavailable("the time of the batch is over")
            try:
                chunk = self._stream.read(_CHUNK)
            except InputUnavailable:
                continue
            except DAMAGED as error:
                self._damage = error
                chunk = b""
        self._ended = not chunk
        self._rest += chunk
        return bool(chunk)


def _place(resume: str) -> int:
    return int(resume.partition(":")[0]) if resume else 0
