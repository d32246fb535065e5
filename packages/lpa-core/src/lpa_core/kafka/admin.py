"""An admin client, and its errors in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lpa_core.delivery.log import LogError, LogUnavailable
from lpa_core.kafka.configuration import admin_configuration
from lpa_core.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

SECONDS: Final = 15.0
"""How long a request to the brokers may take."""


def admin_client(settings: Settings) -> AdminClient:
    """A client that connects with its first request. Raises LogError where it is not installed or cannot be set up."""
    try:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient
    except ImportError:
        raise LogError("Kafka's client is not installed: pip install 'lpa-core[kafka]'") from None
    try:
        return AdminClient(admin_configuration(settings))
    except KafkaException as error:
        raise LogError(f"Kafka's client cannot be set up: {error.args[0].str()}; see [kafka] in lpa.toml") from None


@contextmanager
def explained(what: str, settings: Settings) -> Iterator[None]:
    """Turn errors of confluent-kafka into LogError, or LogUnavailable where the same may succeed later.

    ``what`` says what was being done, as in "cannot ...".
    """
    from confluent_kafka import KafkaError, KafkaException

    try:
        yield
    except KafkaException as error:
        problem = error.args[0]
        where = f"Kafka at {settings.quality.kafka_bootstrap}"
        if problem.code() in (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            KafkaError.CLUSTER_AUTHORIZATION_FAILED,
            KafkaError.GROUP_AUTHORIZATION_FAILED,
        ):
            raise LogError(
                f"{where}: not permitted to {what}: let somebody who may do it, or allow it to this login"
            ) from None
        if problem.code() in (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED):
            raise LogError(f"{where}: the login was refused: check sasl.username and sasl.password") from None
        if problem.code() in (
            KafkaError._TRANSPORT,
            KafkaError._ALL_BROKERS_DOWN,
            KafkaError._TIMED_OUT,
            KafkaError._TIMED_OUT_QUEUE,
            KafkaError._RESOLVE,
        ):
            raise LogUnavailable(
                f"{where} does not answer ({problem.str()}): check QUALITY_KAFKA_BOOTSTRAP and that the brokers run"
            ) from None
        if problem.code() in (
            KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
            KafkaError.COORDINATOR_NOT_AVAILABLE,
            KafkaError.LEADER_NOT_AVAILABLE,
            KafkaError.NOT_COORDINATOR,
            KafkaError.REQUEST_TIMED_OUT,
            KafkaError.UNSTABLE_OFFSET_COMMIT,
        ):
            raise LogUnavailable(f"{where}: cannot {what} now ({problem.str()}): try again in a while") from None
        raise LogError(f"{where}: cannot {what}: {problem.str()}") from None
