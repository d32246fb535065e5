"""Commands that look at a database make none where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from lpa_core.cli import run

MADE_BY = "`lpa ingest FILE` or `lpa schema apply` makes one"
BROUGHT_BACK_BY = "`lpa recover total-loss` brings one back from a backup"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        ("recover clickhouse-corruption", BROUGHT_BACK_BY),
        ("recover clickhouse-corruption --execute", BROUGHT_BACK_BY),
        ("recover schema-rollback", MADE_BY),
        ("backup create", MADE_BY),
        ("backup create --incremental", MADE_BY),
        ("materialize rebuild --start 2026-01-01 --end 2026-01-02", MADE_BY),
    ],
)
def test_where_there_is_no_database_none_is_made(
    command: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LPA_DATA_DIR", str(tmp_path / "data"))
    assert run(command.split()) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path}/data/clickhouse: there is no embedded database" in said
    assert remedy in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["health", "backup create", "recover total-loss", "schema plan", "check parity"])
def test_an_empty_sink_is_not_the_embedded_one(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As when a variable of a script is not set."""
    assert run([*command.split(), "--sink", ""]) == 2
    assert "an empty URI: not an address of " in capsys.readouterr().err
