"""Which records are passed over on purpose: neither stored nor dead letters.

Rules: docs/spec/producers.md section 1.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, final

import attrs
import msgspec

from lpa_core.argument_checks import items, require_text, shown_type

IGNORED_EVENT_FAMILY: Final = "ignored_event_family"
_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")

CORE_TRACE_TYPES: Final = frozenset(
    {
        "gateway_receive_stream_request",
        "gateway_ingest_stream_closed",
        "gateway_send_first_ingest_segment",
        "gateway_receive_first_processed_segment",
        "gateway_receive_few_processed_segments",
        "gateway_receive_first_data_segment",
        "gateway_no_orchestrators_available",
        "orchestrator_swap",
        "runner_receive_first_ingest_segment",
        "runner_send_first_processed_segment",
    }
)
"""Traces with a meaning for sessions: docs/spec/events.md section 3.3, docs/spec/producers.md section 1."""


@final
@attrs.frozen
class IgnoreRule:
    """Says of records that they are ignored. All that is given has to hold.

    Attributes:
        reason: names the rule in counts and metrics: small letters, digits and underscores, 64 at most.
        event_types: the record's ``type`` is one of these.
        subtypes: ``data.type`` is one of these.
        subtype_prefix: ``data.type`` begins with this, in whatever case.
        where: key of ``data`` -> the text that it holds, in whatever case.
        other_subtypes: ``data.type`` is text, and none of these.
        incomplete: a required path is missing. Such a rule is asked once the validators have found that.

    Raises ValueError if the reason is not such a name, if event types are missing, or if something is not text.
    """

    reason: str
    event_types: Collection[str]
    subtypes: Collection[str] = attrs.field(default=(), kw_only=True)
    subtype_prefix: str = attrs.field(default="", kw_only=True)
    where: Mapping[str, str] = attrs.field(factory=dict[str, str], kw_only=True)
    other_subtypes: Collection[str] = attrs.field(default=(), kw_only=True)
    incomplete: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        _require_reason(self.reason)
        of = f"ignore rule {self.reason}"
        for name in ("event_types", "subtypes", "other_subtypes"):
            given = getattr(self, name)
            texts = items(f"{of}: {name}", list(given) if isinstance(given, set | frozenset) else given, str)
            object.__setattr__(self, name, frozenset(texts))
        if not self.event_types:
            raise ValueError(f"{of}: event_types is empty: name the types that it is about")
        require_text(f"{of}: subtype_prefix", self.subtype_prefix, empty=True)
        if not isinstance(self.where, Mapping):
            raise ValueError(f"{of}: where is {shown_type(self.where)}: it must be a dict of keys and texts")
        for key, said in self.where.items():
            require_text(f"{of}: a key of where", key)
            require_text(f"{of}: where {key}", said, empty=True)

    @property
    def asks_data(self) -> bool:
        """Whether the record's ``type`` alone does not decide."""
        return bool(self.subtypes or self.subtype_prefix or self.where or self.other_subtypes)

    def takes(self, data: Any) -> bool:
        """Whether a record of one of its types, with this ``data``, is ignored."""
        if not self.asks_data:
            return True
        if not isinstance(data, dict):
            return False
        text = _text(data.get("type"))
        if self.subtypes and text not in self.subtypes:
            return False
        if not text.lower().startswith(self.subtype_prefix.lower()):
            return False
        if self.other_subtypes and (not text or text in self.other_subtypes):
            return False
        return all(_text(data.get(key)).lower() == said.lower() for key, said in self.where.items())


def _require_reason(reason: object) -> None:
    if not isinstance(reason, str) or not _REASON.fullmatch(reason):
        raise ValueError(f"an ignore rule has the reason {reason!r}: give it small letters, digits and _, 64 at most")


