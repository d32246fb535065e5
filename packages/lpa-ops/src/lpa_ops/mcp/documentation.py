"""Tools that read the documentation, which the package holds: what a check's result means, and what to do."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Final, final

from msgspec import Meta

from lpa_core.errors import UsageError
from lpa_ops.mcp.tool import Arguments, Tool, ToolSources

_FOLDERS: Final = ("", "operations/", "quality/")
"""Pages about what lpa does and how it is operated. How it is built and why is in the repository only."""
_HEADING: Final = re.compile(r"^(#{1,6}) +(.+?) *$", re.MULTILINE)
_BLOCK: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_NOT_IN_ANCHOR: Final = re.compile(r"[^\w\- ]")


@final
class PagesArguments(Arguments, frozen=True):
    """No arguments."""


@final
class PageArguments(Arguments, frozen=True):
    page: Annotated[
        str,
        Meta(
            description="Path of a page, with # and a section's name for that section only, such as "
            "docs/operations/health.md#dlq-rate.",
            min_length=1,
        ),
    ]


@cache
def _folder() -> Traversable:
    return files(__package__).joinpath("docs")


@cache
def page_names() -> tuple[str, ...]:
    """Paths of all pages, below ``docs``."""
    found = [
        f"{folder}{each.name}"
        for folder in _FOLDERS
        for each in _folder().joinpath(folder).iterdir()
        if each.is_file() and each.name.endswith(".md")
    ]
    return tuple(sorted(found))


@cache
def page_text(name: str) -> str:
    return _folder().joinpath(name).read_text(encoding="utf-8")


def section_of(text: str, anchor: str) -> str:
    """The section that an anchor leads to, with those below it; empty if there is none."""
    code = [found.span() for found in _BLOCK.finditer(text)]
    headings = [each for each in _HEADING.finditer(text) if not any(begin <= each.start() < end for begin, end in code)]
    for number, heading in enumerate(headings):
        if _anchor(heading[2]) == anchor:
            following = (each.start() for each in headings[number + 1 :] if len(each[1]) <= len(heading[1]))
            return text[heading.start() : next(following, len(text))].rstrip() + "\n"
    return ""


def _anchor(heading: str) -> str:
    """As forges make it of a heading."""
    return _NOT_IN_ANCHOR.sub("", heading.lower()).replace(" ", "-")


def _pages(sources: ToolSources, arguments: PagesArguments) -> dict[str, Any]:
    titles = {name: next((found[2] for found in _HEADING.finditer(page_text(name))), name) for name in page_names()}
    return {"pages": [{"page": f"docs/{name}", "title": title} for name, title in titles.items()]}


def _page(sources: ToolSources, arguments: PageArguments) -> dict[str, Any]:
    path, _, anchor = arguments.page.partition("#")
    name = posixpath.normpath(path.strip().removeprefix("docs/"))
    if name not in page_names():
        raise UsageError(f"page={path}: there is no such page: `pages` lists them")
    text = page_text(name)
    if anchor:
        text = section_of(text, anchor)
        if not text:
            raise UsageError(f"page={arguments.page}: the page has no such section: ask for docs/{name}")
    return {"page": f"docs/{name}{'#' if anchor else ''}{anchor}", "text": text}


TOOLS: Final[tuple[Tool[Any], ...]] = (
    Tool("pages", "The pages of lpa's documentation, with their titles.", PagesArguments, _pages, trusted=True),
    Tool(
        "page",
        "The text of a page of the documentation, or of one section: what a check means, how to recover, what a table "
        "holds.",
        PageArguments,
        _page,
        trusted=True,
    ),
)
