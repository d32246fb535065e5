"""Who may read, and which requests come from a page of the console itself."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Collection
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final, final

from starlette.requests import Request
from starlette.responses import Response

from lpa_core.proxies import is_loopback
from lpa_core.uris import host_and_port
from lpa_ops.read_api.problem import ReadRefused
from lpa_ops.web.server import ServeError

COOKIE: Final = "lpa_console"
_SESSION_SECONDS: Final = 12 * 3600
_PORT: Final = re.compile(r":[0-9]*\Z")


def require_token(address: str, token: str) -> None:
    """Raise ServeError if other machines can reach the address and there is no token."""
    if not token and not is_loopback(host_and_port(address).host):
        raise ServeError(f"LPA_CONSOLE_ADDRESS={address} can be reached from other machines: set LPA_CONSOLE_TOKEN")


@final
class Access:
    """Knows the token, and signs what browsers are given. A restart of the console ends all logins."""

    def __init__(
        self, token: str, hosts: Collection[str], secret: bytes, clock: Callable[[], float] = time.time
    ) -> None:
        """``token`` is empty if everybody on this machine may read; ``hosts`` are names in lower case."""
        self.needs_login = bool(token)
        self._token, self._hosts, self._secret, self._clock = token, frozenset(hosts), secret, clock

    def require_host(self, host: str) -> None:
        """Raise ReadRefused unless the Host header names this console.

        A foreign page can have its own name lead here, never an address or localhost.
        """
        name = _PORT.sub("", host).strip("[]").rstrip(".").lower()
        if name in self._hosts or is_loopback(name) or _is_address(name):
            return
        raise ReadRefused(
            HTTPStatus.MISDIRECTED_REQUEST, "this host name is not known here: LPA_CONSOLE_HOSTS says which names are"
        )

    def is_signed_in(self, request: Request) -> bool:
        if not self.needs_login:
            return True
        until, _, signature = request.cookies.get(COOKIE, "").partition(".")
        return (
            hmac.compare_digest(signature.encode(), self._signed(f"login {until}").encode())
            and until.isdecimal()
            and int(until) > self._clock()
        )

    def require_login(self) -> None:
        """Raise ReadRefused if there is no token, so that nobody who changes something has logged in."""
        if not self.needs_login:
            raise ReadRefused(
                HTTPStatus.FORBIDDEN,
                "this console only reads: start it with LPA_CONSOLE_TOKEN and log in, or use the command of the page",
            )

    def sign_in(self, token: str, response: Response, *, secure: bool) -> None:
        """Give the browser a cookie. Raises ReadRefused if the token is another one."""
        if not hmac.compare_digest(token.strip().encode(), self._token.encode()):
            raise ReadRefused(HTTPStatus.FORBIDDEN, "this is not the token of LPA_CONSOLE_TOKEN: enter it again")
        until = int(self._clock()) + _SESSION_SECONDS
        response.set_cookie(
            COOKIE,
            f"{until}.{self._signed(f'login {until}')}",
            max_age=_SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=secure,
        )

    def form_token(self, request: Request) -> str:
        """What a form of this browser's pages carries: a foreign page cannot read it."""
        return self._signed(f"form {request.cookies.get(COOKIE, '')}")

    def require_own_form(self, request: Request, form_token: str) -> None:
        """Raise ReadRefused unless a page of the console posted this."""
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
            raise ReadRefused(HTTPStatus.FORBIDDEN, "this was posted by a page of another site")
        if not hmac.compare_digest(form_token.encode(), self.form_token(request).encode()):
            raise ReadRefused(
                HTTPStatus.FORBIDDEN, "this form is from an earlier run of `lpa console`: load the page again"
            )

    def _signed(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
