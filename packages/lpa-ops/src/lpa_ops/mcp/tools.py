"""All tools, in the order in which agents see them."""

from __future__ import annotations

from typing import Any, Final

from lpa_ops.mcp import documentation, reading, recovering, replaying
from lpa_ops.mcp.tool import Tool

TOOLS: Final[tuple[Tool[Any], ...]] = (
    *reading.TOOLS,
    *replaying.TOOLS,
    *recovering.TOOLS,
    *documentation.TOOLS,
)
