"""Several input topics: which, whose events they hold, and where reading them begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpa_core.settings.loading import SettingsError, load
from lpa_core.settings.settings_file import SETTINGS_FILE


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(environment: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(environment)
    return str(refused.value).splitlines()


def test_a_list_of_topics_wins_over_one_topic() -> None:
    assert load({"QUALITY_INPUT_TOPIC": "one"}).quality.topics == ("one",)
    quality = load({"QUALITY_INPUT_TOPIC": "one", "QUALITY_INPUT_TOPICS": "two, three"}).quality
    assert quality.topics == ("two", "three")


def test_without_a_map_no_event_has_an_org() -> None:
    orgs = load({"QUALITY_INPUT_TOPICS": "a,b"}).quality.orgs
    assert [orgs.of("a"), orgs.of("another")] == ["", ""]


def test_a_topic_that_a_map_does_not_name_holds_events_of_unknown() -> None:
    orgs = load({"QUALITY_INPUT_TOPICS": "a,b,c", "QUALITY_TOPIC_ORG_MAP": "a = one, b="}).quality.orgs
    assert [orgs.of("a"), orgs.of("b"), orgs.of("c"), orgs.of("a-file.jsonl")] == ["one", "", "unknown", "unknown"]


def test_a_topic_is_read_from_its_beginning_unless_its_end_is_asked_for() -> None:
    quality = load({"QUALITY_INPUT_TOPICS": "a,b,c", "QUALITY_TOPIC_RESET_STRATEGY_MAP": "a=latest,b=earliest"}).quality
    assert quality.topics_from_their_end == {"a"}


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("QUALITY_INPUT_TOPICS", "a,b,a", "topic names, comma separated, each once"),
        ("QUALITY_INPUT_TOPICS", "a,b/c", "topic names, comma separated, each once"),
        ("QUALITY_TOPIC_ORG_MAP", "a=one,a=two", "topic=org, comma separated, each topic once; an org is"),
        ("QUALITY_TOPIC_ORG_MAP", "a", "topic=org, comma separated, each topic once; an org is"),
        ("QUALITY_TOPIC_ORG_MAP", "a=one two", "topic=org, comma separated, each topic once; an org is"),
        ("QUALITY_TOPIC_RESET_STRATEGY_MAP", "a=latest,a=latest", "topic=earliest or topic=latest, comma separated"),
        ("QUALITY_TOPIC_RESET_STRATEGY_MAP", "a=newest", "topic=earliest or topic=latest, comma separated"),
    ],
)
def test_what_is_said_twice_or_otherwise_is_refused_in_one_line(variable: str, value: str, expected: str) -> None:
    (line,) = refusal({"QUALITY_INPUT_TOPICS": "a,b", variable: value})
    assert line.startswith(f"{variable}={value!r}: expected {expected}")


@pytest.mark.parametrize("variable", ["QUALITY_TOPIC_ORG_MAP", "QUALITY_TOPIC_RESET_STRATEGY_MAP"])
def test_a_topic_that_is_mapped_but_not_read_is_refused_with_what_to_do(variable: str) -> None:
    value = {"QUALITY_TOPIC_ORG_MAP": "a=x,c=y"}.get(variable, "a=latest,c=latest")
    (line,) = refusal({"QUALITY_INPUT_TOPICS": "a,b", variable: value})
    assert line == (
        f"{variable} names c, and read are a, b: "
        "add what is missing to QUALITY_INPUT_TOPICS, or leave it out of the map"
    )
    assert load({"QUALITY_INPUT_TOPICS": "a,b,c", variable: value})


def test_a_map_in_the_file_is_held_against_the_topics_in_force() -> None:
    Path(SETTINGS_FILE).write_text('[quality]\ninput_topics = ["a", "b"]\ntopic_org_map = ["a=x", "b=y"]\n')
    assert load({}).quality.orgs.of("b") == "y"
    (line,) = refusal({"QUALITY_INPUT_TOPICS": "a"})
    assert line.startswith(f"{SETTINGS_FILE}: quality.topic_org_map names b, and read is a: ")


def test_a_map_is_not_held_against_topics_that_are_refused() -> None:
    assert len(refusal({"QUALITY_INPUT_TOPICS": "a,b/c", "QUALITY_TOPIC_ORG_MAP": "streaming_events=x"})) == 1
