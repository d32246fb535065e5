"""This machine and this process: clock, time zone, limits, proxies, the port of the admin endpoint."""

from __future__ import annotations

import os
import resource
import socket
import time
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from lpa_core.admin.server import require_free
from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.health.check import Finding, NotApplicable
from lpa_core.release import require_clock, shown
from lpa_core.settings.thresholds import State
from lpa_core.uris import masked

_FEWEST_FILES: Final = 1_024
"""What most systems begin with; claims and databases keep some hundred open."""
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def _clock(start: PlannedStart) -> Finding:
    now = require_clock(time.time_ns() // 1_000_000)
    return Finding(State.OK, f"the clock says {shown(now)}")


def _time_zone(start: PlannedStart) -> Finding:
    named = os.environ.get("TZ", "").removeprefix(":")
    offset = time.strftime("%Z (%z)")
    if named and not named.startswith("/"):
        try:
            ZoneInfo(named)
        except (KeyError, OSError, ValueError):
            if not any(character.isdigit() for character in named):  # such as CET-1CEST, which names no file
                return Finding(
                    State.WARNING,
                    f"TZ={named} names no time zone that is installed: times count as UTC",
                    action="set TZ to a zone such as UTC or Europe/Berlin, or install tzdata",
                )
    return Finding(State.OK, f"{offset}; lpa stores and shows UTC, whatever the zone of the process")


def _file_limits(start: PlannedStart) -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = soft == resource.RLIM_INFINITY
    if not unlimited and soft < _FEWEST_FILES:
        return Finding(
            State.CRITICAL,
            f"this process may have {soft:,} files and connections open, {_FEWEST_FILES:,} are needed",
            action="raise its limit: `ulimit -n`, LimitNOFILE= of a service, --ulimit nofile= of a container",
        )
    return Finding(State.OK, f"this process may have {'any number of' if unlimited else f'{soft:,}'} files open")


def _proxies(start: PlannedStart) -> Finding:
    found = {
        name: os.environ[name] for base in _PROXIES for name in (base, base.lower()) if os.environ.get(name, "").strip()
    }
    if not found:
        return Finding(State.OK, "the environment names no proxy")
    told = ", ".join(f"{name}={masked(value)}" for name, value in found.items())
    return Finding(
        State.OK,
        f"{told}: for ClickHouse and object stores elsewhere, never for Kafka and Redis",
    )


def _admin_address(start: PlannedStart) -> Finding:
    address = start.settings.lpa.admin_address
    if start.source not in (None, "") and not start.kafka:
        raise NotApplicable("a job that reads a file has no admin endpoint")
    if _is_ours(address):
        return Finding(State.OK, f"{address}: a running job of lpa has it; another one needs an address of its own")
    require_free(address)
    return Finding(State.OK, f"{address} is free")


def _is_ours(address: str) -> bool:
    """Whether a job of lpa answers at the address."""
    parts = urlsplit(f"//{address}")
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), 2) as connection:
            connection.settimeout(2)
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return b"\r\nServer: lpa" in connection.recv(4096)
    except OSError:
        return False


CHECKS: Final = (
    StartCheck("clock", "Clock", _clock),
    StartCheck("time_zone", "Time zone", _time_zone),
    StartCheck("file_limits", "Open files", _file_limits),
    StartCheck("proxies", "Proxies", _proxies),
    StartCheck("admin_address", "Address of the admin endpoint", _admin_address),
)
