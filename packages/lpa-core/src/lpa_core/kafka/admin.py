"""An admin client, and its errors in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lpa_core.delivery.consumer_group import BrokerError, BrokerUnavailable, CommitUncertainError, FencedError
from lpa_core.kafka.configuration import admin_configuration
from lpa_core.kafka.explained_errors import explained as explained_by
from lpa_core.settings.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

SECONDS: Final = 15.0
"""How long a request to the brokers may take."""


def admin_client(settings: Settings) -> AdminClient:
    """A client that connects with its first request.

    Raises BrokerError if it is not installed or cannot be set up.
    """
    try:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient
    except ImportError:
        raise BrokerError("Kafka's client is not installed: pip install 'lpa-core[kafka]'") from None
    try:
        return AdminClient(admin_configuration(settings))
    except KafkaException as error:
        raise BrokerError(f"Kafka's client cannot be set up: {error.args[0].str()}; see [kafka] in lpa.toml") from None


@contextmanager
def explained(what: str, settings: Settings) -> Iterator[None]:
    """Turn errors of confluent-kafka into BrokerError, or BrokerUnavailable where the same may succeed later.

    ``what`` says what was being done, as in "cannot ...".
    """
    try:
        with explained_by(what, admin_configuration(settings)):
            yield
    except (CommitUncertainError, FencedError) as error:
        raise BrokerUnavailable(f"{error}: run the same again") from None
