"""The version of what the job keeps in Flink's state."""

from __future__ import annotations

from typing import Final

STATE_VERSION: Final = 1
"""Of the operators' uids and the bytes that they keep: a job of another one cannot begin with this state."""
