"""How a process ends when it is asked to: by Ctrl-C, by SIGTERM, or because its terminal is closed.

The first request raises KeyboardInterrupt in the main thread, or has a job stop after the range in work. The main
thread may be deep in an engine, or in a library that swallows the exception. So another thread watches: a second
request ends the process at once, and so does the end of its patience. Ending at once is as safe as a kill, which
every command survives.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

STOPPED = 130
"""The exit status of a command that was stopped before its end."""
ADVICE = "stopped; run the same command again to go on"

_REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_SECONDS = 5.0
"""How long a command may take to tidy up."""
_LEAVING_SECONDS = 15.0
"""How long that takes at most if a job's work has ended: a broker is given 5 s to hear that a member leaves."""
_LAST_WORD_SECONDS = 1.0
_NO_SIGNAL = b"\0"
_SHOW_CURSOR = b"\x1b[?25h\r\n"

TYPE_CHECKING = False  # not that of typing, whose import takes long
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

    Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None

Stop = Callable[[int], object]
"""Receives the number of the signal, in a thread of its own."""


class _Watch:
    """Watches for requests from when it is installed. One that the caller had ignored stays ignored, as for nohup."""

    def __init__(self) -> None:
        self.request = 0
        """The first signal that came."""
        self.job: tuple[Stop, float | None] | None = None
        """What stops the work that the main thread does, and how many seconds that may take; None raises."""
        self.abrupt = False
        """Whether no work is going on that could be ended well."""
        self._is_last_word = False
        """Whether the main thread says why the process ends, which a request must not cut off."""
        self._last_word = threading.Lock()
        self._said = threading.Event()
        self._count = 0
        self._deadline: float | None = None
        self._before: dict[int, Handler] = {}

    def install(self) -> None:
        self._read, self._written = os.pipe()
        os.set_blocking(self._written, False)
        self._wakeup_before = signal.set_wakeup_fd(self._written, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._run, name="interrupts", daemon=True)
        self._thread.start()
        for number in _REQUESTS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)

    def uninstall(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._written)
        self._thread.join()
        os.close(self._read)

    def limit(self, seconds: float) -> None:
        """Give the process that many seconds from now, whatever it had, if it was asked to end."""
        if self.request:
            self._deadline = time.monotonic() + seconds
            with suppress(BlockingIOError):
                os.write(self._written, _NO_SIGNAL)

    def last_word(self, say: Callable[[], object]) -> None:
        """Say why the process ends. If another thread does, wait until it has."""
        if threading.current_thread() is threading.main_thread():
            self._is_last_word = True
        if self._last_word.acquire(blocking=False):
            try:
                say()
            finally:
                self._said.set()
        else:
            self._said.wait(_LAST_WORD_SECONDS)

    def end(self) -> None:
        """End the process now, and need nothing that the main thread may hold."""
        with suppress(OSError, ValueError):
            self.last_word(_say)
        os._exit(STOPPED)

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Runs in the main thread, as soon as that executes Python: maybe late, maybe never."""
        first = not self.request
        self.request = self.request or number
        if first and self.job is None and not self.abrupt and not self._is_last_word:
            raise KeyboardInterrupt

    def _run(self) -> None:
        while True:
            left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
            ready, _, _ = select.select([self._read], [], [], left)
            numbers = os.read(self._read, 256) if ready else b""
            if ready and not numbers:
                return
            for number in numbers:
                if number in self._before:
                    self._asked(number)
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self.end()

    def _asked(self, number: int) -> None:
        self._count += 1
        if self._count > 1 or self.abrupt:
            self.end()
        stop, seconds = self.job or (None, _PATIENCE_SECONDS)
        if seconds is not None:
            self._deadline = time.monotonic() + seconds
        if stop is not None:
            stop(number)


_watch: _Watch | None = None


def install() -> None:
    """From now on a request ends the process at once, until :func:`begin_work`. For the main thread of a program."""
    global _watch
    if _watch is not None:
        return
    _watch = _Watch()
    _watch.abrupt = True
    _watch.install()
    sys.unraisablehook = _ignore_lost_interrupts


def begin_work() -> None:
    """From now on a request raises KeyboardInterrupt in the main thread."""
    if _watch is not None:
        _watch.abrupt = False
        if _watch.request:
            raise KeyboardInterrupt


def end_work() -> None:
    """From now on a request ends the process at once: nothing is left to be stopped well."""
    if _watch is not None:
        _watch.abrupt = True


@contextmanager
def stopping(stop: Stop, seconds: float | None) -> Iterator[None]:
    """Have a request call ``stop`` instead of raising KeyboardInterrupt.

    Args:
        stop: what lets the work in the main thread end soon.
        seconds: how long that may take; None if it limits itself. What follows the work has a limit of its own.

    Does nothing in another thread than the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watch = _watch or _Watch()
    watch.job = (stop, seconds)
    if watch is not _watch:
        watch.install()
    try:
        yield
    finally:
        watch.job = None
        if watch is _watch:
            watch.limit(_LEAVING_SECONDS)
        else:
            watch.uninstall()


def interrupted() -> bool:
    """Whether Ctrl-C was pressed: no matter how far the command came, it was stopped."""
    return _watch is not None and _watch.request == signal.SIGINT


def requested() -> bool:
    """Whether the process was asked to end, in whatever way."""
    return _watch is not None and _watch.request != 0


def last_word(say: Callable[[], object]) -> None:
    """Say why the process ends, if nobody has said it yet: it ends once."""
    if _watch is None:
        say()
    else:
        _watch.last_word(say)


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Start child processes that Ctrl-C and a closed terminal do not reach: they end with this process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave(status: int) -> NoReturn:
    """End the process, whatever its other threads do.

    An engine that works on while the interpreter is taken apart would crash.
    """
    end_work()
    if _watch is not None and interrupted() and status != STOPPED:
        _watch.end()
    os._exit(status)


def _say() -> None:
    """By the system's means alone; not to somebody who does not read."""
    if select.select([], [2], [], 0)[1]:
        os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + f"lpa: {ADVICE}\n".encode())


def _ignore_lost_interrupts(lost: sys.UnraisableHookArgs) -> None:
    """Print nothing about an interrupt in a destructor or the like: the process ends all the same."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
