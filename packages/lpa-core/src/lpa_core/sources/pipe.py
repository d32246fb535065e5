"""A stream that can be read only once, as it comes."""

from __future__ import annotations

import io
import os
import select
from typing import BinaryIO, final

from lpa_core.errors import Unavailable


class InputUnavailable(Unavailable):
    """Nothing came through a pipe for a while, and more may come."""


@final
class Pipe(io.RawIOBase):
    """Reads a pipe, a terminal or the like. Another thread can stop the waiting for more."""

    def __init__(self, file: BinaryIO, seconds: float | None = None) -> None:
        """``seconds``: how long a read waits before it raises InputUnavailable; None if it waits for ever."""
        self._file, self._milliseconds = file, None if seconds is None else max(1, round(seconds * 1_000))
        self._stopped, self._stop = os.pipe()
        self._either = select.poll()
        for number in (file.fileno(), self._stopped):
            self._either.register(number, select.POLLIN)

    def read(self, size: int = -1, /) -> bytes:
        """What is there, at least one byte; none at the end or if it is stopped. Raises InputUnavailable, OSError."""
        ready = dict(self._either.poll(self._milliseconds))
        if not ready:
            raise InputUnavailable("nothing came through the pipe")
        if self._stopped in ready:
            return b""
        return os.read(self._file.fileno(), size)

    def stop(self) -> None:
        os.write(self._stop, b"\0")

    def close(self) -> None:
        if not self.closed:
            for number in (self._stopped, self._stop):
                os.close(number)
        super().close()
