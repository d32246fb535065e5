"""The allow-list of settings whose values people may see, and the one function that goes by it."""

from __future__ import annotations

import re
from typing import Final

from lpa_core.settings.settings import fields
from lpa_core.uris import masked

HIDDEN: Final = "***"

_OWN: Final = frozenset(variable for variable, _, field in fields() if not field.metadata["secret"])
_LIBRDKAFKA: Final = """
    acks allow.auto.create.topics api.version.fallback.ms api.version.request api.version.request.timeout.ms
    auto.commit.interval.ms auto.offset.reset batch.num.messages batch.size bootstrap.servers broker.address.family
    broker.address.ttl broker.version.fallback check.crcs client.dns.lookup client.id client.rack compression.codec
    compression.level compression.type connections.max.idle.ms coordinator.query.interval.ms debug delivery.timeout.ms
    enable.auto.commit enable.auto.offset.store enable.gapless.guarantee enable.idempotence enable.metrics.push
    enable.partition.eof enable.random.seed enable.sasl.oauthbearer.unsecure.jwt enable.sparse.connections
    enable.ssl.certificate.verification fetch.error.backoff.ms fetch.max.bytes fetch.message.max.bytes fetch.min.bytes
    fetch.queue.backoff.ms fetch.wait.max.ms group.id group.instance.id group.protocol group.protocol.type
    group.remote.assignor heartbeat.interval.ms https.ca.location internal.termination.signal isolation.level linger.ms
    log.connection.close log.queue log.thread.name max.in.flight max.in.flight.requests.per.connection
    max.partition.fetch.bytes max.poll.interval.ms message.copy.max.bytes message.max.bytes message.send.max.retries
    message.timeout.ms metadata.broker.list metadata.max.age.ms metadata.recovery.rebootstrap.trigger.ms
    metadata.recovery.strategy partition.assignment.strategy partitioner plugin.library.paths
    queue.buffering.backpressure.threshold queue.buffering.max.kbytes queue.buffering.max.messages
    queue.buffering.max.ms queued.max.messages.kbytes queued.min.messages queuing.strategy receive.message.max.bytes
    reconnect.backoff.jitter.ms reconnect.backoff.max.ms reconnect.backoff.ms request.required.acks request.timeout.ms
    retries retry.backoff.max.ms retry.backoff.ms sasl.kerberos.keytab sasl.kerberos.min.time.before.relogin
    sasl.kerberos.principal sasl.kerberos.service.name sasl.mechanism sasl.mechanisms
    sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.file sasl.oauthbearer.assertion.private.key.file
    sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.id sasl.oauthbearer.grant.type
    sasl.oauthbearer.metadata.authentication.type sasl.oauthbearer.method sasl.oauthbearer.scope
    sasl.oauthbearer.sub.claim.name sasl.oauthbearer.token.endpoint.url sasl.username security.protocol
    session.timeout.ms socket.blocking.max.ms socket.connection.setup.timeout.ms socket.keepalive.enable
    socket.max.fails socket.nagle.disable socket.receive.buffer.bytes socket.send.buffer.bytes socket.timeout.ms
    ssl.ca.certificate.stores ssl.ca.location ssl.certificate.location ssl.cipher.suites ssl.crl.location
    ssl.curves.list ssl.endpoint.identification.algorithm ssl.engine.id ssl.engine.location ssl.key.location
    ssl.keystore.location ssl.providers ssl.sigalgs.list statistics.interval.ms sticky.partitioning.linger.ms
    topic.blacklist topic.metadata.propagation.max.ms topic.metadata.refresh.fast.cnt
    topic.metadata.refresh.fast.interval.ms topic.metadata.refresh.interval.ms topic.metadata.refresh.sparse
    transaction.timeout.ms transactional.id
"""
"""Properties of librdkafka's CONFIGURATION.md: those that hold neither a secret nor text in which one may stand."""
PROPERTIES: Final = frozenset(_LIBRDKAFKA.split())
_OBJECT_STORES: Final = frozenset(
    f"{prefix}AWS_{name}"
    for prefix in ("", "MIRROR_")
    for name in ("ENDPOINT_URL", "ENDPOINT", "REGION", "DEFAULT_REGION", "ALLOW_HTTP")
)

_SECRET_WITHIN: Final = re.compile(r"LoginModule|(password|passwd|secret|token)\s*=", re.IGNORECASE)
"""In a value that is shown, a line that was meant for somewhere else: a login of Java's, or parameters."""


def shown(name: str, value: object) -> str:
    """The text of a setting's value as messages, logs, listings and backups may hold it.

    This is the allow-list of shown settings, and the only place that decides what is shown: use it wherever a value
    of a setting leaves the process. It knows lpa's own settings that are not declared secret, librdkafka's properties
    of the list above, and where object stores are. Of every other name it gives ``***``, whatever the value is, and
    of an address in a value neither user nor password.

    Args:
        name: the variable of a setting (``CLICKHOUSE_URL``), the name of a librdkafka property
            (``security.protocol``), or a variable of object stores (``AWS_REGION``).
        value: as it was written, or as it is in force.
    """
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return masked(text) if is_shown(name, value) else HIDDEN


def quoted(name: str, value: object) -> str:
    """The same with the quotes and brackets that Python writes, for messages about a value that cannot be used."""
    return masked(repr(value)) if is_shown(name, value) else HIDDEN


def is_shown(name: str, value: object = "") -> bool:
    """Whether a value of a setting, property or variable of this name is on the allow-list."""
    listed = name in _OWN or name in PROPERTIES or name in _OBJECT_STORES
    return listed and not _SECRET_WITHIN.search(str(value))
