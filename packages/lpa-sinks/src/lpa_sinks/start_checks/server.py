"""A ClickHouse server: address, login, grants, clock, tables, and whether inserts are answered."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Final
from urllib.parse import urlsplit

from clickhouse_connect.driver.client import Client

from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.health.check import Finding
from lpa_core.settings.thresholds import State
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.uris import masked
from lpa_sinks.clickhouse.client import Endpoint, connect
from lpa_sinks.clickhouse.connections import connections_to
from lpa_sinks.clickhouse.database import endpoint_of
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.sink.readiness import (
    require_answers_to_inserts,
    require_clock_of_server,
    require_grants,
    require_tables,
)

_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 10
_ADDRESS: Final = "check the address in --sink or CLICKHOUSE_URL"


def checks(uri: str, *, several: bool) -> Sequence[StartCheck]:
    subject = masked(uri) if several else ""

    def check(name: str, title: str, judge: Callable[[str, PlannedStart], Finding], *after: str) -> StartCheck:
        return StartCheck(f"clickhouse_{name}", f"ClickHouse: {title}", partial(judge, uri), subject, after)

    return (
        check("address", "address and TLS", _address),
        check("login", "login", _login, "clickhouse_address"),
        check("grants", "grants", _grants, "clickhouse_login"),
        check("clock", "clock", _clock, "clickhouse_login"),
        check("tables", "tables", _tables, "clickhouse_login"),
        check("inserts", "replies to inserts", _inserts, "clickhouse_tables"),
    )


def _address(uri: str, start: PlannedStart) -> Finding:
    endpoint = endpoint_of(uri, start.settings)
    parts = urlsplit(endpoint.url)
    host, port = parts.hostname or "", parts.port or 0
    proxy = connections_to(endpoint.url).proxy
    if proxy:
        through = urlsplit(proxy.address)
        _connect(endpoint, through.hostname or "", through.port or 80, "the proxy ", proxy=True)
        return Finding(
            State.OK,
            f"{endpoint} is reached through the proxy that {proxy} names; NO_PROXY leaves it out",
        )
    address = _connect(endpoint, host, port, "", proxy=False)
    return Finding(
        State.OK, f"{endpoint} is {address}{', TLS with a good certificate' if parts.scheme == 'https' else ''}"
    )


def _connect(endpoint: Endpoint, host: str, port: int, what: str, *, proxy: bool) -> str:
    """Resolve, connect, and begin TLS. Raises SinkUnavailable, SinkMisconfigured."""
    remedy = "correct HTTP_PROXY and HTTPS_PROXY, or name the host in NO_PROXY" if proxy else _ADDRESS
    try:
        with socket.create_connection((host, port), _CONNECT_SECONDS) as connection:
            address = str(connection.getpeername()[0])
            if endpoint.url.startswith("https") and not proxy:
                with ssl.create_default_context().wrap_socket(connection, server_hostname=host):
                    pass
            return address
    except socket.gaierror as error:
        raise SinkMisconfigured(f"{endpoint}: {what}{host} cannot be resolved ({error.strerror}): {remedy}") from None
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message.rstrip(".")
        raise SinkMisconfigured(
            f"{endpoint}: certificate verify failed ({why}): name in SSL_CERT_FILE the authority that issued it, or "
            "correct the certificate"
        ) from None
    except ssl.SSLError as error:
        raise SinkMisconfigured(f"{endpoint}: no TLS there ({error.reason}): use clickhouse:// or http://") from None
    except TimeoutError:
        raise SinkUnavailable(
            f"{endpoint}: {what}{host}:{port} does not answer: {remedy}, and what filters the network"
        ) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise SinkUnavailable(f"{endpoint}: {what}{host}:{port}: {why}: start it, or {remedy}") from None


@contextmanager
def _connected(uri: str, start: PlannedStart) -> Iterator[tuple[Client, Endpoint]]:
    endpoint = endpoint_of(uri, start.settings)
    client = connect(endpoint, start.settings.clickhouse.password, _ANSWER_SECONDS)
    try:
        yield client, endpoint
    finally:
        client.close()


def _login(uri: str, start: PlannedStart) -> Finding:
    with _connected(uri, start) as (client, endpoint):
        zone = client.server_tz
        return Finding(
            State.OK,
            f"{endpoint} is ClickHouse {client.server_version}, and takes {endpoint.user!r}; its time zone is {zone}",
        )


def _grants(uri: str, start: PlannedStart) -> Finding:
    with _connected(uri, start) as (client, endpoint):
        require_grants(client, endpoint, AT_ONCE)
        return Finding(State.OK, f"{endpoint.user} may do in {endpoint.database} what ingestion does")


def _clock(uri: str, start: PlannedStart) -> Finding:
    with _connected(uri, start) as (client, endpoint):
        require_clock_of_server(client, endpoint, AT_ONCE)
        return Finding(State.OK, "this machine's clock is not ahead of the server's")


def _tables(uri: str, start: PlannedStart) -> Finding:
    typed = chain.from_iterable(each.tables for each in start.event_types)
    tables = [RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE, *typed]
    with _connected(uri, start) as (client, endpoint):
        drifts = require_tables(client, endpoint, tables, AT_ONCE)
        if drifts:
            more = f" (and {len(drifts) - 1} more)" if len(drifts) > 1 else ""
            return Finding(
                State.WARNING, f"{drifts[0]}{more}", action=f"{drifts[0].remedy}; `lpa schema check` names all"
            )
        return Finding(State.OK, f"{len(tables)} tables of {endpoint.database} are as they should be")


def _inserts(uri: str, start: PlannedStart) -> Finding:
    with _connected(uri, start) as (client, endpoint):
        require_answers_to_inserts(client, endpoint)
        return Finding(State.OK, "an insert of no rows is answered by ClickHouse itself")
