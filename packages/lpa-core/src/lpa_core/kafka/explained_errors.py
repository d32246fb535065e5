"""Errors of Kafka's client in words, as exceptions of the delivery's contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lpa_core.delivery.consumer_group import BrokerUnavailable, ForbiddenError
from lpa_core.kafka.diagnosis import diagnose
from lpa_core.kafka.errors import KafkaErrorKind, fault, meaning

if TYPE_CHECKING:
    from confluent_kafka import KafkaError


@contextmanager
def explained(what: str, connection: Mapping[str, Any]) -> Iterator[None]:
    """Turn KafkaException into what the table of errors makes of it; ``what`` was being done, as in "cannot ...".

    If no broker can be reached it takes some seconds to find out why. ``connection`` is the client's configuration.

    Raises BrokerError, ForbiddenError, BrokerUnavailable, CommitUncertainError, FencedError.
    """
    from confluent_kafka import KafkaException

    try:
        yield
    except KafkaException as error:
        raise explanation(error.args[0], what, connection) from None


def explanation(problem: KafkaError, what: str, connection: Mapping[str, Any]) -> Exception:
    """What :func:`explained` raises for the error."""
    where = f"Kafka at {connection['bootstrap.servers']}"
    found = meaning(problem)
    if found.kind is KafkaErrorKind.UNREACHABLE and not problem.fatal():
        diagnosis = diagnose(connection)
        if diagnosis is not None and not diagnosis.passes:
            return ForbiddenError(f"{where}: cannot {what}: {diagnosis.text}")
        why = f"{problem.str()}: {found.words}" if diagnosis is None else diagnosis.text
        return BrokerUnavailable(f"{where} does not answer: cannot {what}: {why}")
    if found.kind is KafkaErrorKind.FORBIDDEN:
        return ForbiddenError(f"{where}: not permitted to {what} ({problem.str()}): {found.words}")
    if found.kind is KafkaErrorKind.PASSES and not problem.fatal():
        words = f": {found.words}" if found.words else ""
        return BrokerUnavailable(f"{where}: cannot {what} now ({problem.str()}){words}: try again in a while")
    return fault(problem, f"{where}: cannot {what}")
