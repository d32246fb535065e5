"""Standard input, output and error that every command can rely on: they are there, and printing never fails.

A job must not end half-way because nobody reads what it prints. So the first error of a stream is remembered, what is
printed after it goes nowhere, and the command line says so at the end.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys

TYPE_CHECKING = False  # not that of typing, whose import takes long
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Output(io.RawIOBase):
    """A file descriptor that takes whatever is written, as long as it can."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def write(self, data: ReadableBuffer, /) -> int:
        view = memoryview(data)
        while self.failure is None:
            try:
                return os.write(self._number, view)
            except BlockingIOError:  # another process that shares the pipe asked for that
                select.select([], [self._number], [])
            except OSError as error:
                self.failure = error
        return view.nbytes


_closed: set[int] = set()
"""Numbers of the streams that were closed when the process began."""


def secure() -> None:
    """Let nothing that is printed fail because a standard stream is closed, full, or cannot show a character.

    A closed one is opened on nothing. Otherwise the next file that is opened, such as one of a database, would take
    its number, and what a library prints would be written into that file. To be called before anything is opened.
    """
    if isinstance(_raw(), _Output):
        return
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free
            _closed.add(number)
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="backslashreplace")
    sys.stdout = _rebuilt(sys.stdout, 1)
    sys.stderr = _rebuilt(sys.stderr, 2)


def input_is_closed() -> bool:
    """Whether the process began without a standard input, as after ``<&-``."""
    return 0 in _closed


def output_failure() -> OSError | None:
    """Why standard output takes nothing any more: a command that only prints may end."""
    raw = _raw()
    return raw.failure if isinstance(raw, _Output) else None


def lost_output() -> OSError | None:
    """As :func:`output_failure`, but None if the reader went away, as ``head`` does: it has what it wanted."""
    failure = output_failure()
    return None if failure is not None and failure.errno == errno.EPIPE else failure


def flush() -> None:
    """Write what is held back, to both."""
    sys.stdout.flush()
    sys.stderr.flush()


def _rebuilt(stream: object, number: int) -> io.TextIOWrapper:
    encoding, at_once = "utf-8", number == 2
    if isinstance(stream, io.TextIOWrapper):
        stream.flush()
        encoding, at_once = stream.encoding, stream.line_buffering or stream.write_through
    buffer = io.BufferedWriter(_Output(number))
    return io.TextIOWrapper(buffer, encoding=encoding, errors="backslashreplace", line_buffering=at_once)


def _raw() -> object:
    """What standard output writes to."""
    return getattr(getattr(sys.stdout, "buffer", None), "raw", None)
