"""What a trace is asked about: positions in the forms that lpa prints, and ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.errors import UsageError
from lpa_core.records import Position
from lpa_ops.trace.subject import TraceSubject, position_of

TOPICS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text.strip(" "))


@given(TOPICS, st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1))
def test_every_form_in_which_a_position_is_printed_is_read_back(topic: str, partition: int, offset: int) -> None:
    position = Position(topic, partition, offset)
    for text in (f"{topic}/{partition}/{offset}", str(position), f"{topic}:{partition}:{offset}"):
        assert position_of(text) == position


@pytest.mark.parametrize(
    "text",
    [
        "e1",
        "stream|request",
        "topic/0",
        "topic/0/-1",
        "topic/0/1x",
        "/0/1",
        "topic/4294967296/1",
        f"t/0/{2**63}",
        "0/1",
    ],
)
def test_anything_else_is_an_id(text: str) -> None:
    subject = TraceSubject.of(f" {text} ")
    assert (subject.position, subject.id) == (None, text)


def test_a_session_has_two_halves() -> None:
    assert TraceSubject.of("s|r").stream_and_request == ("s", "r")
    assert TraceSubject.of("s").stream_and_request == ("s", "")
    assert TraceSubject.of("|r").stream_and_request == ("|r", "")


def test_nothing_to_look_for_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="the id is empty"):
        TraceSubject.of("  ")


@pytest.mark.parametrize("text", ["\udcff", "streaming_events\ud800/0/1"])
def test_what_is_not_utf_8_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="is not UTF-8"):
        TraceSubject.of(text)
