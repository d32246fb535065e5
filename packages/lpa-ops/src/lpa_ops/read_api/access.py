"""Who may read."""

from __future__ import annotations

from typing import Final

from lpa_core.proxies import is_loopback
from lpa_core.uris import host_and_port
from lpa_ops.web.server import ServeError

ANYBODY: Final = "anybody"
"""Stands for a token where everybody may read."""


def token_of(address: str, token: str) -> str:
    """What a request has to send, empty if anybody may read.

    Raises ServeError if other machines can reach the address and nobody said who may read.
    """
    if not token and not is_loopback(host_and_port(address).host):
        raise ServeError(
            f"LPA_SERVE_ADDRESS={address} can be reached from other machines: set LPA_SERVE_TOKEN, "
            f"or LPA_SERVE_TOKEN={ANYBODY} if anybody may read"
        )
    return "" if token == ANYBODY else token
