"""A decision record has a number, a date, a status, and one paragraph each for context, decision and consequence."""

import re
from datetime import date
from pathlib import Path

import pytest

DECISIONS = Path(__file__).parents[1] / "docs" / "decisions"
RECORDS = sorted(DECISIONS.glob("*.md"))
PARAGRAPHS = ["Context", "Decision", "Consequence"]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_record_has_its_form(record: Path) -> None:
    title, status, *paragraphs = record.read_text().split("\n\n")
    assert re.fullmatch(rf"# {record.name[:4]} \S.*", title)
    day, state = status.split(", ", maxsplit=1)
    assert date.fromisoformat(day)
    replaced = re.fullmatch(r"replaced by \[\d{4}\]\((\S+)\)\.", state)
    assert state == "in force." or (replaced and (DECISIONS / replaced[1]).exists())
    first_words = [paragraph.split(":")[0] for paragraph in paragraphs]
    assert [words for words in first_words if words in PARAGRAPHS] == PARAGRAPHS


def test_a_number_names_one_record() -> None:
    assert len(RECORDS) > 60
    assert len({record.name[:4] for record in RECORDS}) == len(RECORDS)
