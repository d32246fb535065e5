"""Damaged tables that a recovery keeps under another name, for people to look at."""

from __future__ import annotations

import re
import time
from typing import Final

_NAME: Final = re.compile(r".+__damaged_\d{8}T\d{6}")


def suffix() -> str:
    """What is put behind the names of tables that are set aside now."""
    return f"__damaged_{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"


def is_set_aside(table: str) -> bool:
    """Whether the table is none of the database's own any more: backups leave it out, nobody reads it."""
    return _NAME.fullmatch(table) is not None
