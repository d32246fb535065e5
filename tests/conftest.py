"""Servers that several of these tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from moto.server import ThreadedMotoServer
from services.clickhouse import ClickHouseServer
from services.few_assertions import few
from services.place import SECRETS, Place

from lpa_sinks import parity


@pytest.fixture(scope="module")
def server() -> Iterator[ClickHouseServer]:
    server = ClickHouseServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    moto.stop()


@pytest.fixture
def place(
    server: ClickHouseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Place]:
    """With the schema and a thousand rows."""
    place = Place(server, f"test_{uuid4().hex[:8]}", capsys)
    environment = {
        "LPA_DATA_DIR": str(tmp_path / "data"),
        "LPA_BACKUP_DIR": str(tmp_path / "backups"),
        "LPA_ADMIN_TOKEN": SECRETS[0],
        "LPA_KAFKA_SASL_PASSWORD": SECRETS[1],
        "CLICKHOUSE_DATABASE": place.database,
        "CLICKHOUSE_USER": server.user,
        "CLICKHOUSE_PASSWORD": server.password,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(parity, "assertions", few())
    place.lpa("schema", "apply")
    place.insert(0, 1000)
    yield place
    with server.client() as client:
        client.command(f"DROP DATABASE IF EXISTS {place.database} SYNC")
    structlog.reset_defaults()
