"""The sink into ClickHouse, a server or the embedded engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar, final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.derived import Derived
from lpa_core.sinks.sink import (
    RowsOfRange,
    RowsRefused,
    SinkMisconfigured,
    SinkUnavailable,
    StoredKeys,
    StoredOffsets,
    StoredRange,
    require_distinct,
)
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, OffsetSpan
from lpa_core.tables.row_layout import RAW_TABLE
from lpa_core.tables.table import Block, Table
from lpa_sinks.clickhouse.client import Endpoint, connect
from lpa_sinks.clickhouse.errors import ErrorKind, classify, describe, explain
from lpa_sinks.clickhouse.insert import encode, insert, insert_settings, token_of_all
from lpa_sinks.clickhouse.names import qualified
from lpa_sinks.clickhouse.read_server import ReadServer
from lpa_sinks.clickhouse.retries import AT_ONCE, InexplicableError, RetryPolicy
from lpa_sinks.schema.ddl import WITHDRAWN_TABLE
from lpa_sinks.sink.completion import (
    TableTarget,
    complete,
    inserts_under_way,
    missing_rows,
    query_id,
    withdraw,
    withdrawn_offsets,
)
from lpa_sinks.sink.derivation import SinkDerivation
from lpa_sinks.sink.empty_database import holds, is_empty
from lpa_sinks.sink.inventory import newest_batch_time, stored_offsets, stored_rows, wait_for_inserts
from lpa_sinks.sink.known_gaps import is_gap
from lpa_sinks.sink.other_content import count_other_content
from lpa_sinks.sink.readiness import require_ready
from lpa_sinks.sink.refusals import refused_rows
from lpa_sinks.sink.stored_keys import stored_keys

_OFFSETS_AT_ONCE: Final = 1000
"""Bounds the length of a statement's parameters: a field of a form holds 128 KiB."""

_LOOK_AGAIN_SECONDS: Final = 0.2

T = TypeVar("T")


