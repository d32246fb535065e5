"""Decode and validate events with lpa-core alone: no database, no other package.

Needs only:  pip install lpa-core
"""

from lpa_core import BUILTIN_EVENT_TYPES, Accepted, Pipeline, Position, Rejected

EVENTS = [
    b'{"id": "f3f0b8a2-54a6-4e47-a4c4-6c1fd6f4fd2a", "type": "stream_trace", "timestamp": "1767873600000",'
    b' "data": {"type": "gateway_receive_stream_request", "stream_id": "stream-1", "request_id": "request-1"}}',
    b'{"id": "8c1d", "type": "stream_trace", "timestamp": "today", "data": {}}',
]

pipeline = Pipeline(BUILTIN_EVENT_TYPES)
for line, event in enumerate(EVENTS):
    verdict = pipeline.process(event, Position("example", 0, line))
    if isinstance(verdict, Rejected):
        print(f"{verdict.position} rejected: {verdict.failure.reason}: {verdict.failure.details}")
    elif isinstance(verdict, Accepted):
        for table, row in verdict.rows:
            print(f"example[0]@{line} accepted into {table.name}: {row}")
