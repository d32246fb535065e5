"""Where a ClickHouse is, and how to reach it: a server over HTTP, or the embedded engine on a folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final, final
from urllib.parse import urlsplit

import attrs
import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_core.uris import (
    AddressRefused,
    HostPort,
    local_path,
    masked,
    require_identifier,
    scheme,
    server_address,
)
from lpa_sinks.clickhouse.answers import NotClickHouseError
from lpa_sinks.clickhouse.connections import connections_to, require_passage
from lpa_sinks.clickhouse.errors import ErrorKind, classify, describe

SCHEMES: Final = ("chdb", "clickhouse", "http", "https")

REMEDY: Final = (
    "check the address, and what stands between here and ClickHouse: it has to send ClickHouse's answers on as they are"
)

# It logs what it also raises, with a traceback, and could show values of rows that way.
logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL + 1)


@final
@attrs.frozen(slots=True)
class Endpoint:
    """A database and where it is: either ``path`` (embedded) or ``url`` (a server).

    Its text never holds a password.
    """

    database: str
    path: Path | None = None
    url: str = ""
    user: str = ""

    def __str__(self) -> str:
        return str(self.path) if self.path is not None else self.url


def endpoint(uri: str, *, database: str, user: str) -> Endpoint:
    """What a URI names.

    Args:
        uri: ``chdb:///absolute/folder``, ``chdb://relative/folder``, ``clickhouse://user@host:8123/database`` or the
            same with ``http`` or ``https``, as in ``CLICKHOUSE_URL``.
        database, user: for what the URI leaves out.

    Raises SinkMisconfigured if the URI is none of these, or carries a password, a query or a database's name that
    statements cannot hold.
    """
    try:
        kind = scheme(uri)
        if kind == "chdb" and uri.lower() != "chdb://":
            return Endpoint(database, path=local_path(uri))
        address = server_address(uri)
        if kind not in SCHEMES or not address.place.host:
            raise SinkMisconfigured(
                f"{masked(uri) or 'an empty URI'}: not an address of ClickHouse: use chdb:///folder, "
                "clickhouse://user@host:8123/database, http://host:8123 or https://host:8443"
            )
        named = require_identifier(address.path, f"{masked(uri)}: database") if address.path else database
    except AddressRefused as refused:
        raise SinkMisconfigured(str(refused)) from None
    secure = kind == "https"
    place = HostPort(address.place.host, address.place.port or (8443 if secure else 8123))
    return Endpoint(named, url=f"{'https' if secure else 'http'}://{place}", user=address.user or user)


def connect(to: Endpoint, password: str = "", seconds: int = 60) -> Client:
    """A client of the endpoint; it uses no default database, so every name is to be qualified.

    A server that says nothing for ``seconds`` counts as one that does not answer.

    Raises SinkMisconfigured if the folder cannot be used or the login is refused, SinkUnavailable if no
    server answers.
    """
    if to.path is not None:
        from lpa_sinks.clickhouse.embedded import open_embedded

        return open_embedded(to.path)
    parts = urlsplit(to.url)
    connections = connections_to(to.url)
    require_passage(connections, to.url)
    try:
        return clickhouse_connect.get_client(
            interface=parts.scheme,
            host=parts.hostname or "",
            port=parts.port or 0,
            username=to.user,
            password=password,
            client_name="lpa",
            # A session lets no repeated insert overtake the one before. Nothing is kept in it.
            autogenerate_session_id=True,
            send_receive_timeout=seconds,
            pool_mgr=connections.pool,
        )
    except NotClickHouseError as error:
        lasting = classify(error) is ErrorKind.CONFIGURATION
        kind = SinkMisconfigured if lasting else SinkUnavailable
        raise kind(f"{to}: {describe(error)}: {connections.remedy or REMEDY}") from None
    except ClickHouseError as error:
        if classify(error) is ErrorKind.CONFIGURATION:
            raise SinkMisconfigured(
                f"{to}: ClickHouse refuses user {to.user!r}: {describe(error)}: "
                "check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD"
            ) from None
        raise SinkUnavailable(
            f"{to}: ClickHouse does not answer: {describe(error)}: start it, or check the address in --sink or "
            f"CLICKHOUSE_URL{connections.remedy and '; '}{connections.remedy}"
        ) from None
