"""Write the files below ``configs`` that repeat what the packages carry.

``python tools/write_configs.py FOLDER`` writes the schema, the assertions and the dashboards into a folder laid out as
``configs`` is, and removes files there that the packages no longer carry.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from lpa_ops.dashboards.files import DASHBOARDS, text
from lpa_sinks.parity import assertions
from lpa_sinks.schema.ddl import SCHEMA_FILES, sql_file


def carried() -> Mapping[str, Mapping[str, str]]:
    """Folder below ``configs`` -> name -> text of each file in it."""
    return {
        "clickhouse-init": {name: sql_file(name) for name in SCHEMA_FILES},
        "assertions": {f"{assertion.name}.sql": assertion.text for assertion in assertions()},
        "grafana/dashboards": {f"{dashboard.uid}.json": text(dashboard) for dashboard in DASHBOARDS},
    }


def write(configs: Path) -> None:
    for name, files in carried().items():
        folder = configs / name
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.name not in files:
                path.unlink()
        for file, content in files.items():
            (folder / file).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
