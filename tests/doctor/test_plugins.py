"""``lpa doctor`` with plugins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pytest

from doctor.answers import Doctor, failed, text

PLUGIN: Final = """
from lpa_core.plugin import Finding, StartCheck, State, hookimpl

@hookimpl
def lpa_start_checks(start):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "name", "said"),
    [
        (
            "return [StartCheck('licence', '', lambda start: Finding(State.CRITICAL, 'it ran out', action='renew'))]",
            "licence",
            "it ran out | renew",
        ),
        ("return [1]", "start_checks own", "lpa_start_checks of the plugin own"),
        ("1 / 0", "start_checks own", "ZeroDivisionError"),
    ],
)
def test_failure_31_a_plugin_brings_checks_and_a_broken_one_hides_no_other(
    body: str, name: str, said: str, tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = tmp_path / "site" / "own-1.dist-info"
    information.mkdir(parents=True)
    (tmp_path / "site" / "own_doctor.py").write_text(PLUGIN.format(body=body))
    (information / "METADATA").write_text("Metadata-Version: 2.4\nName: own\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[lpa]\nown = own_doctor\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "own_doctor", raising=False)
    found = doctor()
    assert failed(found) == [name]
    assert said in text(found, name)


def test_failure_31_a_plugin_that_is_broken_is_told(
    tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = tmp_path / "site" / "bad-1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.4\nName: bad\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[lpa]\nbad = no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    found = doctor(status=0)
    assert found["plugins"]["state"] == "warning"
    assert "LPA_PLUGINS_DISABLED=bad" in text(found, "plugins")
    monkeypatch.setenv("LPA_PLUGINS_REQUIRED", "bad")
    assert failed(doctor()) == ["settings"]
