"""The audit log: a line of JSON for each call of a tool."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

import msgspec

from lpa_core.errors import ConfigurationError
from lpa_core.printable import printable
from lpa_core.uris import masked

_MOST_CHARACTERS: Final = 4_096
"""Of one argument."""


@final
class AuditLog:
    """Appends to a file that only its user can read. Several threads, and several servers, may share it."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigurationError if it cannot be written: nothing is done that is not written down."""
        self.path = path
        self._turn = threading.Lock()
        self._append(b"")

    def write(self, **line: Any) -> None:
        """Append a line with the time. Texts are masked: no user, password or query of an address is kept.

        Raises ConfigurationError.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._append(msgspec.json.encode({"time": now, **_kept(line)}) + b"\n")

    def _append(self, line: bytes) -> None:
        try:
            with self._turn:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    if os.write(file, line) < len(line):
                        raise OSError(0, "the disk is full")
                finally:
                    os.close(file)
        except OSError as error:
            raise ConfigurationError(
                f"{self.path}: the audit log cannot be written ({error.strerror}): set LPA_MCP_AUDIT to a file that can"
            ) from None


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        return masked(printable(value[:_MOST_CHARACTERS]))
    if isinstance(value, dict):
        return {_kept(str(name)): _kept(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_kept(each) for each in value]
    return value
