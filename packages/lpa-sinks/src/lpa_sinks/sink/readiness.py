"""Whether a database can take what a sink will write."""

from __future__ import annotations

from collections.abc import Sequence

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.release import WrongClockError
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_core.tables.row_layout import RAW_TABLE
from lpa_core.tables.table import Table
from lpa_sinks.clickhouse.answers import NotClickHouseError
from lpa_sinks.clickhouse.client import REMEDY, Endpoint
from lpa_sinks.clickhouse.errors import describe
from lpa_sinks.clickhouse.insert import insert_nothing
from lpa_sinks.clickhouse.names import qualified
from lpa_sinks.clickhouse.retries import AT_ONCE, RetryPolicy
from lpa_sinks.schema.apply import apply
from lpa_sinks.schema.check import Drift, DriftKind, check_live
from lpa_sinks.schema.ddl import INGESTED_FILE
from lpa_sinks.sink.grants import missing
from lpa_sinks.sink.server_clock import ahead_of_server


def require_ready(client: Client, endpoint: Endpoint, tables: Sequence[Table], retry: RetryPolicy) -> None:
    """Make the tables of an embedded database; of a server, check grants and clock; of both, check the tables.

    Raises SinkMisconfigured, SinkUnavailable and WrongClockError.
    """
    if endpoint.path is not None:
        # What keeps this process from it is for whoever started it, and does not pass by itself.
        # What is derived gets its tables when something is: making them takes longer than a small file.
        AT_ONCE.run(f"{endpoint}: make the schema", lambda: apply(client, endpoint.database, tables, [INGESTED_FILE]))
    else:
        require_grants(client, endpoint, retry)
        require_clock_of_server(client, endpoint, retry)
    require_tables(client, endpoint, tables, retry)
    if endpoint.path is None:
        require_answers_to_inserts(client, endpoint)


def require_grants(client: Client, endpoint: Endpoint, retry: RetryPolicy) -> None:
    """Raise SinkMisconfigured if the user of a server lacks a grant; SinkUnavailable."""
    lacking = retry.run(f"{endpoint}: check the grants", lambda: missing(client, endpoint.database))
    if lacking:
        raise SinkMisconfigured(
            f"{endpoint}: this user lacks {', '.join(lacking)}: GRANT it (docs/operations/permissions.md)"
        )


def require_clock_of_server(client: Client, endpoint: Endpoint, retry: RetryPolicy) -> None:
    """Raise WrongClockError if this machine's clock is ahead of the server's; SinkUnavailable, SinkMisconfigured."""
    differing = retry.run(f"{endpoint}: compare clocks", lambda: ahead_of_server(client))
    if differing:
        raise WrongClockError(f"{endpoint}: {differing}: set the one right that is wrong")


def require_tables(client: Client, endpoint: Endpoint, tables: Sequence[Table], retry: RetryPolicy) -> Sequence[Drift]:
    """The disagreements that do not matter to a sink. Raise SinkMisconfigured if one does; SinkUnavailable."""
    drifts = retry.run(f"{endpoint}: check the schema", lambda: check_live(client, endpoint.database, tables))
    stopping = [drift for drift in drifts if drift.stops_writing]
    if stopping:
        raise SinkMisconfigured(f"{endpoint}: {_what_to_do(stopping, tables)}")
    return drifts


def require_answers_to_inserts(client: Client, endpoint: Endpoint) -> None:
    """Insert nothing: what stands between may pass answers to queries, and keep back those to inserts.

    Raises SinkUnavailable.
    """
    try:
        insert_nothing(client, RAW_TABLE, qualified(endpoint.database, RAW_TABLE.name))
    except NotClickHouseError as error:
        raise SinkUnavailable(f"{endpoint}: an insert gets {describe(error)}: {REMEDY}") from None
    except ClickHouseError:
        pass  # the first block meets it again, and waits or says what is to be done


def _what_to_do(stopping: Sequence[Drift], tables: Sequence[Table]) -> str:
    """If nothing is there, something may be lost: what brings that back is named before what makes it empty."""
    if all(drift.kind is DriftKind.MISSING_TABLE for drift in stopping) and len(stopping) >= len(tables):
        return (
            "none of the tables is there: if they held rows, `lpa recover total-loss` brings them back from a backup; "
            "if this is a new database, `lpa schema apply` makes them"
        )
    more = f" (and {len(stopping) - 1} more, which `lpa schema check` names)" if len(stopping) > 1 else ""
    return f"{stopping[0]}: {stopping[0].remedy}{more}"
