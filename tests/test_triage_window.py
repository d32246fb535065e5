"""``lpa triage --since --type``: which dead letters are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lpa_core.cli import run


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("triage")
    time = '"timestamp": 1767873600000'
    lines = [
        f'{{"id": "1", "type": "stream_trace", {time}, "data": {{}}}}',
        f'{{"id": "2", "type": "ai_stream_status", {time}, "data": {{}}}}',
        "not JSON",
    ]
    (folder / "events.ndjson").write_text("\n".join(lines) + "\n")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    try:
        assert run(["ingest", "events.ndjson"]) == 0
    finally:
        patch.undo()
    return folder


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    capsys.readouterr()
    assert run(["triage", "--json", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(each["total"] for each in found["failures"]) == len(found["samples"])
    assert sum(each["total"] for each in found["details"]) == len(found["samples"])
    return sorted(sample["event_id"] for sample in found["samples"])


def test_dead_letters_are_shown_by_time_and_type(
    ingested: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ingested)
    assert asked(capsys) == ["", "1", "2"]
    assert asked(capsys, "--since", "7d") == ["", "1", "2"]
    assert asked(capsys, "--since", "7d", "--type", "stream_trace") == ["1"]
    assert asked(capsys, "--type", "' OR 1 = 1 --") == []
    assert asked(capsys, "--since", "2100-01-01") == []
    assert run(["triage", "--since", "2100-01-01", "--type", "stream_trace"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert printed == "Nothing was dead-lettered since 2100-01-01T00:00:00.000Z of type stream_trace."
    assert run(["triage", "--since", "yesterday"]) == 2
    assert "--since=yesterday: this is not a time" in capsys.readouterr().err
