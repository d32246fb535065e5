"""Something between that answers in place of the object store: a proxy, a login page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from tenacity import wait_none

from lpa_core.records import RecordBatch
from lpa_core.sinks.archive import ArchiveError
from lpa_sinks.archive import FileArchive, read_archive
from lpa_sinks.archive.object_store import ObjectStore
from lpa_sinks.testing.captive_portal import Portal

HTML = b"<!DOCTYPE html><html><head><meta charset=utf-8><title>Sign in</title></head><body><br>hello</body></html>"
XHTML = b"<html><head><title>Sign in</title></head><body>hello</body></html>"
AS_A_FILE = (("Content-Type", "text/html"), ("ETag", '"abc"'), ("Last-Modified", "Tue, 28 Apr 2020 08:52:56 GMT"))
PAGES = {
    "html": ("200 OK", (("Content-Type", "text/html"),), HTML),
    "xhtml of a file": ("200 OK", AS_A_FILE, XHTML),
    "json": ("200 OK", (("Content-Type", "application/json"), ("ETag", 'W/"1"')), b'{"status":"ok"}'),
    "nothing": ("200 OK", (), b""),
    "no content": ("204 No Content", (), b""),
    "an error with status 200": ("200 OK", AS_A_FILE, b"<Error><Code>InternalError</Code></Error>"),
    "redirect": ("302 Found", (("Location", "http://127.0.0.1:1/login"),), b""),
}
EVERY_METHOD = ("GET", "PUT", "POST", "HEAD", "DELETE")
TOLD = "something else answered in place of the object store: check AWS_ENDPOINT_URL|see that it can be reached"


@pytest.fixture
def store(bucket: str) -> ObjectStore:
    return ObjectStore(f"{bucket}/prefix", wait=wait_none(), attempts=2)


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, portal: Portal) -> Portal:
    portal.status, portal.headers, portal.page = PAGES[request.param]
    return portal


def refused(action: object, *arguments: object) -> str:
    assert callable(action)
    with pytest.raises(ArchiveError, match=TOLD) as caught:
        action(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_failure_02_a_page_is_no_listing(store: ObjectStore, page: Portal) -> None:
    store.put("there", lambda: [b"something"])
    page.methods = EVERY_METHOD
    refused(store.check)
    refused(store.files, "")
    refused(store.folders, "")


def test_failure_02_a_page_that_comes_for_listings_only_is_no_listing(store: ObjectStore, page: Portal) -> None:
    """The proof goes another way than the page: nothing is there, and nothing is lost by saying so again."""
    page.methods = ("PUT",)
    assert store.files("") == []


@pytest.fixture
def many(store: ObjectStore) -> list[str]:
    """More files than one answer lists."""
    name, _, prefix = store.name.removeprefix("s3://").partition("/")
    names = [f"{number:04d}" for number in range(1_100)]
    for each in names:
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(name, f"{prefix}/{each}", b"x")
    return names


def test_failure_02_a_page_in_place_of_the_rest_of_a_listing_is_no_end_of_it(
    store: ObjectStore, page: Portal, many: list[str]
) -> None:
    page.methods, page.query = ("GET",), "continuation-token"
    refused(store.files, "")
    page.times = 1
    assert store.files("") == many, "asked again"
    page.times, page.query, page.methods = None, "", ()
    assert store.files("") == many


def test_failure_02_a_page_in_place_of_the_rest_of_many_folders_is_no_end_of_them(
    store: ObjectStore, page: Portal
) -> None:
    name, _, prefix = store.name.removeprefix("s3://").partition("/")
    folders = [f"{number:04d}" for number in range(1_050)]
    for each in folders:
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(name, f"{prefix}/{each}/file", b"x")
    page.methods, page.query = ("GET",), "continuation-token"
    refused(store.folders, "")
    page.methods = ()
    assert store.folders("") == folders


def test_failure_02_a_page_is_no_put(store: ObjectStore, page: Portal) -> None:
    for methods in (EVERY_METHOD, ("PUT",)):
        page.methods = methods
        refused(store.put, "x", lambda: [b"content"])
    page.methods = ()
    assert store.files("") == []


def test_failure_02_a_page_is_no_put_of_a_large_file(store: ObjectStore, page: Portal) -> None:
    page.methods = ("POST", "PUT")
    refused(store.put, "x", lambda: [bytes(9 << 20)])
    page.methods = ()
    assert store.files("") == []


def test_failure_02_a_page_is_no_file(store: ObjectStore, page: Portal) -> None:
    store.put("x", lambda: [b"content"])
    page.methods = EVERY_METHOD
    refused(lambda: b"".join(store.read("x")))
    page.methods = ()
    assert b"".join(store.read("x")) == b"content"


def test_failure_02_a_page_removes_nothing(store: ObjectStore, page: Portal) -> None:
    store.put("x", lambda: [b"content"])
    page.methods = EVERY_METHOD
    refused(store.remove, "x")
    page.methods = ()
    assert store.files("") == ["x"]


def test_failure_02_what_a_page_took_waits_in_the_spool(bucket: str, tmp_path: Path, page: Portal) -> None:
    archive = FileArchive(bucket, tmp_path, wait=wait_none(), attempts=2)
    archive.recover()
    archive.write(RecordBatch("events", 0, range(1), [b"a"]), 1_767_900_000_000)
    page.methods = EVERY_METHOD
    with pytest.raises(ArchiveError, match=re.escape("nothing is lost")):
        archive.close()
    page.methods = ()
    assert list(read_archive(bucket, wait=wait_none(), attempts=1)) == []
    archive = FileArchive(bucket, tmp_path, wait=wait_none(), attempts=2)
    archive.recover()
    archive.close()
    assert [record.value for record in read_archive(bucket, wait=wait_none(), attempts=1)] == [b"a"]


def test_failure_02_a_page_that_passes_is_waited_for(store: ObjectStore, portal: Portal) -> None:
    store.put("x", lambda: [b"content"])
    portal.status, portal.headers, portal.page = PAGES["xhtml of a file"]
    portal.methods = ("GET", "HEAD")
    tries = ObjectStore(store.name, wait=lambda state: setattr(portal, "methods", ()) or 0.0, attempts=2)
    assert tries.files("") == ["x"]
