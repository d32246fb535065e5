"""Work that is done again and again, but only while somebody looks at a page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, final

import structlog

IDLE_SECONDS: Final = 180
"""Pages ask every 15 seconds while they are open, so nobody looks any more."""

_log = structlog.get_logger("lpa.console")


@final
class WhileAsked:
    """Does ``work`` in a thread of its own, at once when it is asked for and every ``seconds`` until nobody asks.

    Work that raises is logged and done again in its time. Any thread may ask.
    """

    def __init__(self, name: str, work: Callable[[], object], seconds: float, idle_seconds: float = IDLE_SECONDS):
        """``name`` is that of the thread; ``idle_seconds`` after the last question the work rests."""
        self._name, self._work, self._seconds, self._idle_seconds = name, work, seconds, idle_seconds
        self._asked, self._stopping, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._asked_at, self._done_at = 0.0, time.monotonic()
        self._thread: threading.Thread | None = None

    def ask(self) -> bool:
        """Say that somebody looks. Returns whether what the work left is as new as it should be; never waits."""
        now = time.monotonic()
        with self._lock:
            self._asked_at = now
            if self._thread is None and not self._stopping.is_set():
                self._done_at = now
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        self._asked.set()
        return now - self._done_at <= self._seconds + self._idle_seconds

    def close(self) -> None:
        """Do no more of it. Does not wait for what is being done."""
        self._stopping.set()
        self._asked.set()

    def _run(self) -> None:
        while self._asked.wait() and not self._stopping.is_set():
            try:
                self._work()
            except Exception as error:  # without this thread a page would show old figures for ever
                _log.error("the console could not look", what=self._name, error=f"{type(error).__name__}: {error}")
            self._done_at = time.monotonic()
            with self._lock:
                if self._done_at - self._asked_at > self._idle_seconds:
                    self._asked.clear()
            self._stopping.wait(self._seconds)
