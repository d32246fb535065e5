"""The table of Kafka's errors: it has every code, and whoever looks at a code looks there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from lpa_core.delivery.consumer_group import (
    BrokerError,
    BrokerUnavailable,
    CommitUncertainError,
    FencedError,
    ForbiddenError,
    TakenOverError,
)
from lpa_core.kafka.errors import MEANINGS, KafkaErrorKind, fault, meaning

PACKAGES = Path(__file__).parents[3]
CODES = {
    name: code
    for name in dir(KafkaError)
    if re.fullmatch(r"_?[A-Z][A-Z_]*", name) and isinstance(code := getattr(KafkaError, name), int)
}
EXPECTED = {name for name, found in MEANINGS.items() if found.kind is KafkaErrorKind.ANSWER} | {
    "_STATE",
    "UNKNOWN_TOPIC_OR_PART",
}
"""Codes that a caller may ask for by name: they answer its question.

``_STATE`` is how a seek says "not assigned", and the other how a description says "there is none".
"""


def test_failure_12_no_code_of_the_brokers_or_of_the_client_is_missing() -> None:
    assert len(CODES) > 150
    assert CODES.keys() == MEANINGS.keys()


@pytest.mark.parametrize("name", CODES)
def test_failure_12_each_code_is_found_by_its_number(name: str) -> None:
    assert meaning(KafkaError(CODES[name])) is MEANINGS[name]


def test_failure_12_a_code_of_a_later_client_passes() -> None:
    assert meaning(KafkaError(32_000)).kind is KafkaErrorKind.PASSES


def test_failure_12_what_needs_a_setting_names_it() -> None:
    named = re.compile(r"[A-Z]+_[A-Z_]{4,}|[a-z]+\.[a-z.]+|--[a-z]+|topics show|\backs\b")
    for name, found in MEANINGS.items():
        if found.kind is KafkaErrorKind.SETTING:
            assert named.search(found.words), name
        if found.kind in (KafkaErrorKind.FORBIDDEN, KafkaErrorKind.FINAL):
            assert found.words, name


def test_failure_12_codes_are_looked_up_in_the_table_and_nowhere_else() -> None:
    used = {
        (path.name, name)
        for path in PACKAGES.glob("*/src/**/*.py")
        for name in re.findall(r"KafkaError\.(_?[A-Z][A-Z_]+)", path.read_text())
    }
    assert used
    assert {name for _, name in used} <= EXPECTED, used


@pytest.mark.parametrize(
    ("code", "fatal", "raised"),
    [
        (KafkaError._TRANSPORT, False, BrokerUnavailable),
        (KafkaError.COORDINATOR_LOAD_IN_PROGRESS, False, BrokerUnavailable),
        (KafkaError.UNKNOWN_PRODUCER_ID, True, CommitUncertainError),
        (KafkaError.ILLEGAL_GENERATION, False, FencedError),
        (KafkaError.ILLEGAL_GENERATION, True, CommitUncertainError),
        (KafkaError.PRODUCER_FENCED, True, TakenOverError),
        (KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, True, ForbiddenError),
        (KafkaError.SASL_AUTHENTICATION_FAILED, False, ForbiddenError),
        (KafkaError.OFFSET_METADATA_TOO_LARGE, False, BrokerError),
        (KafkaError.MSG_SIZE_TOO_LARGE, False, BrokerError),
        (KafkaError._BAD_MSG, False, BrokerError),
        (KafkaError.FENCED_INSTANCE_ID, True, BrokerError),
    ],
)
def test_failure_12_an_error_becomes_what_the_delivery_waits_for_or_ends_with(
    code: int, fatal: bool, raised: type[Exception]
) -> None:
    found = fault(KafkaError(code, "because", fatal), "cannot commit")
    assert type(found) is raised
    assert str(found).startswith("cannot commit: because")
    assert MEANINGS[KafkaError(code).name()].words in str(found)


def test_failure_12_a_consumer_that_ended_is_told_by_what_ended_it() -> None:
    inside = KafkaError(KafkaError.FENCED_INSTANCE_ID).str()
    found = fault(KafkaError(KafkaError._FATAL, f"Fatal error: {inside}: Fatal consumer error"), "cannot read")
    assert type(found) is BrokerError
    assert "QUALITY_GROUP_INSTANCE_ID" in str(found)
    assert (
        type(fault(KafkaError(KafkaError._FATAL, "Fatal error: of a new kind"), "cannot read")) is CommitUncertainError
    )
