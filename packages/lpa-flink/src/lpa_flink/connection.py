"""Flink as the settings name it."""

from __future__ import annotations

from typing import Final

from lpa_core.settings.settings import Settings
from lpa_flink.rest import ATTEMPTS, FlinkClient
from lpa_flink.rest_connection import SECONDS, RestConnection

DEFAULT_ADDRESS: Final = "http://127.0.0.1:8092"
"""Beside 8081 and 8082 of workers and materializers, 8090 of the read API, 8091 of the console, and 8093 of the
tools for agents."""


def flink_client(settings: Settings, *, attempts: int = ATTEMPTS, seconds: float = SECONDS) -> FlinkClient:
    """``seconds`` is how long an answer may take, and what reads is tried so often."""
    flink = settings.lpa_flink
    return FlinkClient(
        RestConnection(flink.address or DEFAULT_ADDRESS, flink.token, seconds=seconds), attempts=attempts
    )
