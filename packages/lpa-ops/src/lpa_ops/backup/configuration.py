"""What is needed to set up the same again, for people: the schema as it is, and the settings, without secrets."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Final

import msgspec
from clickhouse_connect.driver.client import Client

from lpa_core.settings.loading import described
from lpa_core.settings.settings import Settings
from lpa_core.settings.shown_values import is_shown, shown
from lpa_ops.positions.set_aside_tables import is_set_aside
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)


def configuration(client: Client, database: str, settings: Settings, folder: Path) -> Path:
    """Write ``schema.sql`` and ``settings.json`` into the folder, which is made. Raises the client's errors."""
    folder.mkdir()
    made = client.query(_SQL.text("create_statements.sql"), parameters={"database": database}).result_rows
    own = [statement for table, statement in made if not is_set_aside(table)]
    (folder / "schema.sql").write_text("".join(f"{statement};\n\n" for statement in own))
    values = {each.variable: attrgetter(each.option)(settings) for each in described()} | dict(settings.kafka)
    texts = {name: shown(name, value) for name, value in values.items() if is_shown(name)}
    (folder / "settings.json").write_bytes(msgspec.json.format(msgspec.json.encode(texts), indent=2) + b"\n")
    return folder
