"""Which HTTP proxy of the environment stands between here and an address. This machine is reached without any."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple

from lpa_core.uris import masked

_LOOPBACK: Final = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1")
"""Names and networks of this machine: clients read a network, or only names, or both."""
_EXCEPTIONS: Final = ("no_proxy", "NO_PROXY")


class Proxy(NamedTuple):
    """A proxy that is in effect: the variable that names it, and its address, which may hold a login."""

    variable: str
    address: str

    def __str__(self) -> str:
        return f"{self.variable}={masked(self.address)}"


def proxy_for(scheme: str, host: str, port: int, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy in the environment that requests to an address go through; None if they go straight there.

    As curl does it: ``http_proxy`` or ``https_proxy``, else ``all_proxy``, each in small letters first; but not for
    what ``no_proxy`` names (a host, a domain with all below it, a network such as ``10.0.0.0/8``, ``*``).
    """
    environment = os.environ if environment is None else environment
    if is_loopback(host) or _excepted(host, port, _first(environment, *_EXCEPTIONS)[1]):
        return None
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable, address = _first(environment, name, name.upper())
        if address:
            return Proxy(variable, address if "://" in address else f"http://{address}")
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: ``localhost``, ``127.0.0.0/8`` or ``::1``."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def reach_loopback_directly() -> None:
    """Name this machine in ``NO_PROXY``, for libraries that read the environment themselves.

    Does nothing if no proxy is named. To be called before such a library makes its client.
    """
    if not any(name.lower() in ("http_proxy", "https_proxy", "all_proxy") and os.environ[name] for name in os.environ):
        return
    written = ",".join(os.environ.get(variable, "") for variable in _EXCEPTIONS)
    named = dict.fromkeys(part.strip() for part in written.split(",") if part.strip())
    if "*" not in named:
        named |= dict.fromkeys(_LOOPBACK)
    for variable in _EXCEPTIONS:  # libraries differ in which of the two they read
        os.environ[variable] = ",".join(named)


def _first(environment: Mapping[str, str], *names: str) -> tuple[str, str]:
    """The first of the variables that is not empty, and its value."""
    return next(((name, value) for name in names if (value := environment.get(name, "").strip())), ("", ""))


def _excepted(host: str, port: int, exceptions: str) -> bool:
    name = host.strip("[]").rstrip(".").lower()
    return any(_covers(part.strip().lower(), name, port) for part in exceptions.split(","))


def _covers(exception: str, host: str, port: int) -> bool:
    if exception == "*":
        return True
    try:
        network = ip_network(exception.strip("[]"), strict=False)
        return ip_address(host) in network
    except ValueError:
        pass
    name, _, only_port = exception.rpartition(":") if exception.count(":") == 1 else (exception, "", "")
    if only_port and only_port != str(port):
        return False
    name = name.strip("[]").removeprefix("*").lstrip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))
