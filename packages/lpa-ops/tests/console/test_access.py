"""Who may read the console, and what its answers let a browser do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest
from starlette.testclient import TestClient

from lpa_ops.console.access import Access, require_token
from lpa_ops.console.app import console_app
from lpa_ops.console.page import ConsoleSources
from lpa_ops.testing.page_text import page
from lpa_ops.web.server import ServeError

TOKEN = "0123456789abcdef"
COOKIE = "lpa_console_8091"
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


def login(client: TestClient, token: str = TOKEN) -> str:
    """The value of the cookie that a login gives."""
    client.post("/login", data={"token": token, "form_token": form_token(client)})
    return client.cookies.get(COOKIE) or ""


def test_a_cookie_that_somebody_kept_is_worth_nothing_after_the_logout(closed: TestClient) -> None:
    kept = login(closed)
    assert closed.get("/health").status_code == 200
    closed.post("/logout", data={"form_token": form_token(closed, "/health")})
    closed.cookies.clear()
    assert closed.get("/health.json", headers={"Cookie": f"{COOKIE}={kept}"}).status_code == 401


def test_each_login_is_its_own_and_a_new_one_ends_the_one_before(
    closed: TestClient, opened: Callable[..., TestClient], sources: ConsoleSources
) -> None:
    first = login(closed)
    second = login(closed)
    assert first != second
    closed.cookies.clear()
    third = login(closed)
    closed.cookies.clear()
    answers = {kept: closed.get("/health", headers={"Cookie": f"{COOKIE}={kept}"}) for kept in (first, second, third)}
    assert [each.status_code for each in answers.values()] == [303, 200, 200]
    form_of_second = re.search(r'name="form_token" value="([0-9a-f]+)"', answers[second].text)
    assert form_of_second
    posted = {"form_token": form_of_second[1]}
    assert closed.post("/logout", data=posted, headers={"Cookie": f"{COOKIE}={third}"}).status_code == 403
    elsewhere = opened(sources, TOKEN)
    assert login(elsewhere), "the same secret"
    assert elsewhere.get("/health", headers={"Cookie": f"{COOKIE}={first}.x"}).status_code == 303


def test_consoles_on_two_ports_of_one_name_do_not_log_each_other_out(
    opened: Callable[..., TestClient], sources: ConsoleSources
) -> None:
    browser = opened(sources, TOKEN)
    login(browser)
    other = form_token(browser, "http://127.0.0.1:8092/login")
    browser.post("http://127.0.0.1:8092/login", data={"token": TOKEN, "form_token": other})
    names = sorted(browser.cookies)
    assert names == ["lpa_console_8091", "lpa_console_8092"]
    browser.post("http://127.0.0.1:8092/logout", data={"form_token": form_token(browser, "http://127.0.0.1:8092/flow")})
    assert browser.get("/health").status_code == 200


def test_a_login_ends_after_its_time(sources: ConsoleSources) -> None:
    now = [1_000.0]
    access = Access(TOKEN, {"x"}, b"secret", lambda: now[0])
    client = TestClient(console_app(sources, access), "http://127.0.0.1:8091", follow_redirects=False)
    kept = login(client)
    for seconds, status in ((12 * 3600 - 1, 200), (12 * 3600, 303)):
        now[0] = 1_000 + seconds
        assert client.get("/health", headers={"Cookie": f"{COOKIE}={kept}"}).status_code == status


def test_only_a_wrong_token_waits_for_its_answer(sources: ConsoleSources, capsys: pytest.CaptureFixture[str]) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    app = console_app(sources, Access(TOKEN, {"x"}, b"secret"), pause=pause)
    client = TestClient(app, "http://127.0.0.1:8091", follow_redirects=False)
    for token in ("", "wrong", "\u00e4", TOKEN[:-1], "x" * 100_000):
        assert login(client, token) == ""
    assert waited == [1.0] * 5
    assert login(client)
    assert len(waited) == 5
    said = "".join(capsys.readouterr())
    assert said.count("a login with a wrong token was turned down") == 5
    assert TOKEN not in said


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
    answer = browser.post("/login", content=b"x" * (1 << 20) + b"x")
    assert page(answer, 413).text.count("a form has at most a mebibyte") == 1


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_body_in_chunks_is_not_read(closed: TestClient, method: str) -> None:
    """A million chunks of a byte take most of a minute, and nobody has to log in to send them."""
    answer = closed.request(method, "/login", content=iter([b"x"]))
    assert page(answer, 411).text.count("send the body with its Content-Length, not in chunks") == 1
    assert answer.headers["connection"] == "close"


def test_a_browser_that_goes_away_while_it_posts_is_no_fault(
    opened: Callable[..., TestClient], sources: ConsoleSources, capsys: pytest.CaptureFixture[str]
) -> None:
    sent: list[Any] = []
    came = iter([{"type": "http.request", "body": b"token=", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(came)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-length", b"100")]
    scope = {"type": "http", "method": "POST", "path": "/login", "query_string": b"", "headers": headers}
    anyio.run(opened(sources, TOKEN).app, scope, receive, send)
    assert sent[0]["status"] == 400
    assert "a page of the console failed" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/health", {"GET", "HEAD"}), ("/login", {"GET", "HEAD", "POST"}),
     ("/query.json", {"GET", "HEAD", "POST"}), ("/replay/start", {"POST"})],
)  # fmt: skip
def test_pages_are_only_read(browser: TestClient, path: str, allowed: set[str]) -> None:
    for method in {"POST", "PUT", "PATCH", "DELETE"} - allowed:
        answer = browser.request(method, path)
        assert answer.status_code == 405
        assert set(answer.headers["allow"].split(", ")) == allowed


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
