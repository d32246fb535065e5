"""The brokers: addresses, TLS, login, topics, ACLs and limits. No topic is made, no group is joined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lpa_core.delivery.consumer_group import BrokerError
from lpa_core.doctor.start_check import PlannedStart, StartCheck
from lpa_core.health.check import Finding, NotApplicable
from lpa_core.kafka.admin import SECONDS, admin_client, explained
from lpa_core.kafka.brokers import metadata_bytes
from lpa_core.kafka.configuration import admin_configuration
from lpa_core.kafka.diagnosis import bootstrap_addresses, look
from lpa_core.kafka.permissions import require
from lpa_core.kafka.refused_properties import refused_properties
from lpa_core.kafka.topics import TopicState, compare, require_topics, wanted_topics
from lpa_core.settings.thresholds import State

_SECONDS: Final = 40.0
"""Longer than the client waits for an answer, and then looks why none comes."""


def _client(start: PlannedStart) -> Finding:
    if not start.kafka:
        raise NotApplicable("no broker is part of this job")
    refused = refused_properties(start.settings)
    if refused:
        raise BrokerError("; ".join(refused.values()), remedy="correct [kafka] in lpa.toml, or LPA_KAFKA_ variables")
    admin_client(start.settings)
    wanted_topics(start.settings)
    from confluent_kafka import libversion

    return Finding(State.OK, f"librdkafka {libversion()[0]} takes the properties")


def _addresses(start: PlannedStart) -> Finding:
    connection = admin_configuration(start.settings)
    found = {f"{host}:{port}": look(host, port, connection) for host, port in bootstrap_addresses(connection)}
    bad = [problem.text for problem in found.values() if problem is not None]
    if not bad:
        return Finding(State.OK, f"{', '.join(found)}: there is a broker, and it takes such a login")
    what, _, remedy = bad[0].rpartition(": ")
    more = "".join(f"; {text}" for text in bad[1:])
    state = State.CRITICAL if len(bad) == len(found) else State.WARNING
    return Finding(state, f"{what}{more}", action=remedy)


def _login(start: PlannedStart) -> Finding:
    with explained("log in", start.settings):
        listed = admin_client(start.settings).list_topics(timeout=SECONDS)
    return Finding(State.OK, f"brokers: {len(listed.brokers)}, cluster {listed.cluster_id}")


def _brokers(start: PlannedStart) -> Finding:
    """Clients connect to the addresses that the brokers name, not only to those of the settings."""
    connection = admin_configuration(start.settings)
    with explained("list the brokers", start.settings):
        brokers = admin_client(start.settings).list_topics(timeout=SECONDS).brokers.values()
    named = sorted({(str(each.host), int(each.port)) for each in brokers})
    bad = [problem.text for host, port in named if (problem := look(host, port, connection)) is not None]
    told = ", ".join(f"{host}:{port}" for host, port in named)
    if bad:
        return Finding(
            State.CRITICAL,
            f"the brokers name {told} as theirs; {bad[0].rpartition(': ')[0]}",
            action="set advertised.listeners of the brokers to addresses that this machine reaches",
        )
    return Finding(State.OK, f"the brokers name {told}, and this machine reaches them")


def _topics(start: PlannedStart) -> Finding:
    admin, topics = admin_client(start.settings), wanted_topics(start.settings)
    require_topics(admin, topics, start.settings)
    states = compare(admin, topics, start.settings)
    differing = [f"{state.name}: {_told(state)}" for state in states if state.differences]
    if differing:
        return Finding(
            State.WARNING,
            "; ".join(differing),
            action="change them with kafka-configs or kafka-topics: `lpa topics apply` leaves topics that exist alone",
        )
    return Finding(State.OK, ", ".join(f"{state.name} ({state.partitions})" for state in states))


def _told(state: TopicState) -> str:
    return ", ".join(f"{each.setting} is {each.found}, should be {each.wanted}" for each in state.differences)


def _acls(start: PlannedStart) -> Finding:
    require("lpa ingest", admin_client(start.settings), start.settings)
    return Finding(State.OK, "this login has what brokers tell beforehand; transactional ids show at the first use")


def _limits(start: PlannedStart) -> Finding:
    room = metadata_bytes(admin_client(start.settings), start.settings)
    return Finding(State.OK, f"a commit may have {room:,} bytes of metadata")


def _check(name: str, title: str, judge: Callable[[PlannedStart], Finding], *after: str) -> StartCheck:
    return StartCheck(name, title, judge, after=after, seconds=_SECONDS)


CHECKS: Final = (
    _check("kafka_client", "Kafka: client", _client),
    _check("kafka_address", "Kafka: addresses and TLS", _addresses, "kafka_client"),
    _check("kafka_login", "Kafka: login", _login, "kafka_address"),
    _check("kafka_brokers", "Kafka: addresses that the brokers name", _brokers, "kafka_login"),
    _check("kafka_acls", "Kafka: ACLs", _acls, "kafka_login"),
    _check("kafka_topics", "Kafka: topics", _topics, "kafka_login"),
    _check("kafka_limits", "Kafka: limits", _limits, "kafka_login"),
)
