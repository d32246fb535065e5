"""The docs for language models: llms.txt has every page once, and its links lead to pages that are written."""

from __future__ import annotations

import re
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_page_is_listed_once_and_written(tmp_path: Path) -> None:
    spec = spec_from_file_location("llms", ROOT / "tools" / "site" / "llms.py")
    assert spec
    assert spec.loader
    llms = module_from_spec(spec)
    spec.loader.exec_module(llms)
    llms.write(tmp_path)
    title, summary, *sections = (tmp_path / "llms.txt").read_text().rstrip("\n").split("\n\n")
    assert re.fullmatch(r"# \S.*", title)
    assert re.fullmatch(r"> \S.*", summary)
    headings, lists = sections[::2], sections[1::2]
    assert headings == ["## Start", "## Use", "## Extend", "## Understand", "## Optional"]
    entries = [
        re.fullmatch(r"- \[([^]]+)\]\(([^)]+)\)(?:: \S.*)?", line) for each in lists for line in each.split("\n")
    ]
    assert None not in entries
    listed = Counter(entry[2] for entry in entries if entry)
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")} - {"index.md"}
    assert listed == Counter(pages)
    for page in pages:
        assert (tmp_path / page).read_bytes() == (ROOT / "docs" / page).read_bytes()


def test_the_docs_session_writes_them() -> None:
    assert 'session.run("python", "tools/site/llms.py", "site")' in (ROOT / "noxfile.py").read_text()
