"""Logins of object stores that hold something nobody sees."""

from __future__ import annotations

import os

import pytest
from tenacity import wait_none

from lpa_sinks.archive.mirror_places import open_places
from lpa_sinks.archive.storage import open_storage

NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " "])
def test_failure_23_a_login_of_an_object_store_is_taken_without_a_line_break(
    bucket: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {name: os.environ[name] for name in NAMES}
    for name, value in given.items():
        monkeypatch.setenv(name, f"{value}{end}")
        monkeypatch.setenv(f"MIRROR_{name}", f"{value}{end}")
    storage = open_storage(f"{bucket}/raw", wait=wait_none(), attempts=1)
    storage.put("a", lambda: [b"content"])
    assert b"".join(storage.read("a")) == b"content"
    for place in open_places(f"{bucket}/raw", f"{bucket}/copy", wait=wait_none(), attempts=1):
        place.check()
