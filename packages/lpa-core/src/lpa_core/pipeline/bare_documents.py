"""Documents without an envelope: the envelope that the mappings of event types make for them."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.dedup.key import REPLAY_PREFIX
from lpa_core.events.coercion import scalar_text
from lpa_core.events.envelope_mapping import MISSING, EnvelopeMapping, found
from lpa_core.events.event_type import EventType
from lpa_core.validation.json_document import decoded
from lpa_core.validation.reasons import Failure, Reason

_ENVELOPE: Final = ("timestamp", "data")
"""With a text ``type``, what a record has that brings its own envelope."""
_encode: Final = msgspec.json.Encoder().encode
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@final
class BareDocuments:
    """Gives a document its envelope. A record that has one, or that no mapping takes, stays as it is.

    The mappings are asked in the order of their event types. Marks of a replay move into the envelope.
    """

    def __init__(self, event_types: Iterable[EventType], version: str) -> None:
        """``version``: what their envelopes carry."""
        self._mappings = [(each.name, each.envelope) for each in event_types if each.envelope is not None]
        self._version = version

    def __bool__(self) -> bool:
        return bool(self._mappings)

    def enveloped(self, root: Any) -> Any:
        """The decoded document in its envelope, or the root as it is."""
        chosen = self._chosen(root)
        if chosen is None:
            return root
        name, mapping = chosen
        head = self._head(name, mapping, root)
        if not mapping.data:
            return {**head, "data": {key: root[key] for key in root if not key.startswith(REPLAY_PREFIX)}}
        data = found(root, mapping.data)
        return head if data is MISSING else {**head, "data": data}

    def spliced(self, value: bytes) -> bytes | None:
        """The same as bytes; None for a record that stays as it is, or whose envelope would be incomplete.

        Raises ValueError or RecursionError for what is not JSON.
        """
        root = decoded(value)
        chosen = self._chosen(root)
        if chosen is None:
            return None
        name, mapping = chosen
        head = self._head(name, mapping, root)
        if "timestamp" not in head:
            return None
        for step in mapping.data.split(".") if mapping.data else ():
            inner = _members(value).get(step)
            if inner is None:
                return None
            value = bytes(inner)
        return _encode(head)[:-1] + b',"data":' + value + b"}"

    def told(self, failure: Failure, root: Any) -> Failure:
        """The failure of a document's envelope, in terms of the document that was sent."""
        chosen = self._chosen(root) if failure.reason in (Reason.MISSING_TIMESTAMP, Reason.MISSING_DATA) else None
        if chosen is None:
            return failure
        _, mapping = chosen
        if failure.reason is Reason.MISSING_DATA:
            return attrs.evolve(failure, details=f"{mapping.data}, which has the data, is missing")
        sent = found(root, mapping.timestamp)
        problem = "is missing" if sent is MISSING else f"is {reprlib.repr(sent)}, not {mapping.time.value}"
        return attrs.evolve(failure, details=f"{mapping.timestamp}, which has the time, {problem}")

    def _chosen(self, root: Any) -> tuple[str, EnvelopeMapping] | None:
        if not self._mappings or not isinstance(root, dict):
            return None
        if isinstance(root.get("type"), str) and all(key in root for key in _ENVELOPE):
            return None
        return next((each for each in self._mappings if each[1].takes(root)), None)

    def _head(self, name: str, mapping: EnvelopeMapping, root: Mapping[str, Any]) -> dict[str, Any]:
        head = {key: root[key] for key in root if key.startswith(REPLAY_PREFIX)}
        head |= {"type": name, "id": mapping.event_id(root), "version": self._version}
        moment = mapping.epoch_ms(root)
        if moment is not None:
            head["timestamp"] = moment
        if mapping.gateway:
            gateway = found(root, mapping.gateway)
            head["gateway"] = scalar_text(None if gateway is MISSING else gateway) or ""
        return head
