"""ClickHouse's own way: ``kafka_engine.py BOOTSTRAP TOPIC RECORDS FOLDER``.

A table of the Kafka engine; required fields by conditions of materialized views, one into the raw table, one into dead
letters. Dedup is left to a ReplacingMergeTree: copies go at merges, or when a query says FINAL.

The embedded engine has no threads that read such a table in the background, and its CREATE TABLE answers an error for
that reason, though the table is there and can be read. So statements read it here, one after the other.
"""

import json
import sys
import uuid

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError
from stopwatch import Stopwatch

bootstrap, topic, count, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]

QUEUE = f"""
CREATE TABLE floor.queue (body String) ENGINE = Kafka SETTINGS kafka_broker_list = '{bootstrap}',
    kafka_topic_list = '{topic}', kafka_group_name = '{uuid.uuid4().hex}', kafka_format = 'JSONAsString',
    kafka_handle_error_mode = 'stream', kafka_commit_on_select = 1, kafka_flush_interval_ms = 500
"""
# A fraction in text would be cut off, and bytes that are no UTF-8 taken: the other jobs refuse both.
FIT = """error = '' AND event.type IS NOT NULL AND event.timestamp IS NOT NULL AND position(event.text, '.') = 0
    AND isValidUTF8(body)"""
TABLES = (
    """
    CREATE TABLE floor.incoming (
        body String, error String, message String, offset Tuple(partition UInt64, offset UInt64),
        event Tuple(id String, type Nullable(String), timestamp Nullable(Int64), gateway String, text String)
    ) ENGINE = Null
    """,
    """
    CREATE TABLE floor.raw (id String, type LowCardinality(String), timestamp Int64, gateway String, raw_json String,
        event_date Date32 MATERIALIZED toDate32(fromUnixTimestamp64Milli(timestamp)))
    ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(event_date) ORDER BY (event_date, type, timestamp, id)
    """,
    """
    CREATE TABLE floor.dead (offset Tuple(partition UInt64, offset UInt64), reason String, text String)
    ENGINE = MergeTree ORDER BY offset
    """,
    f"""
    CREATE MATERIALIZED VIEW floor.to_raw TO floor.raw AS SELECT event.id AS id, assumeNotNull(event.type) AS type,
        assumeNotNull(event.timestamp) AS timestamp, event.gateway AS gateway, body AS raw_json
    FROM floor.incoming WHERE {FIT}
    """,
    f"""
    CREATE MATERIALIZED VIEW floor.to_dead TO floor.dead AS SELECT offset,
        error = '' ? 'required field' : error AS reason, error = '' ? body : message AS text
    FROM floor.incoming WHERE NOT ({FIT})
    """,
)
READ = """
INSERT INTO floor.incoming SELECT body, _error, _raw_message, (_partition, _offset),
    tupleConcat(
        JSONExtract(body, 'Tuple(id String, type Nullable(String), timestamp Nullable(Int64), gateway String)'),
        tuple(JSONExtractString(body, 'timestamp'))
    )
FROM floor.queue SETTINGS stream_like_engine_allow_direct_select = 1
"""

client = clickhouse_connect.get_client(interface="chdb", path=f"{folder}/database")
client.command("CREATE DATABASE floor")
try:
    client.command(QUEUE)
except DatabaseError as error:
    if "Shutdown was called" not in str(error):
        raise
for statement in TABLES:
    client.command(statement)
read, stopwatch = 0, Stopwatch()
while read < count:
    stopwatch.begin()
    client.command(READ)
    read = client.query("SELECT sum(num_messages_read) FROM system.kafka_consumers").result_rows[0][0]
stopwatch.end()
dead = client.query("SELECT count() FROM floor.dead").result_rows[0][0]
client.command("DROP TABLE floor.queue")  # or the folder could not be opened again
print(json.dumps({**stopwatch.told(read), "dead": dead}))
