"""Passwords that somebody writes into a URI are refused, and shown nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import structlog

from lpa_core.cli import run

PASSWORDS: Final = ("hunter", "hun/ter", "hun@ter", "h?unter", "h#unter", "12/hunter", "12/hun@ter", "hun:ter")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.ndjson").write_bytes(b"{}\n")
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize(
    "command",
    [
        "ingest a.ndjson --sink clickhouse://%s:1/x",
        "ingest a.ndjson --sink http://%s:1/x",
        "ingest a.ndjson --sink nope://%s:1/x",
        "ingest a.ndjson --dedup nope://%s:1/x",
        "ingest a.ndjson --archive s3://%s/x",
        "ingest a.ndjson --archive nope://%s/x",
        "ingest kafka://%s:1/topic",
        "backup list --location s3://%s/x",
        "schema plan --sink clickhouse://%s/x",
        "backup list --location http://%s/x",
        "backup verify az://%s/x",
    ],
)
def test_of_an_argument(command: str, password: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run((command % f"user:{password}@127.0.0.1").split()) in (1, 2)
    printed = capsys.readouterr()
    assert not any(part in printed.out + printed.err for part in ("user:", "hun", "unter", "ter@"))


@pytest.mark.parametrize(
    "command",
    [
        "ingest a.ndjson --archive gs://user:hun[ter@host",
        "ingest a.ndjson --dedup redis://:hun/ter@127.0.0.1:1/0",
    ],
)
def test_of_what_cannot_be_read(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command.split()) in (1, 2)
    said = capsys.readouterr().err
    assert not any(part in said for part in ("hun", "ter@", "unexpected"))


def test_of_the_dedup_store_that_health_looks_at(capsys: pytest.CaptureFixture[str]) -> None:
    run(["health", "--dedup", "redis://:hun/ter@127.0.0.1/0", "--json"])
    said = capsys.readouterr().out
    assert "the Redis URL cannot be read" in said
    assert "hun" not in said


@pytest.mark.parametrize("password", PASSWORDS)
def test_of_a_setting(password: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", f"nothttp://user:{password}@127.0.0.1:8123")
    assert run(["plugins"]) == 2
    assert "CLICKHOUSE_URL='nothttp://***@127.0.0.1:8123': expected an http or https URL" in capsys.readouterr().err
