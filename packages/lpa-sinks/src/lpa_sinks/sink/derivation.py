"""What a sink derives of the ranges that it stores, in the process that ingests."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.derived import Derived
from lpa_core.sinks.sink import StoredRange
from lpa_sinks.clickhouse.client import Endpoint
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.ingest_derivation import IngestDerivation
from lpa_sinks.schema.apply import apply
from lpa_sinks.schema.ddl import SCHEMA_FILES


@final
class SinkDerivation:
    """Facts of the sink's own ranges. Methods raise the client's errors.

    ``expect`` is called by the thread that writes, ``derive`` by the one that derives: each has its own client. An
    embedded database gets the tables of facts when the first range is expected, or derived from.
    """

    def __init__(self, endpoint: Endpoint, writing: Client, deriving: Client) -> None:
        """``deriving`` is closed with this, ``writing`` is not."""
        self._writing, self._deriving = writing, deriving
        self._database = endpoint.database
        self._embedded = endpoint.path is not None
        self._following = IngestDerivation(
            FactDatabase(writing, self._database), FactDatabase(deriving, self._database), exclusive=self._embedded
        )
        self._has_tables = not self._embedded
        self._making = threading.Lock()

    def expect(self, stored: StoredRange) -> None:
        self._make_tables(self._writing)
        self._following.expect(stored)

    def derive(self, stored: Sequence[StoredRange], rules: FoldRules) -> Derived:
        self._make_tables(self._deriving)
        return self._following.derive(stored, rules)

    def close(self) -> None:
        """Raises nothing: what cannot be noted is derived once more by the next process."""
        with suppress(ClickHouseError):
            self._following.close()
        self._deriving.close()

    def _make_tables(self, client: Client) -> None:
        with self._making:
            if not self._has_tables:
                apply(client, self._database, (), SCHEMA_FILES)
            self._has_tables = True
