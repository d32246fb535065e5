"""Lists and text for people: nothing is cut, and nothing in data changes how it is shown."""

from __future__ import annotations

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lpa_core.commands.consent import confirmed
from lpa_core.commands.listing import ListColumn, print_block, print_list, print_paragraph
from lpa_core.commands.output import print_json
from lpa_core.printable import printable

WORDS = st.text(st.characters(exclude_categories=["Z", "C", "M"]), min_size=1, max_size=60)
CELLS = st.lists(WORDS, max_size=4).map(" ".join)


def shown(columns: int) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=columns, highlight=False, markup=False, emoji=False), file


@given(st.text())
def test_no_character_is_shown_that_does_not_print_or_turns_others(text: str) -> None:
    safe = printable(text)
    assert safe.isprintable()
    assert not {unicodedata.bidirectional(each) for each in safe} & {"LRE", "RLE", "LRO", "RLO", "LRI", "RLI", "FSI"}
    if text.isprintable():
        assert safe == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_does_not_print_is_escaped(text: str, safe: str) -> None:
    assert printable(text) == safe


@given(st.lists(st.tuples(WORDS, CELLS, CELLS), max_size=5), st.integers(20, 130))
def test_a_list_holds_every_word_whole_at_any_width(rows: list[tuple[str, str, str]], columns: int) -> None:
    console, file = shown(columns)
    print_list(console, ("name", "[bold]value[/bold]", ListColumn("why", prose=True)), rows)
    for row in rows:
        for word in " ".join(row).split():
            assert word in file.getvalue()


@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=15), CELLS), max_size=5
    )
)
def test_a_list_is_no_wider_than_the_console_but_for_one_long_word(rows: list[tuple[str, str]]) -> None:
    console, file = shown(80)
    print_list(console, ("name", ListColumn("why", prose=True)), rows)
    for line in file.getvalue().splitlines():
        assert len(line) <= 80 or len(line.split()[-1]) > 40


def test_rows_that_do_not_fit_are_named_on_a_line_of_their_own() -> None:
    console, file = shown(40)
    rows = [("s3://a-bucket/with/a/long/prefix/backup-1", "full", ""), ("short", "", "lost")]
    print_list(console, ("location", "kind", "problem"), rows)
    assert file.getvalue() == ("s3://a-bucket/with/a/long/prefix/backup-1\n  kind: full\nshort\n  problem: lost\n")


def test_a_block_leaves_out_what_is_empty() -> None:
    console, file = shown(30)
    print_block(console, "dlq_rate", [("value", "0.1"), ("see", ""), ("to do", "look at what was rejected")])
    assert file.getvalue() == "dlq_rate\n  value  0.1\n  to do  look at what was\n         rejected\n"


def test_markup_in_text_stays_text() -> None:
    console, file = shown(80)
    print_paragraph(console, "[red]:smile:[/red]")
    assert file.getvalue() == "[red]:smile:[/red]\n"


def test_json_on_a_standard_output_that_lacks_characters_is_the_same_json(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"späces": ["\U0001f600", "\u2028", '"']}
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))
    print_json(value)
    assert json.loads(written.getvalue()) == value


@pytest.mark.parametrize(
    ("terminal", "yes", "answer", "agreed"),
    [(False, False, "n", True), (True, True, "n", True), (True, False, "y", True), (True, False, "", False)],
)
def test_only_a_person_is_asked(
    terminal: bool,
    yes: bool,
    answer: str,
    agreed: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("builtins.input", lambda: answer)
    assert confirmed(["All of it goes."], "Remove?", yes=yes) is agreed
    asked = "All of it goes.\nRemove? [y/N] " if terminal and not yes else ""
    assert capsys.readouterr() == ("", asked)
