"""The sink into ClickHouse, a server or the embedded engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final, TypeVar, final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.lifecycle.rules import FoldRules
from lpa_core.release import WrongClockError
from lpa_core.sinks.derived import Derived
from lpa_core.sinks.sink import (
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
from lpa_sinks.clickhouse.answers import NotClickHouseError
from lpa_sinks.clickhouse.client import REMEDY, Endpoint, connect
from lpa_sinks.clickhouse.errors import ErrorKind, classify, describe, explain
from lpa_sinks.clickhouse.insert import encode, insert, insert_nothing, insert_settings, token_of_all
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.retries import AT_ONCE, InexplicableError, RetryPolicy
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.following import Following
from lpa_sinks.schema.apply import apply
from lpa_sinks.schema.check import Drift, DriftKind, check_live
from lpa_sinks.schema.ddl import INGESTED_FILE, SCHEMA_FILES, WITHDRAWN_TABLE
from lpa_sinks.sink.completion import (
    TableTarget,
    complete,
    inserts_under_way,
    missing_rows,
    query_id,
    withdraw,
)
from lpa_sinks.sink.emptiness import holds, is_empty
from lpa_sinks.sink.grants import missing
from lpa_sinks.sink.inventory import newest_batch_time, stored_offsets, wait_for_inserts
from lpa_sinks.sink.known_gaps import is_gap
from lpa_sinks.sink.recall import stored_keys
from lpa_sinks.sink.refusals import refused_rows
from lpa_sinks.sink.server_clock import ahead_of_server

_OFFSETS_AT_ONCE: Final = 1000
"""Bounds the length of a statement's parameters, which travel in a URL."""

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
        self._deriving: Client | None = None
        self._following: Following | None = None
        self._made_derived = False
        self._making = threading.Lock()

    def __repr__(self) -> str:
        return f"ClickHouseSink({self._endpoint})"

    def __str__(self) -> str:
        return str(self._endpoint)

    def open(self, tables: Sequence[Table]) -> None:
        require_distinct(tables)
        self._client = client = connect(self._endpoint, self._password, self._timeout)
        self._settings = insert_settings(client)
        self._tables = tuple(tables)
        database = self._endpoint.database
        if self._endpoint.path is not None:
            # What keeps this process from it is for whoever started it, and does not pass by itself.
            # What is derived gets its tables when something is: making them takes longer than a small file.
            AT_ONCE.run(f"{self._endpoint}: make the schema", lambda: apply(client, database, tables, [INGESTED_FILE]))
        else:
            lacking = self._run("check the grants", lambda: missing(client, database))
            if lacking:
                raise SinkMisconfigured(
                    f"{self._endpoint}: this user lacks {', '.join(lacking)}: GRANT it (docs/operations/permissions.md)"
                )
            differing = self._run("compare clocks", lambda: ahead_of_server(client))
            if differing:
                raise WrongClockError(f"{self._endpoint}: {differing}: set the one right that is wrong")
        drifts = self._run("check the schema", lambda: check_live(client, database, tables))
        stopping = [drift for drift in drifts if drift.stops_writing]
        if stopping:
            raise SinkMisconfigured(f"{self._endpoint}: {_what_to_do(stopping, tables)}")
        self._see_that_inserts_are_answered(client)
        self._deriving = connect(self._endpoint, self._password, self._timeout)
        self._following = Following(
            FactDatabase(client, database), FactDatabase(self._deriving, database), exclusive=self.exclusive
        )

    def _see_that_inserts_are_answered(self, client: Client) -> None:
        """Insert nothing: what stands between may pass answers to queries, and keep back those to inserts."""
        if self._endpoint.path is not None:
            return
        try:
            insert_nothing(client, RAW_TABLE, self._qualified(RAW_TABLE))
        except NotClickHouseError as error:
            raise SinkUnavailable(f"{self._endpoint}: an insert gets {describe(error)}: {REMEDY}") from None
        except ClickHouseError:
            pass  # the first block meets it again, and waits or says what is to be done

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

    @property
    def exclusive(self) -> bool:
        return self._endpoint.path is not None

    def expect(self, stored: StoredRange) -> None:
        client, following = self._opened, self._opened_following

        def note() -> None:
            self._make_derived(client)
            following.expect(stored)

        self._run("note what is to be derived", note)

    def derive(self, stored: Sequence[StoredRange], rules: FoldRules) -> Derived:
        following = self._opened_following
        assert self._deriving is not None
        client = self._deriving

        def derive() -> Derived:
            self._make_derived(client)
            return following.derive(stored, rules)

        return AT_ONCE.run(f"{self._endpoint}: derive facts", derive)

    def _make_derived(self, client: Client) -> None:
        with self._making:
            if not self._made_derived and self.exclusive:
                apply(client, self._endpoint.database, (), SCHEMA_FILES)
            self._made_derived = True

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
        """Insert; answer whether it took more than one attempt: an earlier one may have stored something."""
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
            refused = refused_rows(client, target, block)
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

    def close(self) -> None:
        if self._following is not None:
            with suppress(ClickHouseError):  # what cannot be noted is derived once more by the next process
                self._following.close()
            self._following = None
        for client in (self._deriving, self._client):
            if client is not None:
                client.close()
        self._deriving = self._client = None

    def _run(self, what: str, action: Callable[[], T]) -> T:
        return self._retry.run(f"{self._endpoint}: {what}", action)

    @property
    def _opened(self) -> Client:
        if self._client is None:
            raise RuntimeError("the sink is not open")
        return self._client

    @property
    def _opened_following(self) -> Following:
        if self._following is None:
            raise RuntimeError("the sink is not open")
        return self._following

    def _place(self, table: Table) -> TableTarget:
        return TableTarget(table, self._qualified(table), self._qualified(WITHDRAWN_TABLE))

    def _qualified(self, table: Table) -> str:
        return f"{quoted(self._endpoint.database)}.{quoted(table.name)}"


def _what_to_do(stopping: Sequence[Drift], tables: Sequence[Table]) -> str:
    """Where nothing is there, something may be lost: what brings that back is named before what makes it empty."""
    if all(drift.kind is DriftKind.MISSING_TABLE for drift in stopping) and len(stopping) >= len(tables):
        return (
            "none of the tables is there: if they held rows, `lpa recover total-loss` brings them back from a backup; "
            "where this is a new database, `lpa schema apply` makes them"
        )
    more = f" (and {len(stopping) - 1} more, which `lpa schema check` names)" if len(stopping) > 1 else ""
    return f"{stopping[0]}: {stopping[0].remedy}{more}"
