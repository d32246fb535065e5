"""The tap of a worker as the admin endpoint offers it."""

from __future__ import annotations

from typing import final

import msgspec

from lpa_core.admin.job import TapRefused
from lpa_core.delivery.tap import Tap
from lpa_core.delivery.tap_messages import TapRequest


@final
class AdminTap:
    """Reads requests and writes answers as JSON (:class:`lpa_core.admin.job.JobTap`)."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap

    def open(self, request: bytes) -> str:
        try:
            return self._tap.open(msgspec.json.decode(request or b"{}", type=TapRequest))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise TapRefused(f"the body cannot be used: {error}") from None

    def take(self, tap_id: str) -> bytes | None:
        found = self._tap.take(tap_id)
        return None if found is None else msgspec.json.encode(found)

    def close(self, tap_id: str) -> None:
        self._tap.close(tap_id)
