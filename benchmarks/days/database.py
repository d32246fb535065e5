"""Where days are made."""

from __future__ import annotations

from typing import Final

DATABASE: Final = "views"
DAY: Final = 86_400
