"""The database that checks ask, and their questions, which are in ``sql``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, final

import attrs
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.query import QueryResult

from lpa_core.health.check import NotApplicable, Scope
from lpa_core.uris import scheme
from lpa_ops.dead_letters.statement import dead_letters
from lpa_sinks.clickhouse.client import SCHEMES, connect
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.embedded import holder_of
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.read_socket import reads_are_offered
from lpa_sinks.clickhouse.readers import Readers
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.clickhouse.sql_files import SqlFiles
from lpa_sinks.schema.ddl import DEFAULT_DATABASE
from lpa_sinks.sink.other_content import other_content

_SQL: Final = SqlFiles(__package__)

_SINCE: Final = "fromUnixTimestamp64Milli({since:Int64}, 'UTC')"


@final
class MissingDatabaseError(NotApplicable):
    """The database, or what is asked for in it, is not there: it is new, or it was lost.

    Args:
        database: its name.
        what: what is missing, in some words.
        hint: what makes it.
    """

    def __init__(self, database: str, what: str, hint: str) -> None:
        super().__init__(f"{what}: {hint}")
        self.database, self.what = database, what


@final
@attrs.frozen
class HealthDatabase:
    """A database of one check, for as long as the check lasts."""

    client: Client
    name: str
    embedded: bool
    _scope: Scope
    _readers: Readers | None = None
    """Of a database that may change hands meanwhile."""

    @property
    def only_reads(self) -> bool:
        """Whether it takes nothing but SELECT and what describes tables: it is read through its holder."""
        return self._readers is not None

    def ask(self, file: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a question. ``since`` and ``now`` (epoch ms) of the scope are bound in each."""
        text = _SQL.text(file)
        text = text.replace("$dead_letters", dead_letters(_SINCE))
        text = text.replace("$other_content", other_content(f"ingestion_timestamp >= {_SINCE}"))
        bound = {"since": self._scope.since_ms, "now": self._scope.now_ms, "database": self.name, **parameters}
        answer = self._asked(file, text.replace(f"{DEFAULT_DATABASE}.", f"{quoted(self.name)}."), bound)
        return [dict(zip(answer.column_names, row, strict=True)) for row in answer.result_rows]

    def rows(self, text: str, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows of a statement that names this database already."""
        return self._asked("look for positions", text, parameters).result_rows

    def _asked(self, what: str, text: str, parameters: Mapping[str, Any]) -> QueryResult:
        def query(client: Client) -> QueryResult:
            # The server is to give up when the check does.
            settings = {"max_execution_time": self._scope.settings.health.costly_timeout_seconds}
            return client.query(text, parameters=dict(parameters), settings=settings)

        readers = self._readers
        return AT_ONCE.run(
            f"{self.name}: {what}", lambda: query(self.client) if readers is None else readers.run(query)
        )

    def ask_for_one(self, file: str, **parameters: Any) -> Mapping[str, Any]:
        """The only row of a question."""
        (row,) = self.ask(file, **parameters)
        return row

    def require(self, *names: str) -> None:
        """Raise MissingDatabaseError unless these tables or views are there."""
        there = {row["name"] for row in self.ask("tables.sql")}
        for name in names:
            if name not in there:
                raise MissingDatabaseError(self.name, f"{self.name} has no {name}", "`lpa schema apply` makes it")


def long_before(scope: Scope) -> int:
    """Epoch ms, some days before the window: what came to a standstill then is red as long as nothing else comes."""
    return scope.since_ms - scope.settings.health.usual_days * 86_400_000


def require_clickhouse(scope: Scope) -> None:
    """Raise NotApplicable if the sink is another one: such as files that nobody can ask."""
    if scope.sink is not None and scheme(scope.sink) not in SCHEMES:
        raise NotApplicable(f"{scheme(scope.sink)}:// is not a ClickHouse")


@contextmanager
def opened(scope: Scope) -> Iterator[HealthDatabase]:
    """The database of the scope.

    Raises NotApplicable if it is not a ClickHouse, MissingDatabaseError where it is an embedded one that does not
    exist, SinkMisconfigured, SinkUnavailable.
    """
    require_clickhouse(scope)
    endpoint = endpoint_of(scope.sink, scope.settings)
    if endpoint.path is not None and not endpoint.path.exists():
        raise MissingDatabaseError(
            endpoint.database, f"{endpoint.path}: there is no embedded database", "`lpa ingest FILE` makes one"
        )
    password, seconds = scope.settings.clickhouse.password, scope.settings.health.costly_timeout_seconds
    if endpoint.path is not None and (scope.shared or _is_read_through_another(endpoint.path)):
        with closing(Readers(endpoint, password, seconds)) as readers, readers.client() as client:
            yield HealthDatabase(client, endpoint.database, True, scope, readers)
        return
    client = connect(endpoint, password, seconds)
    try:
        yield HealthDatabase(client, endpoint.database, endpoint.path is not None, scope)
    finally:
        client.close()


def _is_read_through_another(path: Path) -> bool:
    """Whether another process has the embedded database open and takes what others read."""
    return holder_of(path) != "" and reads_are_offered(path)
