"""docs/glossary.md: each word once, in one short sentence, in use, with a page that tells more."""

import re
from pathlib import Path

import pytest
from services.headings import anchors
from services.help_texts import help_texts

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "glossary.md"
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| \[[^]]+\]\(([^)]+)\) \|$", PAGE.read_text(), re.MULTILINE)
WORDS = [word for word, _, _ in ROWS]


def test_every_line_of_the_table_is_read() -> None:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    assert len(ROWS) == len(lines) - len(["head", "rule"]) > 30


def test_words_are_in_alphabetical_order_and_none_comes_twice() -> None:
    assert sorted(set(WORDS)) == WORDS


@pytest.mark.parametrize(("word", "meaning"), [row[:2] for row in ROWS])
def test_a_meaning_is_short_and_ends_like_a_sentence(word: str, meaning: str) -> None:
    assert len(meaning.split()) <= 25
    assert meaning[0].isupper()
    assert meaning.endswith(".")


def test_every_word_is_used_elsewhere() -> None:
    """In another page or in the help of a command."""
    pages = [page.read_text() for page in DOCS.rglob("*.md") if page != PAGE]
    used = " ".join(" ".join([*pages, *help_texts().values()]).lower().split())
    assert [word for word in WORDS if not re.search(rf"\b{word}(?:s|es)?\b", used)] == []


@pytest.mark.parametrize("link", sorted({link for _, _, link in ROWS}))
def test_a_link_leads_to_a_page_and_a_section(link: str) -> None:
    path, _, section = link.partition("#")
    page = (PAGE.parent / path).resolve()
    assert page.is_file()
    assert not section or section in anchors(page.read_text())
