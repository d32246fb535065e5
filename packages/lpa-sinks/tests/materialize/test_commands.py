"""``lpa materialize rebuild``: what is wrong usage of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.errors import UsageError
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_sinks.commands.materialize import materialize_app


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--start", "2026-01-02", "--end", "2026-01-01"), "--start 2026-01-02T00:00:00.000Z is after --end"),
        (("--start", "2026-01-02", "--end", "today"), "--end=today: this is not a time: "),
        (("--start", "2026-01-01", "--end", "2026-01-02", "--sessions", "one"), "--sessions one: a session id has"),
        (("--start", "2026-01-01", "--end", "2026-01-02", "--org", "a"), "--org says whose sessions --sessions names"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_touched(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    app = materialize_app(PluginManager(Settings(lpa=ProcessSettings(data_dir=tmp_path / "data"))).context)
    with pytest.raises(UsageError, match=said):
        app(["rebuild", *arguments], result_action="return_value", exit_on_error=False)
    assert not (tmp_path / "data").exists()
