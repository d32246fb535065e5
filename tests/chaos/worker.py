"""A worker that can be told to kill itself at a step of the delivery: ``python worker.py STEP NUMBER [arguments]``.

``STEP`` is one of the delivery's steps, or ``none``; at its ``NUMBER``-th time the process kills itself. The file that
``LPA_CHAOS_CLOCK`` names says by how many seconds its clock is wrong.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from lpa_core import logs
from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.kafka_job import KafkaJob
from lpa_core.jobs.metrics_observer import MetricsObserver
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import load

_STEP, _NUMBER, SINK, DEDUP = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]


class Suicidal(MetricsObserver):
    left = _NUMBER

    def step(self, step: Step, range_: Range) -> None:
        super().step(step, range_)
        if step == _STEP:
            Suicidal.left -= 1
            if not Suicidal.left:
                os.kill(os.getpid(), signal.SIGKILL)


_CLOCK = Path(os.environ["LPA_CHAOS_CLOCK"])
_right_time = time.time_ns


def _shown_time() -> int:
    try:
        return max(0, _right_time() + int(_CLOCK.read_text() or 0) * 1_000_000_000)
    except FileNotFoundError:
        return _right_time()


def main() -> None:
    time.time_ns = _shown_time
    settings = load()
    logs.configure(settings.lpa.log_format, settings.lpa.log_level)
    KafkaJob(Job(sinks=(SINK,), dedup=DEDUP), settings, PluginManager(settings), Suicidal).run()


if __name__ == "__main__":
    main()
