"""Asks the admin endpoint of a job that runs in another process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, final

import msgspec

from lpa_core.admin.errors import AdminError
from lpa_core.uris import host_and_port

_SECONDS: Final = 10.0


@final
class AdminClientOfJob:
    """A client with the token. A connection is made for each question."""

    def __init__(self, address: str, token: str) -> None:
        """``address`` is host:port. Raises AdminError if no token is set."""
        self._address, self._token = address, token
        if not token:
            raise AdminError("no LPA_ADMIN_TOKEN is set: set it to the token of the worker")

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The JSON that the job answers with. Raises AdminError if it does not answer, or refuses."""
        sent = b"" if body is None else msgspec.json.encode(body)
        return _answer(self._address, method, path, sent, {"Authorization": f"Bearer {self._token}"})

    def ask_in_vain(self, method: str, path: str) -> None:
        """Ask, no matter if anybody answers."""
        with suppress(AdminError):
            self.ask(method, path)


def job_details(address: str) -> dict[str, Any]:
    """What the job at host:port tells anybody about itself: ``GET /jobs/<id>``. Raises AdminError."""
    (job,) = _answer(address, "GET", "/jobs/overview")["jobs"]
    return _answer(address, "GET", f"/jobs/{job['jid']}")


def _answer(
    address: str, method: str, path: str, sent: bytes = b"", headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    host, port = host_and_port(address)
    connection = HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request(method, path, sent, dict(headers or {}))
        response = connection.getresponse()
        found = msgspec.json.decode(response.read(), type=dict[str, Any])
    except (OSError, HTTPException, msgspec.DecodeError) as error:
        raise AdminError(
            f"no worker answers at {address} ({error}): see that `lpa ingest` runs and reads from Kafka (a job "
            "that reads files cannot be asked), and give its LPA_ADMIN_ADDRESS with --address"
        ) from None
    finally:
        connection.close()
    if response.status >= 400:
        raise AdminError(f"{address}{path}: {'; '.join(map(str, found.get('errors', [])))}")
    return found
