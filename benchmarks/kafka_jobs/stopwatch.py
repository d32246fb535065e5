"""What a job took, from its first record on: time, and the processor's, of all its threads."""

import resource
import time
from typing import Any


class Stopwatch:
    def __init__(self) -> None:
        self._began = self._ended = (0.0, 0.0)

    def begin(self) -> None:
        """At each record, or batch: the first counts."""
        if not self._began[0]:
            self._began = _now()

    def end(self) -> None:
        """At the end; the last call counts."""
        self._ended = _now()

    def told(self, read: int) -> dict[str, Any]:
        seconds, cpu_seconds = (end - begin for begin, end in zip(self._began, self._ended, strict=True))
        return {"read": read, "seconds": seconds, "cpu_seconds": cpu_seconds, "peak_kib": peak_kib()}


def peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