BUILTIN_IGNORE_RULES: Final = (
    IgnoreRule("ignored_stream_trace_non_core_app", {"stream_trace"}, subtype_prefix="app_"),
    IgnoreRule(
        "ignored_stream_trace_scope_client_noise",
        {"stream_trace"},
        subtypes={
            "stream_heartbeat",
            "pipeline_load_start",
            "pipeline_loaded",
            "pipeline_unloaded",
            "session_created",
            "session_closed",
            "stream_started",
            "stream_stopped",
            "playback_ready",
            "websocket_connected",
            "websocket_disconnected",
            "error",
        },
        where={"client_source": "scope"},
    ),
    IgnoreRule("unsupported_stream_trace_type", {"stream_trace"}, other_subtypes=CORE_TRACE_TYPES, incomplete=True),
)


def families(names: Collection[str]) -> Sequence[IgnoreRule]:
    """The rule that ignores whole families by name; none for no names."""
    return [IgnoreRule(IGNORED_EVENT_FAMILY, names)] if names else []


class _Head(msgspec.Struct, gc=False):
    """A record whose ``data`` is anything."""

    type: Any = None
    data: Any = None


def _head_reader(keys: Sequence[str]) -> Callable[[bytes], tuple[Any, Any]]:
    """Reads ``type``, and of an object ``data`` these keys; of a key that comes twice the last.

    What it returns raises ValueError or RecursionError for what is not a JSON object.
    """
    names = [f"key_{number}" for number in range(len(keys))]
    fields: list[tuple[str, Any, Any]] = [(name, Any, None) for name in names]
    data = msgspec.defstruct("Data", fields, rename=dict(zip(names, keys, strict=True)))
    head = msgspec.defstruct("Head", [("data", data), ("type", Any, None)])
    decode_object = msgspec.json.Decoder(head, float_hook=float).decode
    decode_anything = msgspec.json.Decoder(_Head, float_hook=float).decode
    found_of = operator.attrgetter(*names) if len(names) > 1 else lambda data: (getattr(data, names[0]),)

    def read(value: bytes) -> tuple[Any, Any]:
        try:
            wire: Any = decode_object(value)
        except msgspec.ValidationError:
            anything = decode_anything(value)
            return anything.type, anything.data
        return wire.type, dict(zip(keys, found_of(wire.data), strict=True))

    return read


@final
class IgnoreRules:
    """Asks rules in their order; the first that takes a record says why it is ignored."""

    def __init__(self, rules: Iterable[IgnoreRule]) -> None:
        self._early: dict[str, list[IgnoreRule]] = {}
        self._late: dict[str, list[IgnoreRule]] = {}
        for rule in rules:
            asked = self._late if rule.incomplete else self._early
            for event_type in rule.event_types:
                asked.setdefault(event_type, []).append(rule)
        keys = {key for rules in self._early.values() for rule in rules for key in rule.where}
        self._read_head = _head_reader(["type", *sorted(keys - {"type"})])
        self.early_types = frozenset(self._early)
        """Types of records that may be ignored however well-formed they are."""

    def early(self, value: bytes) -> tuple[str, str, str] | None:
        """Reason, type and subtype if a record is ignored whatever else it holds; None if not, or if it is not JSON."""
        if not self._early:
            return None
        try:
            event_type, data = self._read_head(value)
            rules = self._early.get(event_type)
            if rules is None:
                return None
            if not value.isascii():
                value.decode()  # msgspec does not look into strings that it skips
        except (ValueError, TypeError, RecursionError):
            return None
        return _first(rules, event_type, data)

    def late(self, event_type: str, data: Any) -> tuple[str, str, str] | None:
        """The same for a record of which a required path is missing."""
        return _first(self._late.get(event_type, ()), event_type, data)


def _first(rules: Iterable[IgnoreRule], event_type: str, data: Any) -> tuple[str, str, str] | None:
    for rule in rules:
        if rule.takes(data):
            return rule.reason, event_type, _text(data.get("type")) if isinstance(data, dict) else ""
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
