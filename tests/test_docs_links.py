"""Every link between pages leads to a file, and to a heading of it if it names one; the docs site has every page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from services.headings import anchors

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
PAGES: Final = {
    str(path.relative_to(ROOT)): path
    for pattern in ("*.md", "docs/**/*.md", "examples/*/*.md", "packages/*/*.md")
    for path in sorted(ROOT.glob(pattern))
}
FENCED: Final = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_and_headings_that_exist(name: str) -> None:
    page = PAGES[name]
    prose = FENCED.sub("", page.read_text("utf-8"))
    for path, anchor in re.findall(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)", prose):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target.read_text("utf-8")), f"{path}#{anchor}"


def test_the_site_has_every_page() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    listed = [line for block in re.findall(r"^```\{toctree\}\n(.*?)^```$", index, re.DOTALL | re.MULTILINE)
              for line in block.splitlines() if line and not line.startswith(":")]  # fmt: skip
    shown = {page for line in listed for page in DOCS.glob(f"{line}.md")}
    assert [line for line in listed if not list(DOCS.glob(f"{line}.md"))] == []
    assert set(DOCS.rglob("*.md")) - shown == {DOCS / "index.md"}
