"""librdkafka properties that a user passes through to Kafka's clients: TLS, logins, timeouts.

They stand in the table ``[kafka]`` of ``lpa.toml`` under their own names, and in the environment as
``LPA_KAFKA_SECURITY_PROTOCOL`` for ``security.protocol``. Not as ``KAFKA_...``: Kubernetes puts variables of that
kind (``KAFKA_PORT``) into every container beside a service that is called kafka.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lpa_core.invisible import invisible_at_ends, without_line_break
from lpa_core.settings.settings_file import flat
from lpa_core.settings.shown_values import HIDDEN, is_shown, quoted

PREFIX: Final = "LPA_KAFKA_"

_DELIVERY: Final = "the delivery depends on it, it cannot be changed"
RESERVED: Final = {
    "auto.offset.reset": "QUALITY_OFFSET_GAP_POLICY says what happens",
    "bootstrap.servers": "QUALITY_KAFKA_BOOTSTRAP names the brokers",
    "enable.auto.commit": _DELIVERY,
    "enable.auto.offset.store": _DELIVERY,
    "enable.idempotence": _DELIVERY,
    "group.id": "QUALITY_GROUP_ID names the group",
    "group.instance.id": "QUALITY_GROUP_INSTANCE_ID names the member",
    "group.protocol": _DELIVERY,
    "isolation.level": _DELIVERY,
    "metadata.broker.list": "QUALITY_KAFKA_BOOTSTRAP names the brokers",
    "partition.assignment.strategy": _DELIVERY,
    "transactional.id": _DELIVERY,
}
"""Property -> why it is refused."""
_LOGIN: Final = "that is for Java: set sasl.mechanism, sasl.username and sasl.password instead"
_CA: Final = "that is for Java: name the CA's certificates, a PEM file, in ssl.ca.location instead"
_KEY: Final = (
    "that is for Java: name PEM files in ssl.certificate.location and ssl.key.location, or a PKCS#12 file "
    "(keytool -importkeystore -deststoretype pkcs12 makes one) in ssl.keystore.location"
)
_OTHER: Final = "that is for Java, and lpa has no need of it: leave it out"
_OF_JAVA: Final = (
    (re.compile(r"(.*\.)?sasl\.jaas\..*|(.*\.)?java\.security\..*|sasl\..*\.class"), _LOGIN),
    (re.compile(r"ssl\.truststore\..*|ssl\.trustmanager\..*"), _CA),
    (re.compile(r"ssl\.keystore\.(?!location$|password$).*|ssl\.keymanager\..*"), _KEY),
    (re.compile(r"ssl\.protocol|ssl\.enabled\.protocols"), "that is for Java: leave it out, or set ssl.cipher.suites"),
    (re.compile(r"max\.poll\.records"), "that is for Java: CLICKHOUSE_SINK_MAX_BATCH_SIZE says how many are read"),
    (re.compile(r".*\.(class|classes|deserializer|serializer|reporters)|security\.providers|(.*\.)?opts"), _OTHER),
)
"""Properties of Java's clients, and what is to be set instead."""
_JAVAS_KEYSTORE: Final = re.compile(r".*\.(jks|jceks|bcfks)", re.IGNORECASE)

_NAME: Final = re.compile(r"[a-z0-9]+(\.[a-z0-9]+)*")


def merged(table: Any, environment: Mapping[str, str]) -> dict[str, Any]:
    """The properties of ``[kafka]``, and over them those of the environment; an empty variable counts as not set.

    Line breaks at the end of a value that may be shown are left out.
    """
    given = {**(dict(flat(table)) if isinstance(table, Mapping) else {}), **_from_environment(environment)}
    return {
        name: without_line_break(value) if isinstance(value, str) and is_shown(name) else value
        for name, value in given.items()
    }


def problems(table: Any, environment: Mapping[str, str]) -> Iterator[tuple[str, bool, str]]:
    """Each property that cannot be passed through, whether the file's table says it, and a line that says why."""
    if not isinstance(table, Mapping):
        said = repr(table) if isinstance(table, int | float) else HIDDEN
        yield "", True, f"kafka = {said}: expected a table of librdkafka properties"
    variables = {property_of(variable): variable for variable in environment}
    from_environment = _from_environment(environment)
    for name, value in merged(table, environment).items():
        problem = _problem(name, value)
        if problem:
            said = quoted(name, value)
            in_file = name not in from_environment
            where = f'kafka."{name}" = {said}' if in_file else f"{variables[name]}={said}"
            yield name, in_file, f"{where}: {problem}"


def _problem(name: str, value: Any) -> str:
    if name in RESERVED:
        return RESERVED[name]
    if instead := _for_java(name, str(value)):
        return instead
    if not _NAME.fullmatch(name):
        return "expected the name of a librdkafka property, such as security.protocol"
    if name == "client.id" and not re.fullmatch(r"[ -~]{1,249}", str(value)):
        return "expected printable ASCII, 249 characters at most: under another name no commit succeeds"
    if isinstance(value, str) and not name.endswith(".pem"):
        if invisible := invisible_at_ends(value):
            return invisible
        if not value.isprintable():
            return "holds a control character or another one that is not visible: leave it out"
    return "" if isinstance(value, str | int | float) else "expected text, a number, true or false"


def _for_java(name: str, value: str) -> str:
    """What to set instead of a property, or of a value, of Java's clients; empty if it is none."""
    if "LoginModule" in value:
        return _LOGIN
    if name == "ssl.keystore.location" and _JAVAS_KEYSTORE.fullmatch(value.strip()):
        return _KEY
    return next((instead for names, instead in _OF_JAVA if names.fullmatch(name)), "")


def property_of(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower().replace("_", ".")


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        property_of(variable): text
        for variable, text in environment.items()
        if variable.startswith(PREFIX) and text.strip()
    }
