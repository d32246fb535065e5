"""Who may read, and which requests come from a page of the console itself."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
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

_COOKIE: Final = "lpa_console"
_SESSION_SECONDS: Final = 12 * 3600
_PORT: Final = re.compile(r":([0-9]*)\Z")


def require_token(address: str, token: str) -> None:
    """Raise ServeError if other machines can reach the address and there is no token."""
    if not token and not is_loopback(host_and_port(address).host):
        raise ServeError(f"LPA_CONSOLE_ADDRESS={address} can be reached from other machines: set LPA_CONSOLE_TOKEN")


@final
class Access:
    """Knows the token, and signs what browsers are given. A restart of the console ends all logins.

    One thread signs browsers in and out; any may ask who is signed in.
    """

    def __init__(
        self, token: str, hosts: Collection[str], secret: bytes, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            token: empty if everybody on this machine may read.
            hosts: names in lower case.
            clock: gives seconds, and is never set.
        """
        self.needs_login = bool(token)
        self._token, self._hosts, self._secret, self._clock = token, frozenset(hosts), secret, clock
        self._ended: dict[str, int] = {}

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
        return not self.needs_login or self._login_of(request) is not None

    def require_login(self) -> None:
        """Raise ReadRefused if there is no token, so that nobody who changes something has logged in."""
        if not self.needs_login:
            raise ReadRefused(
                HTTPStatus.FORBIDDEN,
                "this console only reads: start it with LPA_CONSOLE_TOKEN and log in, or use the command of the page",
            )

    def sign_in(self, token: str, request: Request, response: Response, *, secure: bool) -> None:
        """Give the browser a cookie in place of the one it has. Raises ReadRefused if the token is another one."""
        if not hmac.compare_digest(token.strip().encode(), self._token.encode()):
            raise ReadRefused(HTTPStatus.FORBIDDEN, "this is not the token of LPA_CONSOLE_TOKEN: enter it again")
        self._end(request)
        login = f"{int(self._clock()) + _SESSION_SECONDS}-{secrets.token_hex(16)}"
        response.set_cookie(
            cookie_name(request),
            f"{login}.{self._signed(f'login {login}')}",
            max_age=_SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=secure,
        )

    def sign_out(self, request: Request, response: Response) -> None:
        """End the browser's login: its cookie is worth nothing any more, also as a copy."""
        self._end(request)
        response.delete_cookie(cookie_name(request))

    def form_token(self, request: Request) -> str:
        """What a form of this browser's pages carries: a foreign page cannot read it."""
        return self._signed(f"form {request.cookies.get(cookie_name(request), '')}")

    def require_own_form(self, request: Request, form_token: str) -> None:
        """Raise ReadRefused unless a page of the console posted this."""
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
            raise ReadRefused(HTTPStatus.FORBIDDEN, "this was posted by a page of another site")
        if not hmac.compare_digest(form_token.encode(), self.form_token(request).encode()):
            raise ReadRefused(
                HTTPStatus.FORBIDDEN, "this form is from an earlier run of `lpa console`: load the page again"
            )

    def _login_of(self, request: Request) -> str | None:
        """The login that the browser's cookie names, while it lasts."""
        login, _, signature = request.cookies.get(cookie_name(request), "").partition(".")
        if not hmac.compare_digest(signature.encode(), self._signed(f"login {login}").encode()):
            return None
        return login if login not in self._ended and _end_of(login) > self._clock() else None

    def _end(self, request: Request) -> None:
        login, now = self._login_of(request), self._clock()
        if login is not None:
            self._ended = {each: until for each, until in self._ended.items() if until > now}
            self._ended[login] = _end_of(login)

    def _signed(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def cookie_name(request: Request) -> str:
    """With the port that the browser knows: it sends a cookie to all ports of a name, and each may be a console."""
    port = _PORT.search(request.headers.get("host", ""))
    return f"{_COOKIE}_{port[1]}" if port and port[1] else _COOKIE


def _end_of(login: str) -> int:
    return int(login.partition("-")[0])


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
