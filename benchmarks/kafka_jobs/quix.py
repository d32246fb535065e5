"""The same job in Quix Streams: ``quix.py BOOTSTRAP TOPIC RECORDS FOLDER``.

Decode, required fields, dedup in its RocksDB by message key (which is the event's id), a batching sink that inserts the
raw rows.
"""

import json
import sys
import uuid

from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch
from raw_table import RawTable, row
from stopwatch import Stopwatch

bootstrap, topic, count, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
stopwatch = Stopwatch()


class Sink(BatchingSink):
    def setup(self) -> None:
        self.table = RawTable(f"{folder}/database")

    def write(self, batch: SinkBatch) -> None:
        self.table.insert([item.value for item in batch])
        stopwatch.end()


def decode(value: bytes) -> tuple | None:
    stopwatch.begin()
    return row(value)


def is_new(value: tuple, state) -> bool:
    if state.exists("seen"):
        return False
    state.set("seen", 1)
    return True


app = Application(
    broker_address=bootstrap,
    consumer_group=uuid.uuid4().hex,
    auto_offset_reset="earliest",
    state_dir=f"{folder}/state",
    commit_interval=1.0,
    commit_every=10_000,
    loglevel="ERROR",
)
stream = app.dataframe(app.topic(topic, value_deserializer="bytes", key_deserializer="bytes"))
stream = stream.apply(decode).filter(lambda value: value is not None).filter(is_new, stateful=True)
stream.sink(Sink())
app.run(count=count, timeout=60, collect=False)
print(json.dumps(stopwatch.told(count)))
