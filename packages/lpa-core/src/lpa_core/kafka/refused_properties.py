"""Which properties librdkafka refuses: its clients are made, and connect to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from lpa_core.kafka.configuration import consumer_configuration, producer_configuration
from lpa_core.settings.settings import Settings
from lpa_core.settings.shown_values import PROPERTIES, is_shown


def refused_properties(settings: Settings) -> dict[str, str]:
    """Property -> why; the empty name stands for what they are together. Nothing if the client is not installed."""
    try:
        from confluent_kafka.admin import AdminClient
    except ImportError:
        return {}
    alone = {name: _problem(AdminClient, {name: value}) for name, value in settings.kafka.items()}
    # What depends on other properties, such as a login on its mechanism, is judged with all of them.
    refused = {
        name: _told(name, problem) if "No such" in problem or is_shown(name) else "librdkafka does not take its value"
        for name, problem in alone.items()
        if problem and not problem.startswith("Failed to create")
    }
    together = "" if refused else _together(settings)
    return {"": together} if together else refused


def _told(name: str, problem: str) -> str:
    near = get_close_matches(name, [*sorted(PROPERTIES), "sasl.password", "ssl.key.password"], n=1)
    return f"{problem}; did you mean {near[0]}" if near and near[0] != name else problem


def _together(settings: Settings) -> str:
    from confluent_kafka import Consumer, Producer

    unconnected = {"bootstrap.servers": "", "log_level": 0}
    for client, configuration in {
        Producer: producer_configuration(settings, "unused"),
        Consumer: consumer_configuration(settings),
    }.items():
        configured = {name: value for name, value in configuration.items() if name not in ("logger", "error_cb")}
        problem = _problem(client, {**configured, **unconnected})
        if problem:
            return problem.removeprefix("Failed to create consumer: ").removeprefix("Failed to create producer: ")
    return ""


def _problem(client: Any, properties: Mapping[str, Any]) -> str:
    from confluent_kafka import KafkaException

    try:
        made = client({"log_level": 0, **properties})
    except KafkaException as error:
        return " ".join(str(error.args[0].str()).split())
    except (TypeError, ValueError) as error:
        return str(error)
    if hasattr(made, "close"):
        made.close()
    return ""