@final
class ClickHouseSink:
    """Writes each block by one INSERT under the block's token, so that a repetition adds nothing.

    The embedded engine gets the schema when it is opened; on a server ``lpa schema apply`` makes it.
    """

    def __init__(
        self, endpoint: Endpoint, password: str = "", retry: RetryPolicy | None = None, timeout_seconds: int = 60
    ) -> None:
        """Connects to nothing yet. Without ``retry`` a server that is down is asked again for ever."""
        self._endpoint = endpoint
        self._password = password
        self._timeout = timeout_seconds
        self._retry = retry or RetryPolicy()
        self._client: Client | None = None
        self._tables: tuple[Table, ...] = ()
        self._settings: dict[str, int | str] = {}
        self._encoded: dict[str, tuple[Block, bytes]] = {}
        """Token -> a block that is to be written soon, and its rows encoded."""
        self._derivation: SinkDerivation | None = None
        self._reads: ReadServer | None = None

    def __repr__(self) -> str:
        return f"ClickHouseSink({self._endpoint})"

    def __str__(self) -> str:
        return str(self._endpoint)

    def is_there(self) -> bool:
        path = self._endpoint.path
        return path is None or path.exists()

    def open(self, tables: Sequence[Table]) -> None:
        require_distinct(tables)
        self._client = client = connect(self._endpoint, self._password, self._timeout)
        self._settings = insert_settings(client)
        self._tables = tuple(tables)
        require_ready(client, self._endpoint, tables, self._retry)
        if self._endpoint.path is not None:
            self._reads = ReadServer(self._endpoint.path)
            self._reads.start()
        self._derivation = SinkDerivation(
            self._endpoint, client, connect(self._endpoint, self._password, self._timeout)
        )

    def anticipate(self, block: Block) -> None:
        try:
            self._encoded[block.token] = (block, encode(self._opened, block.table.columns, block.columns))
        except Exception:  # of whatever kind: writing the block meets it again, and says which rows it is about
            self._encoded.pop(block.token, None)

    def interrupt(self) -> None:
        self._retry.interrupted.set()

    @property
    def waiting_for(self) -> str:
        return self._retry.trouble.reason

    def recall(self, topic: str, partition: int, first_offset: int, since: int) -> Iterator[StoredKeys]:
        query = self._place(RAW_TABLE).sql("stored_keys.sql")
        with self._connection_of_its_own("read stored keys back") as client:
            yield from stored_keys(client, query, topic, partition, first_offset, since)

    def stored_from(self, topic: str, first: Mapping[int, int]) -> Mapping[int, StoredOffsets]:
        with self._connection_of_its_own(f"look for positions of {topic}") as client:
            if self._endpoint.path is None:
                wait_for_inserts(client, self._tables, topic, first)
            tables = [table for table in self._tables if table.name != KNOWN_GAPS_TABLE.name]
            return stored_offsets(client, map(self._qualified, (*tables, WITHDRAWN_TABLE)), topic, first)

    def newest_batch_time(self) -> int:
        with self._connection_of_its_own("look for the newest batch time") as client:
            tables = [table for table in self._tables if table.name != KNOWN_GAPS_TABLE.name]
            return newest_batch_time(client, map(self._qualified, tables))

    @contextmanager
    def _connection_of_its_own(self, what: str) -> Iterator[Client]:
        """For a thread that reads while another writes. Raises SinkUnavailable, SinkMisconfigured."""
        client = connect(self._endpoint, self._password, self._timeout)
        try:
            yield client
        except ClickHouseError as error:
            what = f"{self._endpoint}: {what}: {describe(error)}"
            if classify(error) is ErrorKind.CONFIGURATION:
                raise SinkMisconfigured(f"{what}: {explain(error)}") from error
            raise SinkUnavailable(what) from error
        finally:
            client.close()

    def is_empty(self) -> bool:
        return self._run("look for any row", lambda: is_empty(self._opened, self._endpoint.database))

    def holds(self, topic: str, partition: int) -> bool:
        return self._run(
            f"look for {topic}[{partition}]", lambda: holds(self._opened, self._endpoint.database, topic, partition)
        )

    def is_gap(self, topic: str, partition: int, span: OffsetSpan) -> bool:
        with self._connection_of_its_own(f"look for known gaps of {topic}[{partition}]") as client:
            return is_gap(client, self._endpoint.database, topic, partition, span)

    def other_content(self, topic: str, partition: int, first: int) -> int:
        with self._connection_of_its_own(f"compare duplicates of {topic}[{partition}]") as client:
            return count_other_content(client, self._endpoint.database, topic, partition, first)

    @property
    def exclusive(self) -> bool:
        return self._endpoint.path is not None

    def expect(self, stored: StoredRange) -> None:
        derivation = self._opened_derivation
        self._run("note what is to be derived", lambda: derivation.expect(stored))

    def derive(self, stored: Sequence[StoredRange], rules: FoldRules) -> Derived:
        derivation = self._opened_derivation
        return AT_ONCE.run(f"{self._endpoint}: derive facts", lambda: derivation.derive(stored, rules))

    def write(self, block: Block) -> None:
        self._retry.interrupted.clear()
        client = self._opened
        if len(block) and self._tried_again(block.table, lambda: self._insert(client, block)):
            self._complete(block)

    def write_together(self, blocks: Sequence[Block]) -> None:
        self._retry.interrupted.clear()
        client = self._opened
        blocks = [block for block in blocks if len(block)]
        if blocks and self._tried_again(blocks[0].table, lambda: self._insert_together(client, blocks)):
            for block in blocks:
                self._complete(block)

    def _tried_again(self, table: Table, insert: Callable[[], object]) -> bool:
        """Insert; return whether it took more than one attempt: an earlier one may have stored something."""
        attempts = 0

        def attempt() -> None:
            nonlocal attempts
            attempts += 1
            insert()

        self._run(f"write into {table.name}", attempt)
        return attempts > 1

    def complete(self, block: Block) -> None:
        self._retry.interrupted.clear()
        if not len(block):
            return
        place = self._place(block.table)
        missing = self._run(f"compare {block.table.name}", lambda: missing_rows(self._opened, place, block))
        if len(missing) == len(block):
            self.write(block)
        if missing:
            self._complete(block)

    def _complete(self, block: Block) -> None:
        place = self._place(block.table)
        self._run(
            f"complete {block.table.name}",
            lambda: complete(self._opened, place, block, self._settings, self._wait_for_others),
        )

    def _wait_for_others(self, table: Table, topic: str, partition: int) -> None:
        """Wait until no insert of a partition is under way, of an overtaken worker say.

        On a cluster this looks at the node that answers.
        """
        if self._endpoint.path is not None:
            return  # the one process that has the folder open inserts nothing else meanwhile
        while inserts_under_way(self._opened, [(table, topic, partition)]):
            if self._retry.interrupted.wait(_LOOK_AGAIN_SECONDS):
                raise SinkUnavailable(
                    f"{self._endpoint}: interrupted while another insert of {topic}[{partition}] into {table.name} "
                    "was under way"
                )

    def _insert(self, client: Client, block: Block) -> None:
        target = self._qualified(block.table)
        settings = {
            **self._settings,
            "insert_deduplication_token": block.token,
            "query_id": query_id(block.table, block.topic, block.partition),
        }
        try:
            insert(client, target, block.table.columns, self._rows(client, block), settings)
            self._encoded.pop(block.token, None)
        except Exception as error:
            if classify(error) is not ErrorKind.ROW:
                raise
            refused = refused_rows(client, self._endpoint.database, block)
            if not refused:
                raise InexplicableError(f"{describe(error)}, although every row could be stored alone") from error
            raise RowsRefused(block.table.name, refused) from None

    def _insert_together(self, client: Client, blocks: Sequence[Block]) -> None:
        table = blocks[0].table
        settings = {**self._settings, "insert_deduplication_token": token_of_all(blocks)}
        try:
            # ClickHouse makes one block of those that an insert brings, as long as they are not huge.
            rows = b"".join(self._rows(client, block) for block in blocks)
            insert(client, self._qualified(table), table.columns, rows, settings)
        except Exception as error:
            if classify(error) is not ErrorKind.ROW:
                raise
            raise RowsRefused(table.name, {}) from None
        for block in blocks:
            self._encoded.pop(block.token, None)

    def _rows(self, client: Client, block: Block) -> bytes:
        anticipated, encoded = self._encoded.get(block.token, (None, b""))
        return encoded if anticipated is block else encode(client, block.table.columns, block.columns)

    def withdraw(self, table: Table, topic: str, partition: int, offsets: Sequence[int]) -> None:
        place = self._place(table)
        for start in range(0, len(offsets), _OFFSETS_AT_ONCE):
            some = offsets[start : start + _OFFSETS_AT_ONCE]
            self._run(
                f"withdraw from {table.name}",
                partial(withdraw, self._opened, place, topic, partition, some, self._wait_for_others),
            )

    def withdrawn(self, topic: str, partition: int, first: int, end: int) -> Collection[int]:
        place = self._place(RAW_TABLE)
        return self._run(
            f"look for what was withdrawn of {topic}[{partition}]",
            lambda: withdrawn_offsets(self._opened, place, topic, partition, first, end),
        )

    def stored_rows(self, topic: str, partition: int, first: int, end: int) -> RowsOfRange:
        tables = {table.name: self._qualified(table) for table in self._tables if table.name != KNOWN_GAPS_TABLE.name}
        gaps = self._qualified(KNOWN_GAPS_TABLE)
        return self._run(
            f"look for rows of {topic}[{partition}]",
            lambda: stored_rows(self._opened, tables, gaps, topic, partition, first, end),
        )

    def close(self) -> None:
        if self._reads is not None:
            self._reads.close()
            self._reads = None
        if self._derivation is not None:
            self._derivation.close()
            self._derivation = None
        if self._client is not None:
            self._client.close()
            self._client = None

    def _run(self, what: str, action: Callable[[], T]) -> T:
        return self._retry.run(f"{self._endpoint}: {what}", action)

    @property
    def _opened(self) -> Client:
        if self._client is None:
            raise RuntimeError("the sink is not open")
        return self._client

    @property
    def _opened_derivation(self) -> SinkDerivation:
        if self._derivation is None:
            raise RuntimeError("the sink is not open")
        return self._derivation

    def _place(self, table: Table) -> TableTarget:
        return TableTarget(table, self._qualified(table), self._qualified(WITHDRAWN_TABLE))

    def _qualified(self, table: Table) -> str:
        return qualified(self._endpoint.database, table.name)
