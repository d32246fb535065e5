"""Floors: ``consume.py BOOTSTRAP TOPIC RECORDS [FOLDER]`` reads and counts; with a folder decodes and inserts too."""

import json
import sys
import time
import uuid

from confluent_kafka import Consumer
from raw_table import RawTable, peak_kib, row

bootstrap, topic, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
table = RawTable(sys.argv[4]) if len(sys.argv) > 4 else None
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"})
consumer.subscribe([topic])
read, started = 0, 0.0
rows = []
while read < count:
    messages = consumer.consume(10_000, 0.1)
    if messages and not started:
        started = time.perf_counter()
    read += len(messages)
    if table is not None:
        rows += [found for message in messages if (found := row(message.value())) is not None]
        if len(rows) >= 10_000 or read >= count:
            table.insert(rows)
            rows = []
seconds = time.perf_counter() - started
consumer.close()
print(json.dumps({"read": read, "seconds": seconds, "peak_kib": peak_kib()}))
