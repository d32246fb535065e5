"""An S3 server in this process, whose next answers a test can spoil."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from lpa_sinks.testing.captive_portal import Portal

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test-access-key",
    "AWS_SECRET_ACCESS_KEY": "test-secret-key",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def spoiled() -> list[str]:
    """HTTP statuses that the next requests to write something get instead of an answer, last one first."""
    return []


@pytest.fixture(scope="session")
def _portal() -> Portal:
    return Portal()


@pytest.fixture
def portal(_portal: Portal) -> Iterator[Portal]:
    yield _portal
    _portal.methods, _portal.query, _portal.times = (), "", None


@pytest.fixture(scope="session")
def s3_endpoint(spoiled: list[str], _portal: Portal) -> Iterator[str]:
    s3 = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if _portal.answers(environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            length = ("Content-Length", str(len(_portal.page)))
            start_response(_portal.status, [*_portal.headers, length])
            return [_portal.page]
        if environ["REQUEST_METHOD"] in ("PUT", "POST") and spoiled:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response(spoiled.pop(), [("Content-Type", "text/plain")])
            return [b"spoiled"]
        answer: Iterable[bytes] = s3(environ, start_response)
        return answer

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bucket(s3_endpoint: str, spoiled: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a new bucket, with credentials for it in the environment."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    name = f"bucket-{uuid4().hex}"
    with urllib.request.urlopen(urllib.request.Request(f"{s3_endpoint}/{name}", method="PUT")):
        yield f"s3://{name}"
    spoiled.clear()
