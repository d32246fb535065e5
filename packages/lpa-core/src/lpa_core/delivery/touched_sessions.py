"""What a finished range touches. A topic tells materializers about it (rule 4 of the architecture)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, final

import msgspec

from lpa_core.errors import JobFailed
from lpa_core.orgs import NO_ORG, of_org
from lpa_core.sinks.sink import StoredRange
from lpa_core.tables.table import Block

PROJECTED_TABLES: Final = frozenset(
    {
        "stream_ingest_metrics",
        "network_capabilities",
        "network_capabilities_advertised",
        "network_capabilities_model_constraints",
        "network_capabilities_prices",
    }
)
"""Typed tables of which other tables hold a projection, row by row."""
JOB_TABLES: Final = frozenset(
    {
        "ai_batch_requests",
        "ai_llm_requests",
        "job_gateway_events",
        "job_orchestrator_events",
        "job_payment_events",
        "worker_lifecycle_events",
    }
)
"""Typed tables that facts of jobs are made of."""
_SIGNAL_TABLES: Final = frozenset({"ai_stream_status", "stream_trace_events", "ai_stream_events"})


class UnreadableTouchError(JobFailed):
    """A record of the topic is none of ours. The message says why."""


@final
class Touch(msgspec.Struct, frozen=True, omit_defaults=True):
    """A session, a projected table, or jobs that got new rows by a range.

    Earlier and later versions read it, too: they pass over fields that they do not know, and take a touch of jobs for
    sessions without ids, which the range need not have.

    Attributes:
        topic, partition, batch_time: of the range; its rows carry them.
        stream_id, request_id: of the session, as sent. Without both, and without ``table``: sessions that have
            neither, and all jobs of the range.
        table: one of ``PROJECTED_TABLES``, or empty.
        org: whose session it is; empty without an org, and for a table.
    """

    topic: str
    partition: int
    batch_time: int
    stream_id: str = ""
    request_id: str = ""
    table: str = ""
    org: str = NO_ORG

    @property
    def stored(self) -> StoredRange:
        return StoredRange(self.topic, self.partition, self.batch_time)

    @property
    def key(self) -> bytes:
        """The record's key: everything about a session, or a table, comes in one partition and in order."""
        return (self.table or of_org(self.org, f"{self.stream_id.strip(' ')}|{self.request_id.strip(' ')}")).encode()

    def encode(self) -> bytes:
        return _ENCODER.encode(self)


def decode(value: bytes | None) -> Touch:
    """The touch that a record holds. Raises UnreadableTouchError."""
    try:
        touch = _DECODER.decode(value or b"")
    except msgspec.MsgspecError as error:
        raise UnreadableTouchError(str(error)) from None
    if touch.table and touch.table not in PROJECTED_TABLES:
        raise UnreadableTouchError(f"this version derives nothing from table {touch.table}")
    return touch


def touches(blocks: Iterable[Block]) -> Iterator[Touch]:
    """What the blocks of one range touch: each session and table once, and once whatever jobs there are."""
    sessions: dict[tuple[str, str], Block] = {}
    for block in blocks:
        if block.table.name in _SIGNAL_TABLES:
            names = block.table.column_names
            streams, requests = (block.columns[names.index(name)] for name in ("stream_id", "request_id"))
            sessions.update(dict.fromkeys(zip(streams, requests, strict=True), block))
        elif block.table.name in PROJECTED_TABLES:
            yield Touch(block.topic, block.partition, _batch_time(block), table=block.table.name)
        elif block.table.name in JOB_TABLES:
            sessions["", ""] = block
    for (stream_id, request_id), block in sessions.items():
        yield Touch(block.topic, block.partition, _batch_time(block), stream_id, request_id, org=_of_all(block, "org"))


def _batch_time(block: Block) -> int:
    return int(_of_all(block, "ingestion_timestamp"))


def _of_all(block: Block, column: str) -> Any:
    """The value of a column that is the same in all rows of a range."""
    return block.columns[block.table.column_names.index(column)][0]


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Touch)
