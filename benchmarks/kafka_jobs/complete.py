"""``complete.py SINK [alone]``: ``lpa ingest`` by the settings in the environment; says how far it is after each range.

A line for each: when (epoch seconds), and how many records were finished by this worker so far. Another for each block
of raw rows that is stored: when, of which partition, and up to which offset. With ``alone`` the delivery is alone: no
facts are derived beside it.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from stopwatch import peak_kib

from lpa_core import logs
from lpa_core.delivery.blocks import Settled
from lpa_core.delivery.ranges import Range
from lpa_core.jobs.assembly import Job
from lpa_core.jobs.kafka_job import KafkaJob
from lpa_core.jobs.metrics_observer import MetricsObserver
from lpa_core.plugins.manager import PluginManager
from lpa_core.records import RecordBatch
from lpa_core.settings.loading import load
from lpa_core.sinks.sink import Sink
from lpa_core.tables.row_layout import RAW_TABLE
from lpa_core.tables.table import Block


class Told(MetricsObserver):
    done = 0
    began = False

    def consumed(self, batch: RecordBatch) -> None:
        super().consumed(batch)
        if not Told.began:
            Told.began = True
            _say()

    def finished(self, settled: Settled, blocks: Sequence[Block], range_: Range) -> None:
        super().finished(settled, blocks, range_)
        Told.done += range_.count
        _say()

    def wrote(self, block: Block, sink: Sink) -> None:
        super().wrote(block, sink)
        if block.table is RAW_TABLE:
            stored = {"at": time.time(), "partition": block.partition, "stored": max(block.offsets)}
            print(json.dumps(stored), flush=True)


def _say() -> None:
    told = {"at": time.time(), "cpu": time.process_time(), "done": Told.done, "peak_kib": peak_kib()}
    print(json.dumps(told), flush=True)


settings = load()
logs.configure("json", "error")
folder = settings.lpa.data_dir
Path(folder).mkdir(parents=True, exist_ok=True)
job = Job(sinks=tuple(sys.argv[1:2]), dedup=f"rocksdb://{folder / 'dedup'}", facts=sys.argv[2:] != ["alone"])
report = KafkaJob(job, settings, PluginManager(settings), Told).run()
print(json.dumps({"stages": report.as_json()["stages"]}), flush=True)
