"""How far a database has every record of a partition."""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.client import Client

from lpa_core.delivery.commit_metadata import MAX_SPAN
from lpa_core.delivery.log import Partition
from lpa_ops.recover.statements import sql


def stored_through(client: Client, database: str, partition: Partition, low: int, behind: int) -> int:
    """The offset before which every record of the partition is stored, accepted or rejected.

    At most one range of a partition is unfinished, so nothing is missing further back than a range reaches; and what
    the topic no longer holds, before ``low``, is not asked for. Raises the client's errors.

    Args:
        behind: the offset behind the partition's last stored record.
    """
    first = max(low, behind - MAX_SPAN)
    where: dict[str, Any] = {"topic": partition.topic, "partition": partition.number, "first": first}
    found = client.query(sql("positions_between.sql", database), parameters=where).result_rows
    for expected, (offset,) in enumerate(found, first):
        if offset != expected:
            return expected
    return max(first + len(found), low)
