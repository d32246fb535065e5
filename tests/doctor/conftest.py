"""An empty working folder without settings, and the command in it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from doctor.answers import Doctor, Found, tree
from lpa_core.cli import run
from lpa_core.settings.loading import described
from lpa_core.testing.ports import free_port


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    prefixes = ("LPA_", *{f"{setting.variable.partition('_')[0]}_" for setting in described()})
    for name in [*os.environ]:
        if name.startswith(prefixes) or name.lower().endswith("_proxy") or name == "TZ":
            monkeypatch.delenv(name)
    monkeypatch.setenv("LPA_ADMIN_ADDRESS", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("LPA_LOG_LEVEL", "error")
    monkeypatch.setenv("HEALTH_DISK_FREE_SHARE", "0,0")


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    def found(*arguments: str, status: int = 1) -> Found:
        before = tree(Path())
        capsys.readouterr()
        assert run(["doctor", *arguments, "--json"]) == status, capsys.readouterr()
        checks = json.loads(capsys.readouterr().out)["checks"]
        assert tree(Path()) == before, "doctor changed something"
        for each in checks:
            assert each["action"] or each["state"] not in ("failed", "warning"), each
        return {f"{each['name']} {each['subject']}".strip(): each for each in checks}

    return found
