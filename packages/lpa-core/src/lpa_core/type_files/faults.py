"""What is wrong with files of event types."""

from __future__ import annotations

from pathlib import Path
from typing import final

import attrs

from lpa_core.errors import ConfigurationError


@final
@attrs.frozen(slots=True)
class DeclarationFault:
    """One thing that is wrong, and what to do. ``line`` is 0 if it is about the whole file."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


class EventTypesError(ConfigurationError):
    """Files of event types cannot be used. The message has a line for each fault."""
