"""docs/architecture.md: its diagrams are those of today's imports, and its walks name files that exist."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TOOL: Final = runpy.run_path(str(ROOT / "tools" / "import_diagram.py"))
PAGE: Final = (ROOT / "docs" / "architecture.md").read_text("utf-8")
WALKS: Final = re.findall(r"^### (A [^\n]+ way)\n(.*?)(?=^##)", PAGE, re.DOTALL | re.MULTILINE)
NAMED: Final = re.compile(r"`((?:[\w-]+/)*[\w-]+\.(?:py|sql))`")


def there(path: str) -> bool:
    """Whether one package has the file."""
    return any(ROOT.glob(f"packages/*/src/{path}"))


def test_the_diagrams_are_those_of_the_imports() -> None:
    assert TOOL["page_with"](TOOL["diagrams"](), PAGE) == PAGE, "to draw again: ./dev pages"


def test_an_arrow_is_left_out_only_if_a_longer_way_says_it() -> None:
    graph = {"a": {"b", "c", "d"}, "b": {"c"}, "c": set(), "d": set()}
    assert TOOL["reduced"](graph) == {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": set()}


def test_there_are_five_walks_and_each_leads_through_several_files() -> None:
    assert [name for name, _ in WALKS] == [
        "A record's way",
        "A fact's way",
        "A replayed record's way",
        "A health check's way",
        "A backup's way",
    ]
    assert all(len(set(NAMED.findall(text))) >= 7 for _, text in WALKS)


def test_every_file_that_the_page_names_exists() -> None:
    assert [path for path in NAMED.findall(PAGE) if "/" in path and not there(path)] == []


def test_a_walk_names_its_files_by_their_whole_path() -> None:
    assert [path for _, text in WALKS for path in NAMED.findall(text) if "/" not in path] == []
