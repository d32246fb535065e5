"""``lpa doctor`` on what is to be read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from doctor.answers import Doctor, failed, text
from lpa_core.cli import run
from lpa_core.delivery.checkpoint import StoredCheckpoint, encode
from lpa_core.delivery.ranges import Progress


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("none.ndjson", "none.ndjson does not exist | check the path"),
        (".", ". is a folder | name a file of newline-delimited JSON"),
        ("http://host/a", "no source for http:// is installed"),
        ("kafka://me:hunter@host/topic", "a login goes into LPA_KAFKA_SASL_USERNAME"),
        ("kafka://127.0.0.1:1/a/b", "expected a topic after the brokers"),
    ],
)
def test_failure_31_a_source_that_cannot_be_read_is_told(source: str, said: str, doctor: Doctor) -> None:
    found = doctor(source)
    assert "source" in failed(found)
    assert said in text(found, "source")
    assert "hunter" not in str(found)


def test_failure_31_a_file_of_the_future_speaks_against_the_clock(doctor: Doctor) -> None:
    Path("a.ndjson").write_text("{}\n")
    later = time.time() + 86_400
    os.utime("a.ndjson", (later, later))
    found = doctor("a.ndjson")
    assert failed(found) == ["source"]
    assert "set the clock of this machine right" in text(found, "source")


def test_a_file_needs_no_broker(doctor: Doctor) -> None:
    Path("a.ndjson").write_text("{}\n")
    found = doctor("a.ndjson", status=0)
    assert "can be read, as a.ndjson" in text(found, "source")
    assert found["kafka_client"]["state"] == "not applicable"


def test_failure_31_a_database_that_is_gone_is_told_before_a_file_is_taken_for_stored(
    doctor: Doctor, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = f"chdb://{Path('db').absolute()}"
    stored = StoredCheckpoint("a.ndjson", 0, f"chdb:{Path('db').resolve()}", Progress(5, "100"), None)
    folder = Path("lpa-data/checkpoints")
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(encode(stored))
    Path("b.ndjson").write_text("{}\n")
    assert run(["ingest", "b.ndjson", "--sink", sink]) == 1
    said = capsys.readouterr().err
    assert "`lpa recover total-loss`" in said
    found = doctor("b.ndjson", "--sink", sink)
    assert failed(found) == ["stored"]
    assert "`lpa recover total-loss`" in text(found, "stored")
