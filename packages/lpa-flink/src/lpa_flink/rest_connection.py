"""One request to Flink's REST: bounded in time and size, and its failures in words."""

from __future__ import annotations

import time
from typing import Any, Final, TypeVar, final

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from lpa_core.errors import ConfigurationError, JobFailed, Unavailable
from lpa_core.printable import printable
from lpa_flink.rest_answers import Failed, cause

T = TypeVar("T")

SECONDS: Final = 30.0
"""How long an answer may take."""
LARGEST: Final = 16 << 20
"""Bytes of an answer. Flink's largest, the exceptions of a job, have some hundred kilobytes."""
_CHUNK: Final = 1 << 16
_SHOWN: Final = 300
"""Characters of what Flink says."""
_DRIVER_ENDED: Final = "Python process exits with code"
_GATEWAY: Final = (502, 503, 504)


class FlinkUnavailable(Unavailable):
    """Flink did not answer in time, or not to the end. What was asked for may have been done."""


class FlinkError(JobFailed):
    """Flink answered that it could not do it."""


class FlinkNotFoundError(FlinkError):
    """Flink knows no such job, savepoint or jar."""


class FlinkAddressError(ConfigurationError):
    """What answers at LPA_FLINK_ADDRESS is not Flink's REST, or does not let lpa in."""


@final
class RestConnection:
    """Sends requests to one address. A redirect is not followed: it would carry the token elsewhere.

    Args:
        address: such as ``http://127.0.0.1:8082``.
        token: is sent as ``Authorization: Bearer``, for a proxy that asks for one; empty for none.
        seconds: how long an answer may take, to its last byte.
    """

    def __init__(self, address: str, token: str = "", *, seconds: float = SECONDS) -> None:
        self.address = address.rstrip("/")
        self._seconds = seconds
        self._pool = urllib3.PoolManager(
            headers={"Authorization": f"Bearer {token}"} if token else None, retries=False, maxsize=1
        )

    def ask(self, method: str, path: str, expected: type[T], *, body: Any = None, seconds: float = 0, **more: Any) -> T:
        """Send a request, and return its answer as ``expected``.

        ``body`` is sent as JSON; ``seconds`` are allowed if they are more than usual; ``more`` is for urllib3, such as
        ``fields`` of a form.

        Raises FlinkUnavailable, FlinkError, FlinkAddressError.
        """
        if body is not None:
            more |= {"body": msgspec.json.encode(body), "headers": self._with_type("application/json")}
        what = f"{method} {self.address}{path.partition('?')[0]}"
        try:
            status, answer = self._exchange(method, path, what, max(seconds, self._seconds), more)
        except HTTPError as error:
            raise FlinkUnavailable(
                f"{what}: {_said(error)}: see that Flink's job manager runs and LPA_FLINK_ADDRESS names it"
            ) from None
        if not answer:
            raise FlinkUnavailable(f"{what}: no whole answer: see that Flink's job manager runs")
        if status >= 300:
            raise self._refused(status, answer, what)
        try:
            return msgspec.json.decode(answer, type=expected)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise FlinkAddressError(
                f"{what} returns what is not of Flink's REST ({_line(str(error))}): set LPA_FLINK_ADDRESS to the "
                "address of Flink 2's job manager"
            ) from None

    def _with_type(self, content_type: str) -> dict[str, str]:
        return {**self._pool.headers, "Content-Type": content_type}

    def _exchange(self, method: str, path: str, what: str, seconds: float, more: dict[str, Any]) -> tuple[int, bytes]:
        """Status and body. Every read has what is left of the time: a server that drips would hold it for ever."""
        deadline = time.monotonic() + seconds
        response = self._pool.request(
            method,
            self.address + path,
            redirect=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=min(5.0, seconds), read=seconds),
            **more,
        )
        try:
            body = bytearray()
            while chunk := response.read1(_CHUNK):
                body += chunk
                if len(body) > LARGEST:
                    raise FlinkAddressError(
                        f"{what} answers more than {LARGEST >> 20} MB, which Flink never does: see LPA_FLINK_ADDRESS"
                    )
                if time.monotonic() > deadline:
                    raise FlinkUnavailable(f"{what}: no whole answer within {seconds:g} s: try again")
            if 300 <= response.status < 400:
                raise FlinkAddressError(
                    f"{what} redirects to {_line(response.headers.get('Location', ''))}: set LPA_FLINK_ADDRESS to the "
                    "address that answers itself"
                )
            return response.status, bytes(body)
        finally:
            response.close()

    def _refused(self, status: int, answer: bytes, what: str) -> Exception:
        try:
            errors = msgspec.json.decode(answer, type=Failed).errors
        except (msgspec.DecodeError, UnicodeDecodeError):
            if status in _GATEWAY:
                return FlinkUnavailable(f"{what}: HTTP {status} of a proxy: see that Flink's job manager runs")
            return FlinkAddressError(
                f"{what}: HTTP {status}, which is not from Flink: see LPA_FLINK_ADDRESS, and LPA_FLINK_TOKEN if a "
                "proxy asks for a token"
            )
        said = _line(cause(errors[-1]) if errors else f"HTTP {status}")
        if status == 404:
            return FlinkNotFoundError(f"{what}: {said}: see `lpa flink status`")
        if status == 503:
            return FlinkUnavailable(f"{what}: {said}: the job manager is starting; try again")
        if _DRIVER_ENDED in said:
            return FlinkError(f"{what}: the job's program ended before the job began: the job manager's log says why")
        return FlinkError(f"{what}: {said}: the job manager's log says more")


def _line(text: str) -> str:
    line = printable(" ".join(text.split()))
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


def _said(error: HTTPError) -> str:
    reason = getattr(error, "reason", None) or error
    return _line(str(reason)).rpartition(": ")[2] or type(error).__name__
