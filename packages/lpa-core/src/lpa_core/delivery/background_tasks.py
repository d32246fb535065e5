"""Work beside a worker's own loop. Behind a contract, so that a simulation can decide what runs when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol, final


class Task(Protocol):
    """Something that was started."""

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; return whether it has ended."""
        ...

    def check(self) -> None:
        """Raise what the work raised, if it has ended so."""
        ...


class Background(Protocol):
    def start(self, work: Callable[[], None], name: str) -> Task:
        """Begin the work beside the caller."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def now(self) -> float:
        """Seconds, of a clock that never runs back."""
        ...


@final
class _ThreadTask:
    def __init__(self, work: Callable[[], None], name: str) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._ended = threading.Event()
        # A daemon: work that waits for a dead server must not keep the process from ending.
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()

    def wait(self, seconds: float) -> bool:
        return self._ended.wait(seconds)

    def check(self) -> None:
        if self._ended.is_set() and self._error is not None:
            raise self._error


@final
class Threads:
    """Each task is a thread."""

    def start(self, work: Callable[[], None], name: str) -> Task:
        return _ThreadTask(work, name)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def now(self) -> float:
        return time.monotonic()
