"""librdkafka properties that a user passes through to Kafka's clients: TLS, logins, timeouts.

They stand in the table ``[kafka]`` of ``lpa.toml`` under their own names, and in the environment as
``LPA_KAFKA_SECURITY_PROTOCOL`` for ``security.protocol``. Not as ``KAFKA_...``: Kubernetes puts variables of that
kind (``KAFKA_PORT``) into every container beside a service that is called kafka.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

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

_NAME: Final = re.compile(r"[a-z0-9]+(\.[a-z0-9]+)*")
_SECRET: Final = re.compile(r"password|secret|key|token")


def merged(table: Any, environment: Mapping[str, str]) -> dict[str, Any]:
    """The properties of ``[kafka]``, and over them those of the environment; an empty variable counts as not set."""
    return {**dict(_flat("", table)), **_from_environment(environment)}


def problems(table: Any, environment: Mapping[str, str], file: object) -> Iterator[str]:
    """A line for each property that cannot be passed through. ``file`` is where the table was read from."""
    if not isinstance(table, Mapping):
        yield f"{file}: kafka = {table!r}: expected a table of librdkafka properties"
        return
    variables = {_property(variable): variable for variable in environment}
    from_environment = _from_environment(environment)
    for name, value in merged(table, environment).items():
        shown = repr("***" if is_secret(name) else value)
        where = f"{variables[name]}={shown}" if name in from_environment else f'{file}: kafka."{name}" = {shown}'
        if name in RESERVED:
            yield f"{where}: {RESERVED[name]}"
        elif not _NAME.fullmatch(name):
            yield f"{where}: expected the name of a librdkafka property, such as security.protocol"
        elif name == "client.id" and not re.fullmatch(r"[ -~]{1,249}", str(value)):
            yield f"{where}: expected printable ASCII, 249 characters at most: under another name no commit succeeds"
        elif not isinstance(value, str | int | float):
            yield f"{where}: expected text, a number, true or false"


def texts(properties: Mapping[str, Any]) -> dict[str, str]:
    """The properties' values as librdkafka takes them."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in properties.items()}


def is_secret(name: str) -> bool:
    return bool(_SECRET.search(name))


def shown(properties: Mapping[str, str]) -> str:
    """For messages: without the values of secrets."""
    return repr({name: "***" if is_secret(name) else value for name, value in properties.items()})


def _property(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower().replace("_", ".")


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        _property(variable): text
        for variable, text in environment.items()
        if variable.startswith(PREFIX) and text.strip()
    }


def _flat(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """``sasl.username = "x"`` without quotes is TOML for nested tables."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield prefix + name, value
