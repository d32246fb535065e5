"""A savepoint to keep, and places to keep it in: a folder, and S3 as moto serves it."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.jobs.new_savepoint import new_savepoint
from lpa_core.savepoints import Savepoint
from lpa_core.settings.settings import Settings

CLAIMED, UNCLAIMED = Partition("streaming_events", 0), Partition("streaming_events", 1)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a new bucket, with credentials for it in the environment."""
    environment = {
        "AWS_ACCESS_KEY_ID": "test-access-key",
        "AWS_SECRET_ACCESS_KEY": "test-secret-key",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ENDPOINT_URL": s3_endpoint,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{uuid4().hex}"
    with urllib.request.urlopen(urllib.request.Request(f"{s3_endpoint}/{name}", method="PUT")):
        return f"s3://{name}"


@pytest.fixture(params=["folder", "file url", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place that holds savepoints."""
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/some/prefix"
    folder = tmp_path / "kept" / "savepoints"
    return str(folder) if request.param == "folder" else f"file://{folder}"


@pytest.fixture
def savepoint() -> Savepoint:
    commits = {UNCLAIMED: Commit(7), CLAIMED: Commit(42, 'lpa1:{"s": 42} ä')}
    return new_savepoint(Settings(), [], commits, [CLAIMED], "claims of one are elsewhere")


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """The folder of a store's claims, one file of it larger than a chunk."""
    folder = tmp_path / "claims"
    (folder / "below").mkdir(parents=True)
    (folder / "CURRENT").write_bytes(b"MANIFEST-1\n")
    (folder / "through.json").write_text('{"through": 42}')
    (folder / "empty.log").touch()
    (folder / "below" / "000012.sst").write_bytes(bytes(range(256)) * 5000)
    return folder
