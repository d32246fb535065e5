"""What Kafka's clients have to say, as log lines of ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

import structlog

from lpa_core.kafka.errors import KafkaErrorKind, meaning

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

_log = structlog.get_logger("lpa.kafka")

QUIET_SECONDS: Final = 60
"""A client that cannot connect tries several times a second, and reports every time."""
_NOT_NEWS: Final = frozenset({"FAIL", "CONFWARN"})
"""librdkafka's names for lines that its error callback repeats, and for properties meant for the other client."""
_OFFSET: Final = "OFFSET"
"""librdkafka's name for lines such as "offset reset (at offset 5) to BEGINNING"."""
_OF_A_READER: Final = (
    "this is about where this client reads from: the offsets that the group has committed are unchanged"
)


@final
class ClientLog:
    """The ``logger`` and, as :meth:`error`, the ``error_cb`` of a client. It logs the same error once a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds."""
        self._clock = clock
        self._told: dict[str, float] = {}

    def log(self, level: int, message: str, *arguments: str) -> None:
        """A line of librdkafka: ``level`` is one of Python's, the arguments are facility, client and text."""
        facility, client, text = arguments
        if facility in _NOT_NEWS:
            return
        note = {"note": _OF_A_READER} if facility == _OFFSET else {}
        _log.log(level, "kafka client", facility=facility, client=client, said=text, **note)

    def error(self, error: KafkaError) -> None:
        """An error of the whole client. Fatal ones end it; from the others it recovers by itself."""
        now, name = self._clock(), error.name()
        if name in self._told and now - self._told[name] < QUIET_SECONDS:
            return
        self._told[name] = now
        tell = _log.error if error.fatal() else _log.warning
        found = meaning(error)
        remedy = (
            {"remedy": found.words}
            if found.kind in (KafkaErrorKind.FORBIDDEN, KafkaErrorKind.SETTING, KafkaErrorKind.FINAL)
            else {}
        )
        tell("kafka client error", error=name, said=error.str(), fatal=error.fatal(), **remedy)
