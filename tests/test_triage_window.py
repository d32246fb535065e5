"""``lpa triage --since --type``: which dead letters are shown."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from services.preloaded import preloaded_lpa


def lpa(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: this one may have the embedded engine open in another folder."""
    environment = {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "LPA_LOG_LEVEL": "error"}
    command = [preloaded_lpa(), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


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
    done = lpa(folder, "ingest", "events.ndjson")
    assert done.returncode == 0, done.stderr
    return folder


def asked(folder: Path, *arguments: str) -> list[str]:
    done = lpa(folder, "triage", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert sum(each["total"] for each in found["failures"]) == len(found["samples"])
    assert sum(each["total"] for each in found["details"]) == len(found["samples"])
    return sorted(sample["event_id"] for sample in found["samples"])


@pytest.mark.slow
def test_dead_letters_are_shown_by_time_and_type(ingested: Path) -> None:
    assert asked(ingested) == ["", "1", "2"]
    assert asked(ingested, "--since", "7d") == ["", "1", "2"]
    assert asked(ingested, "--since", "7d", "--type", "stream_trace") == ["1"]
    assert asked(ingested, "--type", "' OR 1 = 1 --") == []
    assert asked(ingested, "--since", "2100-01-01") == []
    nothing = lpa(ingested, "triage", "--since", "2100-01-01", "--type", "stream_trace")
    printed = " ".join(nothing.stdout.split())
    assert printed == "Nothing was dead-lettered since 2100-01-01T00:00:00.000Z of type stream_trace."
    hour = lpa(ingested, "triage", "--type", "discovery_results")
    assert " ".join(hour.stdout.split()) == (
        "Nothing was dead-lettered in the last hour of type discovery_results. `--since 24h` looks further back."
    )
    unknown = lpa(ingested, "triage", "--type", "stream_trcae")
    assert " ".join(unknown.stdout.split()) == (
        "Nothing was dead-lettered in the last hour of type stream_trcae. No event type has that name: did you mean "
        "stream_trace."
    )
    wrong = lpa(ingested, "triage", "--since", "yesterday")
    assert wrong.returncode == 2
    assert "--since=yesterday: this is not a time" in wrong.stderr
