"""The same job in Bytewax: ``bytewax_flow.py BOOTSTRAP TOPIC RECORDS FOLDER``.

Decode, required fields, dedup by key in memory (without recovery), a sink that inserts the raw rows in batches.
"""

import json
import sys

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main
from raw_table import RawTable, row
from stopwatch import Stopwatch

bootstrap, topic, count, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
stopwatch = Stopwatch()


class Partition(StatelessSinkPartition):
    def __init__(self) -> None:
        self.table, self.rows = RawTable(f"{folder}/database"), []

    def write_batch(self, items: list) -> None:
        self.rows += items
        if len(self.rows) >= 10_000:
            self.table.insert(self.rows)
            self.rows = []

    def close(self) -> None:
        self.table.insert(self.rows)


class Sink(DynamicSink):
    def build(self, step_id: str, worker_index: int, worker_count: int) -> Partition:
        return Partition()


def decode(message) -> list:
    stopwatch.begin()
    found = row(message.value)
    return [] if found is None else [(message.key.decode(), found)]


def first_only(seen, value):
    return (True, []) if seen else (True, [value])


flow = Dataflow("job")
source = KafkaSource([bootstrap], [topic], tail=False, batch_size=10_000)
stream = op.flat_map("decode", op.input("in", flow, source), decode)
stream = op.stateful_flat_map("dedup", stream, first_only)
op.output("out", op.map("row", stream, lambda item: item[1]), Sink())
run_main(flow)
stopwatch.end()
print(json.dumps(stopwatch.told(count)))
