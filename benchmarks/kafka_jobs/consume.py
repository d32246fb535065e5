"""Floors: ``consume.py BOOTSTRAP TOPIC RECORDS [FOLDER]`` reads and counts; with a folder decodes and inserts too."""

import json
import sys
import uuid

from confluent_kafka import Consumer
from raw_table import RawTable, row
from stopwatch import Stopwatch

bootstrap, topic, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
table = RawTable(f"{sys.argv[4]}/database") if len(sys.argv) > 4 else None
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"})
consumer.subscribe([topic])
read, rows, stopwatch = 0, [], Stopwatch()
while read < count:
    messages = consumer.consume(10_000, 0.1)
    if messages:
        stopwatch.begin()
    read += len(messages)
    if table is not None:
        rows += [found for message in messages if (found := row(message.value())) is not None]
        if len(rows) >= 10_000 or read >= count:
            table.insert(rows)
            rows = []
stopwatch.end()
consumer.close()
print(json.dumps(stopwatch.told(read)))
