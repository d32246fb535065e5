"""Reads back which events a database holds: what lost claims are rebuilt from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from clickhouse_connect.driver.client import Client

from lpa_core.orgs import claim_key
from lpa_core.sinks.sink import StoredKeys

_KEYS_AT_ONCE: Final = 20_000


def stored_keys(
    client: Client, query: str, topic: str, partition: int, first_offset: int, since: int
) -> Iterator[StoredKeys]:
    """What the events that ``query`` (stored_keys.sql) finds have claimed, those of one batch time together.

    Raises the client's errors.
    """
    where = {"topic": topic, "partition": partition, "first": first_offset, "since": since}
    batch_time = 0
    keys: list[str] = []
    offsets: list[int] = []
    with client.query_rows_stream(query, parameters=where) as rows:
        for time, org, key, offset in rows:
            if keys and (time != batch_time or len(keys) >= _KEYS_AT_ONCE):
                yield StoredKeys(batch_time, keys, offsets)
                keys, offsets = [], []
            batch_time = time
            keys.append(claim_key(org, key))
            offsets.append(offset)
    if keys:
        yield StoredKeys(batch_time, keys, offsets)
