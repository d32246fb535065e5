"""What ``lpa doctor`` answers, as its tests read it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

NOWHERE: Final = "127.0.0.1:1"
Found = Mapping[str, Mapping[str, Any]]
Doctor = Callable[..., Found]


def tree(folder: Path) -> list[tuple[str, float, int]]:
    return sorted(
        (str(path), path.stat().st_mtime, path.stat().st_size if path.is_file() else 0) for path in folder.rglob("*")
    )


def failed(found: Found) -> list[str]:
    return [name for name, each in found.items() if each["state"] == "failed"]


def text(found: Found, name: str) -> str:
    return f"{found[name]['detail']} | {found[name]['action']}"


@contextmanager
def serving(body: bytes, server: str = "nginx") -> Iterator[str]:
    """A web server; the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        server_version, sys_version = server, ""

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None: ...

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    listening.server_close()
