"""How a process behaves while it ingests: signals, the garbage collector, the interpreter lock, memory."""

from __future__ import annotations

import ctypes
import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import structlog

from lpa_core import interrupts

_log = structlog.get_logger("lpa.runner")

_OBJECTS_BETWEEN_COLLECTIONS: Final = 1_000_000
_HANDOVER_SECONDS: Final = 0.0005


class Stoppable(Protocol):
    def stop(self) -> object:
        """Let the work end soon. Called in another thread."""
        ...


@contextmanager
def stopped_by_signals(worker: Stoppable, seconds: float | None = None) -> Iterator[None]:
    """Have Ctrl-C, SIGTERM and SIGHUP stop the worker after the range in work; once more, they end the process.

    The process also ends if that takes longer than ``seconds``; None if the worker sees to it.
    """

    def stop(number: int) -> None:
        # Whoever pressed Ctrl-C at a terminal has to know that it takes a moment. Elsewhere the last line is enough.
        if number != signal.SIGINT or sys.stderr.isatty():
            _log.info("stopping after the range in work; once more stops at once", signal=signal.Signals(number).name)
        worker.stop()

    with interrupts.stopping(stop, seconds):
        yield


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Keep the cyclic collector from walking over a range's objects again and again.

    They are tens of thousands and without a cycle; walking costs as much as decoding them. What is alive now stays
    out of it, and the rest is looked at about once in many ranges, for what libraries leave behind. What the process
    had frozen before stays frozen.
    """
    thresholds, frozen_before = gc.get_threshold(), gc.get_freeze_count()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 2, 5)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if not frozen_before:
            gc.unfreeze()


@contextmanager
def prompt_handover() -> Iterator[None]:
    """Let the writing thread have the interpreter soon after it asks.

    It asks some eight times an insert, for a moment each: at the default of 5 ms it waits longer than it writes.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_HANDOVER_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


_LIBRARY: Final = ctypes.CDLL(None)
_TRIM: Final = getattr(_LIBRARY, "malloc_trim", None)
_OPTION: Final = getattr(_LIBRARY, "mallopt", None)
_MMAP_THRESHOLD: Final = -3
"""``M_MMAP_THRESHOLD`` of glibc's malloc.h."""
_LARGE_BYTES: Final = 262_144


def map_large_buffers() -> None:
    """Have glibc map each large buffer by itself, so that freeing one gives its memory back.

    glibc would raise its threshold to the largest buffer ever freed, up to 32 MiB. Blocks and fetched records would lie
    between small objects, and what they leave could not be given back: a third of a job's memory after a million
    records. Other C libraries are left alone.
    """
    if _OPTION is not None:
        _OPTION(_MMAP_THRESHOLD, _LARGE_BYTES)


def trim_memory() -> None:
    """Hand a finished range's memory back to the system, where the C library can: it would keep it for ever."""
    if _TRIM is not None:
        _TRIM(0)
