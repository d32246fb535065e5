"""Who may read the console, and what its answers let a browser do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
import pytest
from starlette.testclient import TestClient

from lpa_ops.console.access import COOKIE, require_token
from lpa_ops.console.page import ConsoleSources
from lpa_ops.testing.page_text import page
from lpa_ops.web.server import ServeError

TOKEN = "0123456789abcdef"
RECORD = Path(__file__).parents[4] / "docs" / "decisions" / "0127-the-console-is-rendered-by-the-server.md"


@pytest.fixture
def closed(opened: Callable[..., TestClient], sources: ConsoleSources) -> TestClient:
    """A console with a token, at which nobody has logged in."""
    return opened(sources, TOKEN)


def form_token(client: TestClient, path: str = "/login") -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', client.get(path).text)
    assert found
    return found[1]


@pytest.mark.parametrize("address", ["0.0.0.0:8091", "[::]:1", "example.org:80", "10.0.0.1:1"])
def test_other_machines_read_only_with_a_token(address: str) -> None:
    with pytest.raises(ServeError, match="can be reached from other machines: set LPA_CONSOLE_TOKEN"):
        require_token(address, "")
    require_token(address, TOKEN)
    require_token("127.0.0.1:8091", "")


@pytest.mark.parametrize("path", ["/health", "/health.json", "/nothing", "/static/console.js", "/login"])
def test_every_answer_keeps_a_browser_to_the_console(browser: TestClient, path: str) -> None:
    headers = browser.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["style-src"], policy["frame-ancestors"]) == ("'self'", "'self'", "'none'")
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
    assert (headers["referrer-policy"], headers["cache-control"]) == ("same-origin", "no-store")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8091", "", "lpa.example.org.evil.example"])
def test_a_foreign_host_name_is_refused(browser: TestClient, host: str) -> None:
    answer = browser.get("/health.json", headers={"Host": host})
    assert answer.status_code == 421
    assert "LPA_CONSOLE_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8091", "192.0.2.7:8091", "LPA.example.org"])
def test_known_names_and_addresses_are_served(browser: TestClient, host: str) -> None:
    assert browser.get("/health.json", headers={"Host": host}).status_code == 200


def test_without_a_login_nothing_is_shown(closed: TestClient) -> None:
    answer = closed.get("/health")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert closed.get("/health.json").status_code == 401
    assert closed.get("/health.json", headers={"Cookie": f"{COOKIE}=9999999999.{'0' * 64}"}).status_code == 401
    assert "Health" not in page(closed.get("/login")).text


@pytest.mark.parametrize("cookie", ["", ".", "9999999999", "9999999999.ä", "ä.ä", "²." + "0" * 64, '"\\377.\\377"'])
def test_a_cookie_that_was_not_given_here_is_no_login(closed: TestClient, cookie: str) -> None:
    headers = {"Cookie": f"{COOKIE}={cookie}".encode()}
    page(closed.get("/login", headers=headers))
    assert closed.get("/health", headers=headers).headers["location"] == "/login"
    assert closed.get("/health.json", headers=headers).status_code == 401


def test_who_knows_the_token_reads_until_logging_out(closed: TestClient) -> None:
    answer = closed.post("/login", data={"token": TOKEN, "form_token": form_token(closed)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert closed.get("/health").status_code == 200
    token = form_token(closed, "/health")
    assert closed.post("/logout", data={"form_token": token}).status_code == 303
    assert closed.get("/health").status_code == 303


def test_a_wrong_token_is_refused(closed: TestClient) -> None:
    answer = closed.post("/login", data={"token": "another", "form_token": form_token(closed)})
    assert "this is not the token of LPA_CONSOLE_TOKEN" in page(answer, 403).text
    assert "set-cookie" not in answer.headers
    assert closed.get("/health").status_code == 303


@pytest.mark.parametrize(
    ("headers", "changed"),
    [({}, {"form_token": ""}), ({}, {"form_token": "0" * 64}), ({}, {"form_token": "ä"}),
     ({"Origin": "https://evil.example"}, {}), ({"Origin": "null"}, {}), ({"Origin": "http://["}, {}),
     ({"Origin": "http://[evil]"}, {}), ({"Origin": "http://\u2100.example".encode()}, {}), ({"Origin": ""}, {})],
)  # fmt: skip
def test_a_post_of_another_page_is_refused(closed: TestClient, headers: dict[str, Any], changed: Any) -> None:
    sent = {"token": TOKEN, "form_token": form_token(closed), **changed}
    answer = closed.post("/login", data=sent, headers=headers)
    page(answer, 403)
    assert "set-cookie" not in answer.headers


def test_a_login_behind_tls_has_a_cookie_for_tls_only(closed: TestClient) -> None:
    for origin, secure in (("http://127.0.0.1:8091", False), ("https://127.0.0.1:8091", True)):
        sent = {"token": TOKEN, "form_token": form_token(closed)}
        answer = closed.post("/login", data=sent, headers={"Origin": origin})
        assert ("Secure" in answer.headers["set-cookie"]) is secure
        closed.cookies.clear()


def test_a_post_that_is_too_long_is_refused(browser: TestClient) -> None:
    def in_parts() -> Iterator[bytes]:
        for _ in range(1025):
            yield b"x" * 1024

    for content in (b"x" * (1 << 20) + b"x", in_parts()):
        answer = browser.post("/login", content=content)
        assert page(answer, 413).text.count("a form has at most a mebibyte") == 1


def test_pages_are_only_read(browser: TestClient) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert browser.request(method, "/health").status_code == 405


def test_a_fault_is_logged_and_shows_nothing(opened: Callable[..., TestClient], sources: ConsoleSources) -> None:
    def fail() -> Any:
        raise RuntimeError("a secret")

    broken = opened(attrs.evolve(sources, health=fail))
    answer = broken.get("/health")
    assert "this is a fault in lpa: its log says which" in page(answer, 500).text
    assert "a secret" not in answer.text
    assert "content-security-policy" in answer.headers


def test_a_page_that_is_not_there_leads_back(browser: TestClient) -> None:
    found = page(browser.get("/nothing"), 404)
    assert "there is no such page" in found.text
    assert "/" in found.links
    assert browser.get("/nothing.json").json()["status"] == 404


def test_what_is_shipped_is_what_the_record_names() -> None:
    vendor = files("lpa_ops.console").joinpath("static", "vendor")
    record = RECORD.read_text()
    for file in vendor.iterdir():
        if not file.name.endswith("LICENSE"):
            assert hashlib.sha256(file.read_bytes()).hexdigest() in record
            assert vendor.joinpath(f"{file.name.split('.')[0]}.LICENSE").is_file()
