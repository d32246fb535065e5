"""Asks the admin endpoint of a job that runs in another process."""

from __future__ import annotations

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
        host, port = host_and_port(self._address)
        connection = HTTPConnection(host, port, timeout=_SECONDS)
        try:
            sent = b"" if body is None else msgspec.json.encode(body)
            connection.request(method, path, sent, {"Authorization": f"Bearer {self._token}"})
            response = connection.getresponse()
            found = msgspec.json.decode(response.read(), type=dict[str, Any])
        except (OSError, HTTPException, msgspec.DecodeError) as error:
            raise AdminError(
                f"no worker answers at {self._address} ({error}): see that `lpa ingest` reads from Kafka, and give its "
                "LPA_ADMIN_ADDRESS with --address"
            ) from None
        finally:
            connection.close()
        if response.status >= 400:
            raise AdminError(f"{self._address}{path}: {'; '.join(map(str, found.get('errors', [])))}")
        return found

    def ask_in_vain(self, method: str, path: str) -> None:
        """Ask, no matter if anybody answers."""
        with suppress(AdminError):
            self.ask(method, path)
