"""An archive in an object store: S3 as moto serves it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tenacity import wait_none

from lpa_core.records import RecordBatch
from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive import FileArchive, read_archive

NOW = 1_767_900_000_000
SECRETS = ("test-access-key", "test-secret-key")


def batch(first: int, values: list[bytes | None], topic: str = "events") -> RecordBatch:
    return RecordBatch(topic, 0, range(first, first + len(values)), values)


def opened(location: str, spool: Path, **arguments: Any) -> FileArchive:
    archive = FileArchive(location, spool, wait=wait_none(), attempts=4, **arguments)
    archive.recover()
    return archive


def values(location: str, **arguments: Any) -> list[bytes | None]:
    found = read_archive(location, wait=wait_none(), attempts=2, **arguments)
    return [record.value for record in found]


def test_records_come_back_from_below_the_prefix(bucket: str, tmp_path: Path) -> None:
    sent: list[bytes | None] = [b"a\r", b"\xff", None, b""]
    for topic in ("events", "odd topic/with%everything~"):
        archive = opened(f"{bucket}/some/prefix", tmp_path)
        archive.write(batch(0, sent, topic), NOW)
        archive.close()
    assert values(f"{bucket}/some/prefix") == sent * 2
    assert values(f"{bucket}/some/prefix", topics=["odd topic/with%everything~"]) == sent
    assert values(f"{bucket}/some/prefix", start=NOW + 3_600_000) == []
    assert values(bucket) == []


def test_a_large_file_goes_up_in_parts(bucket: str, tmp_path: Path) -> None:
    rng = random.Random(1)
    sent: list[bytes | None] = [rng.randbytes(60_000) for _ in range(300)]
    archive = opened(bucket, tmp_path)
    archive.write(batch(0, sent[:200]), NOW)
    archive.write(batch(200, sent[200:]), NOW + 1)
    archive.close()
    assert values(bucket) == sent


def test_what_passes_by_itself_is_tried_again(bucket: str, tmp_path: Path, spoiled: list[str]) -> None:
    archive = opened(bucket, tmp_path)
    archive.write(batch(0, [b"a"]), NOW)
    spoiled[:] = ["503 Slow Down", "500 Internal Server Error", "429 Too Many Requests"]
    archive.close()
    assert spoiled == []
    assert values(bucket) == [b"a"]


def test_what_cannot_be_stored_waits_in_the_spool_for_the_next_start(
    bucket: str, tmp_path: Path, spoiled: list[str]
) -> None:
    archive = opened(bucket, tmp_path)
    archive.write(batch(0, [b"a"]), NOW)
    archive.write(batch(1, [b"b"]), NOW + 1)
    spoiled[:] = ["503 Slow Down"] * 5
    with pytest.raises(
        ArchiveError, match="it answered 503 Service Unavailable: see that it can be reached; nothing is lost"
    ) as caught:
        archive.close()
    assert len(spoiled) == 1, "four attempts"
    assert "\n" not in str(caught.value)
    archive.close()
    assert len(spoiled) == 1, "not tried for ever"
    assert values(bucket) == []
    spoiled.clear()
    archive = opened(bucket, tmp_path)
    assert values(bucket) == [b"a", b"b"]
    archive.write(batch(1, [b"b"]), NOW + 1)
    archive.close()
    assert values(bucket) == [b"a", b"b"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "the bucket does not exist: create it or name another"),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_ALLOW_HTTP": None}, "AWS_ALLOW_HTTP=true"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "see that it can be reached"),
    ],
)
def test_a_wrong_configuration_is_told_at_the_start_in_one_line_without_secrets(
    change: dict[str, str | None],
    message: str,
    bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, value in change.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    archive = FileArchive("s3://no-such-bucket/prefix", tmp_path, wait=wait_none(), attempts=2)
    with pytest.raises(ArchiveError, match=message) as caught:
        archive.recover()
    archive.close()
    text = str(caught.value)
    assert text.startswith("archive s3://no-such-bucket/prefix: ")
    assert "\n" not in text
    shown = text + "".join(capfd.readouterr())
    assert not any(secret in shown for secret in SECRETS)


def test_denied_access_is_not_tried_again(bucket: str, tmp_path: Path, spoiled: list[str]) -> None:
    archive = opened(bucket, tmp_path)
    archive.write(batch(0, [b"a"]), NOW)
    spoiled[:] = ["403 Forbidden"] * 3
    with pytest.raises(ArchiveError, match="check the location and the credentials"):
        archive.close()
    assert len(spoiled) == 2


@pytest.mark.parametrize(
    "location",
    ["s3://test-access-key:test-secret-key@bucket/prefix", "s3://bucket/prefix?secret_access_key=test-secret-key"],
)
def test_credentials_in_the_location_are_refused_and_not_repeated(location: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="credentials and options in the environment") as caught:
        FileArchive(location, tmp_path)
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("location", ["foo://bucket/prefix", "s3://"])
def test_a_location_that_means_nothing_is_named(location: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=f"archive {location}: ") as caught:
        FileArchive(location, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_archive_reads_as_an_error(bucket: str) -> None:
    with pytest.raises(ArchiveError, match="the bucket does not exist"):
        values("s3://no-such-bucket")
