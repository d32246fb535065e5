"""How much memory processes hold over time, and whether it grows."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Mapping
from statistics import median
from typing import final

import attrs

TOLERANCE = 0.1
"""By how much the last third may be above the second: allocators and merges move it by some percent. The first third is
left out: there caches fill."""
_EVERY_SECONDS = 2.0


@final
@attrs.frozen
class Held:
    """MiB of resident memory: the median of each third of the time, and the most there was."""

    first: float
    second: float
    last: float
    peak: float

    @property
    def growth(self) -> float:
        """Of the last third over the second, as a share."""
        return self.last / self.second - 1


@final
class Memory(threading.Thread):
    """Looks at processes every two seconds. One that is restarted counts on under its name."""

    def __init__(self, pids: Mapping[str, Callable[[], int]]) -> None:
        super().__init__(name="memory")
        self._pids = pids
        self._samples: dict[str, list[float]] = {name: [] for name in pids}
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            for name, pid in self._pids.items():
                done = subprocess.run(
                    ["ps", "-o", "rss=", "-p", str(pid())], capture_output=True, text=True, check=False
                )
                if kib := int(done.stdout.strip() or 0):  # none while it is being restarted
                    self._samples[name].append(kib / 1024)

    def end(self) -> dict[str, Held]:
        """Stop looking; answer what was found."""
        self._ended.set()
        self.join()
        return {name: _held(samples) for name, samples in self._samples.items()}


def _held(samples: list[float]) -> Held:
    third = len(samples) // 3
    assert third, "too short a time to judge memory"
    parts = (samples[:third], samples[third : 2 * third], samples[2 * third :])
    return Held(*(median(part) for part in parts), max(samples))
