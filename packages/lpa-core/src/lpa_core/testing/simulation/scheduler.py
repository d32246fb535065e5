"""Who goes on, and what time it is: decided by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, final

import attrs
from greenlet import GreenletExit, greenlet  # type: ignore[import-untyped]

BEGINNING: Final = 1_767_900_000.0
"""When each world begins, epoch seconds: about the time of its records."""


@final
@attrs.define(eq=False)
class Host:
    """A process and its threads: they are crashed, frozen and woken together."""

    name: str
    dead: bool = False
    frozen_until: float = 0.0


@final
@attrs.define(eq=False)
class Strand:
    """One thread of a host; ``host`` is None for a server's."""

    host: Host | None
    body: greenlet
    wake_at: float = 0.0
    error: BaseException | None = None

    @property
    def ended(self) -> bool:
        return bool(self.body.dead)


@final
class Scheduler:
    """Runs strands, one at a time, each from one await point to its next."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = BEGINNING
        self.steps = 0
        self.trace: list[str] = []
        self.strands: list[Strand] = []
        self._killed: list[Strand] = []
        self._hub = greenlet.getcurrent()
        self._current: Strand | None = None
        self._over = False

    def spawn(self, host: Host | None, work: Callable[[], None]) -> Strand:
        def body() -> None:
            try:
                work()
            except GreenletExit:
                pass
            except BaseException as error:
                strand.error = error

        strand = Strand(host, greenlet(body, parent=self._hub), self.now)
        self.strands.append(strand)
        return strand

    def say(self, what: str) -> None:
        host = self._current.host.name if self._current and self._current.host else "server"
        self.trace.append(f"{self.now - BEGINNING:8.3f} {host}: {what}")

    def pause(self, seconds: float = 0.0) -> None:
        """An await point: others go on; this strand not before ``seconds`` have passed."""
        if self._over:
            raise GreenletExit
        strand = self._current
        assert strand is not None
        strand.wake_at = self.now + seconds
        self._hub.switch()

    def kill(self, host: Host) -> None:
        """Nothing of the host goes on any more."""
        host.dead = True
        self._killed += [strand for strand in self.strands if strand.host is host]
        self.strands = [strand for strand in self.strands if strand.host is not host]

    def step(self) -> None:
        """Let one strand go on to its next await point; time passes where all of them wait."""
        self.steps += 1
        self.strands = [strand for strand in self.strands if not strand.ended]
        ready = [strand for strand in self.strands if self._due(strand) <= self.now]
        if not ready:
            self.now = min(map(self._due, self.strands), default=self.now + 1)
            return
        self._current = self.random.choice(ready)
        self._current.body.switch()
        self._current = None

    def end(self) -> None:
        """Unwind every strand that has not ended, those of dead hosts too: a suspended stack is never collected.

        What their ``finally`` blocks do to the world comes after its end.
        """
        self._over = True
        for strand in (*self.strands, *self._killed):
            if not strand.ended:
                strand.body.throw(GreenletExit)
        self.strands, self._killed = [], []

    def _due(self, strand: Strand) -> float:
        frozen = strand.host.frozen_until if strand.host is not None else 0.0
        return max(strand.wake_at, frozen)


@final
class SimulatedTask:
    def __init__(self, scheduler: Scheduler, strand: Strand) -> None:
        self._scheduler, self._strand = scheduler, strand

    def wait(self, seconds: float) -> bool:
        deadline = self._scheduler.now + seconds
        while not self._strand.ended and self._scheduler.now < deadline:
            self._scheduler.pause(0.05)
        return self._strand.ended

    def check(self) -> None:
        if self._strand.error is not None:
            raise self._strand.error


@final
class SimulatedBackground:
    """The ``Background`` of a host."""

    def __init__(self, scheduler: Scheduler, host: Host) -> None:
        self._scheduler, self._host = scheduler, host

    def start(self, work: Callable[[], None], name: str) -> SimulatedTask:
        return SimulatedTask(self._scheduler, self._scheduler.spawn(self._host, work))

    def sleep(self, seconds: float) -> None:
        self._scheduler.pause(seconds)

    def now(self) -> float:
        return self._scheduler.now
