"""Files below configs/ that repeat what a package carries: written by ``./dev pages``, and equal to what it carries."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SCRIPT: Final = runpy.run_path(str(ROOT / "tools" / "write_configs.py"))


def read(configs: Path) -> dict[str, str]:
    """The files in the folders that are written."""
    paths = [path for folder in SCRIPT["carried"]() for path in (configs / folder).iterdir()]
    return {str(path.relative_to(configs)): path.read_text("utf-8") for path in paths}


def test_they_are_as_they_would_be_written(tmp_path: Path) -> None:
    gone = tmp_path / "assertions" / "gone.sql"
    gone.parent.mkdir()
    gone.write_text("SELECT 1")
    SCRIPT["write"](tmp_path)
    written = read(tmp_path)
    assert {Path(name).parent.as_posix() for name in written} == {"clickhouse-init", "assertions", "grafana/dashboards"}
    assert read(ROOT / "configs") == written, "./dev pages writes them"
    assert not gone.exists()
