"""Asks the admin endpoint of a job that runs in another process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import Annotated, Any, Final, TypeVar, final

import msgspec
from msgspec import Meta

from lpa_core.admin.errors import AdminError
from lpa_core.uris import host_and_port

_SECONDS: Final = 10.0

T = TypeVar("T")


class _Job(msgspec.Struct):
    jid: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.-]+\Z")]


class _Jobs(msgspec.Struct):
    jobs: list[_Job]


class _Partition(msgspec.Struct, rename="kebab"):
    topic: str
    partition: int
    state: str
    committed_offset: int | None
    end_offset: int | None
    lag: int | None
    backpressured: bool


class _Details(msgspec.Struct):
    partitions: list[_Partition]


class _Opened(msgspec.Struct):
    tap: str


class _Record(msgspec.Struct):
    topic: str
    partition: int
    offset: int
    outcome: str
    type: str
    reason: str
    payload: str
    size: int


class _Taken(msgspec.Struct):
    records: list[_Record]
    ended: bool
    passed: int
    not_looked_at: int
    fitting: int
    dropped: int


class _Errors(msgspec.Struct):
    errors: list[str] = []


@final
class AdminClientOfJob:
    """A client with the token. A connection is made for each question."""

    def __init__(self, address: str, token: str) -> None:
        """``address`` is host:port. Raises AdminError if no token is set."""
        self._address, self._token = address, token
        if not token:
            raise AdminError("no LPA_ADMIN_TOKEN is set: set it to the token of the worker")

    def open_tap(self, asked: object) -> str:
        """Open a tap, and return its id. Raises AdminError if no worker answers, or it refuses."""
        return _like(self._address, self._ask("POST", "/tap", asked), _Opened).tap

    def take(self, tap: str) -> dict[str, Any]:
        """What came since the last question. Raises AdminError."""
        answer = self._ask("GET", f"/tap/{tap}")
        _like(self._address, answer, _Taken)
        return answer

    def close_tap(self, tap: str) -> None:
        """End it, no matter if anybody answers."""
        with suppress(AdminError):
            self._ask("POST", f"/tap/{tap}/close")

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        sent = b"" if body is None else msgspec.json.encode(body)
        return _answer(self._address, method, path, sent, {"Authorization": f"Bearer {self._token}"})


def job_details(address: str) -> dict[str, Any]:
    """What the job at host:port tells anybody about itself: ``GET /jobs/<id>``. Raises AdminError."""
    jobs = _like(address, _answer(address, "GET", "/jobs/overview"), _Jobs).jobs
    if len(jobs) != 1:
        raise _of_another_program(address)
    details = _answer(address, "GET", f"/jobs/{jobs[0].jid}")
    _like(address, details, _Details)
    return details


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
        errors = "; ".join(_like(address, found, _Errors).errors)
        raise AdminError(f"{address}{path}: {errors or response.status}")
    return found


def _like(address: str, answer: dict[str, Any], form: type[T]) -> T:
    """The answer in its form. Raises AdminError: other programs answer in JSON, too, such as Flink on the same port."""
    try:
        return msgspec.convert(answer, form)
    except msgspec.ValidationError:
        raise _of_another_program(address) from None


def _of_another_program(address: str) -> AdminError:
    return AdminError(f"{address} is the address of another program: give a worker's LPA_ADMIN_ADDRESS")
