"""Headings of a page, as links name them."""

from __future__ import annotations

import re


def anchors(page: str) -> set[str]:
    """Names of the anchors of a page's headings, as forges make them."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
