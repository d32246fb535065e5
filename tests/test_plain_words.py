"""People read plain words: no page, help, message or docstring has a banned one."""

import re

import pytest
from plain_words import BANNED, ROOT, banned_in, found, texts
from services.help_texts import help_texts


def test_help_has_no_banned_word() -> None:
    texts = help_texts()
    assert len(texts) > 40, "the commands of all packages"
    assert {command: banned for command, text in texts.items() if (banned := banned_in(text))} == {}


def test_no_page_docstring_or_message_has_a_banned_word() -> None:
    read = [place for place, _ in texts()]
    for kind, least in {".md": 90, ": docstring": 2_000, ": text": 2_000}.items():
        assert sum(place.endswith(kind) for place in read) > least
    assert found() == {}


def test_sentences_of_the_first_page_have_at_most_twenty_words() -> None:
    prose = re.sub(r"^```.*?^```$", "", (ROOT / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE)
    paragraphs = re.split(r"\n\n|^[-|] ", prose, flags=re.MULTILINE)
    sentences = [part for text in paragraphs for part in re.split(r"(?<=[.:!?])\s", " ".join(text.split()))]
    assert len(sentences) > 30
    assert [sentence for sentence in sentences if len(sentence.split()) > 20] == []


@pytest.mark.parametrize("name", BANNED)
def test_what_is_written_instead_is_not_banned(name: str) -> None:
    assert banned_in(BANNED[name].instead, docstring=True) == {}


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("it is folded\n    anew, Anew", {"anew": 2}),
        ("was broken\noff; broken-off", {"broken off": 2}),
        ("the facts are behind", {}),
        ("there is no such file, and it is no longer needed", {}),
        ("renewed, manewed", {}),
        ("None where\nit is; Raises LpaError, ValueError where it is", {"where, for if": 2}),
        ("the place where it lies", {}),
        ("and answer how many; the answer of Kafka", {"answer, for return": 1}),
    ],
)
def test_words_are_found_however_lines_break_and_only_whole(text: str, times: dict[str, int]) -> None:
    assert banned_in(text) == times


def test_a_docstring_does_not_begin_with_answer() -> None:
    assert banned_in("Answer rows.", docstring=True) == {"answer, first": 1}
    assert banned_in("Wait for the answers.", docstring=True) == banned_in("Answer rows.") == {}
