"""Which database a command means, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.client import Client

from lpa_core.settings.settings import Settings
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_sinks.clickhouse.client import Endpoint, connect, endpoint


def endpoint_of(uri: str | None, settings: Settings) -> Endpoint:
    """What the URI names; without one, the embedded database in the data folder.

    ``clickhouse://`` alone stands for the address in the settings.
    """
    if uri == "clickhouse://":
        uri = settings.clickhouse.url
    return endpoint(
        settings.lpa.data.database_uri if uri is None else uri,
        database=settings.clickhouse.database,
        user=settings.clickhouse.user,
    )


@contextmanager
def opened(uri: str | None, settings: Settings, *, make: bool = False) -> Iterator[tuple[Client, str]]:
    """A client of the database and the database's name; an embedded one is made where ``make`` says so.

    Raises SinkMisconfigured, also if there is no embedded one, and SinkUnavailable.
    """
    found = endpoint_of(uri, settings)
    if found.path is not None and not make and not found.path.exists():
        raise SinkMisconfigured(
            f"{found.path}: there is no embedded database yet: `lpa ingest FILE` or `lpa schema apply` makes one"
        )
    client = connect(found, settings.clickhouse.password)
    try:
        yield client, found.database
    finally:
        client.close()
