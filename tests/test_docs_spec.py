"""docs/spec: every reference to a page of it, from code, tests and pages, names a page and a section that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from services.headings import anchors

from lpa_sinks.parity.assertions import assertions

ROOT: Final = Path(__file__).parents[1]
SPEC: Final = ROOT / "docs" / "spec"
PAGES: Final = {page.stem: page.read_text("utf-8") for page in sorted(SPEC.glob("*.md"))}
NUMBERS: Final = {name: set(re.findall(r"^#+ ([\d.]*\d)\.? ", text, re.MULTILINE)) for name, text in PAGES.items()}
"""Page -> numbers of its sections."""

READ: Final = ("*.md", "docs/**/*.md", "examples/**/*.md", "packages/**/*.py", "packages/**/*.sql", "tests/**/*.py")
OTHERS: Final = [
    path
    for pattern in READ
    for path in sorted(ROOT.glob(pattern))
    if SPEC not in path.parents and path != Path(__file__) and ".nox" not in path.parts
]

MENTION: Final = re.compile(r"(?<![\w-])(?:[\w./-]*/)?spec/([\w-]+)\.md")
NUMBER: Final = r"\d+(?:\.\d+)*"
SECTIONS: Final = rf"(?:[Ss]ection ({NUMBER})|[Ss]ections ({NUMBER}(?:(?:, and |, | and | to ){NUMBER})*))"
FULL: Final = re.compile(rf"(?<![\w/-])docs/spec/([\w-]+)\.md`? {SECTIONS}")
LINK: Final = re.compile(r"\]\((?:[./]*(?:docs/)?spec/)([\w-]+)\.md(?:#([\w-]+))?\)")


def plain(text: str) -> str:
    """The text in one line, without the marks of comments."""
    return " ".join(re.sub(r"^\s*(?:#|--)", "", text, flags=re.MULTILINE).split())


def numbers(found: tuple[str, ...]) -> list[str]:
    return re.findall(NUMBER, " ".join(found))


def broken(text: str) -> Iterator[str]:
    """Mentions of a page that lead nowhere."""
    text = plain(text)
    full, links = list(FULL.finditer(text)), list(LINK.finditer(text))
    resolved = [match.span() for match in (*full, *links)]
    for mention in MENTION.finditer(text):
        if not any(start <= mention.start() and mention.end() <= end for start, end in resolved):
            yield f"{mention[0]} without a section, or not as docs/spec/PAGE.md"
    for match in full:
        page, *sections = match.groups(default="")
        for number in numbers(tuple(sections)):
            if number not in NUMBERS.get(page, ()):
                yield f"{page}.md has no section {number}"
    for match in links:
        page, anchor = match.groups()
        if page not in PAGES or (anchor and anchor not in anchors(PAGES[page])):
            yield f"{match[0]} leads nowhere"


def test_every_reference_names_a_page_and_a_section_that_exist() -> None:
    texts = {path: path.read_text("utf-8") for path in OTHERS}
    referring = [path for path, text in texts.items() if MENTION.search(text)]
    assert len(referring) > 60, "the references were found"
    assert [f"{path.relative_to(ROOT)}: {what}" for path in referring for what in broken(texts[path])] == []


def test_a_section_that_a_module_names_later_is_one_of_the_pages_that_it_names_first() -> None:
    """Such as "section 5.2" in a module that says once that its rules are in docs/spec/lifecycle.md section 5."""
    wrong = []
    for path in OTHERS:
        text = plain(path.read_text("utf-8"))
        pages = {match[1] for match in FULL.finditer(text)}
        there = set().union(*(NUMBERS.get(page, set()) for page in pages)) if pages else set()
        named = [number for match in re.finditer(SECTIONS, text) for number in numbers(match.groups(default=""))]
        wrong += [f"{path.relative_to(ROOT)}: section {number}" for number in named if pages and number not in there]
    assert wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_refers_to_sections_that_exist(name: str) -> None:
    other = re.compile(rf"\]\(([\w-]+)\.md\) {SECTIONS}")
    wrong = []
    text = plain(PAGES[name])
    for match in other.finditer(text):
        page, *sections = match.groups(default="")
        wrong += [f"{page}.md section {each}" for each in numbers(tuple(sections)) if each not in NUMBERS[page]]
    for match in re.finditer(SECTIONS, FULL.sub("", other.sub("", text))):
        wrong += [f"section {each}" for each in numbers(match.groups(default="")) if each not in NUMBERS[name]]
    assert wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_links_of_a_page_lead_to_what_exists(name: str) -> None:
    for path, anchor in re.findall(r"\]\(([^)#\s]+)(?:#([\w-]+))?\)", PAGES[name]):
        target = (SPEC / path).resolve()
        assert target.exists(), path
        assert not anchor or anchor in anchors(target.read_text("utf-8")), f"{path}#{anchor}"


def test_sections_of_a_page_are_numbered_and_no_number_comes_twice() -> None:
    for name, text in PAGES.items():
        found = re.findall(r"^## (\d+)\. ", text, re.MULTILINE)
        assert found == [str(number) for number in range(1, len(found) + 1)], name
        assert found or name == "README"


def test_invariants_that_assertions_cover_are_those_of_the_page() -> None:
    section = PAGES["serving"].partition("\n## 10. ")[2].partition("\n## ")[0]
    told = {int(number) for number in re.findall(r"^(\d+)\. `", section, re.MULTILINE)}
    assert told == set(range(1, 80))
    covered = {number for assertion in assertions() for number in assertion.covers}
    assert covered
    assert covered <= told


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("see spec/events.md section 3", "spec/events.md without a section, or not as docs/spec/PAGE.md"),
        ("see docs/spec/events.md", "docs/spec/events.md without a section, or not as docs/spec/PAGE.md"),
        ("docs/spec/events.md section 3.99", "events.md has no section 3.99"),
        ("docs/spec/events.md\n# sections 3, 4\n# and 77", "events.md has no section 77"),
        ("docs/spec/nothing.md section 1", "nothing.md has no section 1"),
        ("[it](spec/serving.md#nowhere)", "](spec/serving.md#nowhere) leads nowhere"),
    ],
)
def test_a_broken_reference_is_found(text: str, fault: str) -> None:
    assert list(broken(text)) == [fault]
