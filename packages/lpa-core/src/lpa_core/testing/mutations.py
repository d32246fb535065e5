"""Events as no producer should send them, each of which some producer could: for fuzzing.

Live streams and jobs of :mod:`lpa_core.generate`, in which values, types, keys, nesting and bytes are changed at
random. Some stay whole, so that changed events and good ones are of the same sessions.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final, final

import msgspec

from lpa_core.generate.generator import generate

_WHOLE: Final = 0.5
"""Share of records that stay as they are."""

_ODD_TEXTS: Final = (
    "",
    " ",
    "\t\n",
    "\x00",
    "a\x00b",
    "x" * 5_000,
    "\U0001f600é",
    "İ",
    "ﬀ",
    "\u200b",
    "\ufeff",
    "\u2028",
    "\u00a0",
    "'; DROP TABLE x; --",
    'a"b\\c',
    "null",
    "true",
    "NaN",
    "inf",
    "-Infinity",
    "1e400",
    "0x10",
    "1_000",
    "٣",
    "²",
    "+7",
    " 7 ",
    "-1",
    "007",
    "1.0",
    "9" * 45,
    "1767900000000",
    "1767900000",
    "2026-01-08T19:20:00Z",
)
_ODD_NUMBERS: Final = (
    0,
    -1,
    -5,
    1,
    2**16 - 1,
    2**16,
    2**31,
    -(2**31) - 1,
    2**32,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    2**64 - 1,
    -0.0,
    0.1,
    -1.5,
    1.0,
    5e-324,
    1e308,
    3.5e38,
    -3.5e38,
    16777217.0,
)
_RAW_VALUES: Final = tuple(
    map(
        msgspec.Raw,
        (
            b"-0",
            b"-0.0",
            b"0e0",
            b"1E5",
            b"1.0e0",
            b"1e999",
            b"-1e999",
            b"1e-999",
            b"18446744073709551616",
            b"123456789012345678901234567890",
            b"-9223372036854775809",
            b"9" * 5_000,
            b"0." + b"1" * 400,
            rb'"\u0000"',
            rb'"\ud83d\ude00"',
            rb'"\ud800"',
            rb'"\udc00x"',
            rb'"\u00e9"',
            b"NaN",
            b"-Infinity",
            b"01",
            b'"\xff"',
            b'"\xed\xa0\x80"',
            b"[" * 1_200 + b"]" * 1_200,
            b'{"a":' * 300 + b"1" + b"}" * 300,
        ),
    )
)
"""JSON as it is written, valid or not."""

_ODD_TIMES: Final = (
    0,
    1,
    1_767_900_000,
    1_767_900_000_000_000,
    -2_208_988_800_000,
    -2_208_988_800_001,
    10_413_791_999_999,
    10_413_792_000_000,
    86_400,
    4_294_967_296_000,
)
"""Epoch times in other units, and at the edges of what a column holds."""

_SHIFTS: Final = (1, -1, 999, 5_000, -30_000, 61_000, -3_600_000, 3_600_000, 86_400_000, -90_000_000)
"""Milliseconds."""
_TIME: Final = re.compile("timestamp|time|_ts")
"""In the name of a field that holds one."""

_MARKS: Final = ("__replay", "__replay_id", "__replay_attempt", "__replay_first_failure_ms", "__replay_ts", "__Replay")
_TYPES: Final = (
    "ai_stream_status",
    "stream_ingest_metrics",
    "stream_trace",
    "network_capabilities",
    "ai_stream_events",
    "discovery_results",
    "create_new_payment",
    "create_signed_ticket",
    "stream_heartbeat",
    "stream_stats",
    "ai_batch_request",
    "ai_llm_request",
    "job_gateway",
    "job_orchestrator",
    "job_payment",
    "job_auth",
    "worker_lifecycle",
    "AI_STREAM_STATUS",
    "nothing_known",
)
_VERSIONS: Final[tuple[Any, ...]] = (
    "1",
    "v1",
    "2",
    "",
    1,
    1.0,
    1.5,
    -0.0,
    True,
    None,
    [],
    "V1",
    " 1",
    msgspec.Raw(b"1e0"),
)
_ATTEMPTS: Final[tuple[Any, ...]] = (
    -5,
    0,
    1,
    2**16 - 1,
    2**16,
    2**63,
    2**64,
    -(2**70),
    1.5,
    "3",
    "-3",
    True,
    None,
    msgspec.Raw(b"-0"),
)

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.encode


@final
class Mutator:
    """Changes records at random; values of earlier records come up again in later ones."""

    def __init__(self, rng: Random, *, times: bool = True) -> None:
        """``times``: change times too, to other units and other centuries."""
        self._rng, self._times = rng, times
        self._seen: deque[tuple[Any, Any]] = deque(maxlen=500)
        self._changes: tuple[Callable[[dict[str, Any]], None], ...] = (
            self._replace,
            self._replace,
            self._another_records,
            self._another_records,
            self._nearly_the_same,
            self._nearly_the_same,
            self._other_kind,
            self._remove,
            self._rename,
            self._add,
            self._move,
            self._envelope,
            self._envelope,
            self._time,
        )

    def mutated(self, record: bytes) -> bytes:
        """The record with one to three changes."""
        rng = self._rng
        try:
            root = _decode(record)
        except (ValueError, RecursionError):
            root = None
        if not isinstance(root, dict) or rng.random() < 0.08:
            return self._bytes(record)
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            rng.choice(self._changes)(root)
        text = _encode(root)
        return self._key_twice(text) if rng.random() < 0.03 else text

    def odd_value(self) -> Any:
        """A JSON value, or the text of one, of any kind."""
        rng = self._rng
        match rng.randrange(10):
            case 0 | 1 | 2:
                return rng.choice(_ODD_TEXTS)
            case 3 | 4 | 5:
                return rng.choice(_ODD_NUMBERS)
            case 6:
                return rng.choice(_RAW_VALUES)
            case 7:
                return rng.choice((None, True, False))
            case 8:
                return rng.choice(([], {}, [None], [[]], {"": None}, ["x", 1], {"a": {"b": [1]}}))
            case _:
                return rng.uniform(-1e6, 1e6)

    def _place(self, root: dict[str, Any]) -> tuple[Any, Any]:
        """An object or array within the record, and one of its keys or indexes."""
        root.setdefault("type", self._rng.choice(_TYPES))
        holder, key = self._rng.choice([place for place in _places(root) if self._times or not _holds_time(place[1])])
        if not isinstance(holder[key], dict | list):
            self._seen.append((key, holder[key]))
        return holder, key

    def _replace(self, root: dict[str, Any]) -> None:
        holder, key = self._place(root)
        holder[key] = self.odd_value()

    def _another_records(self, root: dict[str, Any]) -> None:
        holder, key = self._place(root)
        values = [value for name, value in self._seen if name == key]
        if values:
            holder[key] = self._rng.choice(values)

    def _nearly_the_same(self, root: dict[str, Any]) -> None:
        holder, key = self._place(root)
        value, rng = holder[key], self._rng
        if isinstance(value, str):
            changes = (value.upper(), f" {value}", f"{value} ", value[:-1], f"{value}x", value.swapcase(), "")
            holder[key] = rng.choice(changes)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            holder[key] = rng.choice((value + 1, -value, value * 1000, 0, float(value), str(value)))
        else:
            holder[key] = None

    def _other_kind(self, root: dict[str, Any]) -> None:
        holder, key = self._place(root)
        value = holder[key]
        text = value if isinstance(value, str) else _encode(value).decode(errors="replace")
        holder[key] = self._rng.choice(
            (text, [value], {"value": value}, value is not None, len(text), float(len(text)))
        )

    def _remove(self, root: dict[str, Any]) -> None:
        holder, key = self._place(root)
        del holder[key]

    def _rename(self, root: dict[str, Any]) -> None:
        holder, key = self._place(root)
        if isinstance(holder, dict):
            holder[self._rng.choice((key.upper(), f" {key}", f"{key}\u0000", "", "version", "region"))] = holder.pop(
                key
            )

    def _add(self, root: dict[str, Any]) -> None:
        holder, _ = self._place(root)
        if isinstance(holder, dict):
            name = self._rng.choice(("version", "region", "broadcaster", "orchestrator", "unknown", "", "a.b"))
            holder[name] = self.odd_value()
        else:
            holder.append(self.odd_value())

    def _move(self, root: dict[str, Any]) -> None:
        """A part to where another stands."""
        from_holder, from_key = self._place(root)
        part = from_holder[from_key]
        holder, key = self._place(root)
        if not any(inner is holder for inner, _ in [*_places(part), (part, "")]):
            holder[key] = part

    def _envelope(self, root: dict[str, Any]) -> None:
        rng = self._rng
        match rng.randrange(8):
            case 0:
                root["type"] = rng.choice((*_TYPES, self.odd_value()))
            case 1:
                root["id"] = self.odd_value()
            case 2:
                root["version"] = rng.choice(_VERSIONS)
            case 3:
                root["gateway"] = self.odd_value()
            case 4:
                root["__replay_attempt"] = rng.choice(_ATTEMPTS)
            case 5:
                for mark in rng.sample(_MARKS, 2):
                    root[mark] = rng.choice((True, False, 1, "run-1", self.odd_value()))
            case 6:
                root["data"] = [root.get("data")] if rng.random() < 0.5 else self.odd_value()
            case _:
                root.pop(rng.choice(("id", "type", "timestamp", "gateway", "version", "data")), None)

    def _time(self, root: dict[str, Any]) -> None:
        if not self._times:
            return
        rng = self._rng
        places = [place for place in _places(root) if _holds_time(place[1])]
        if not places:
            return
        holder, key = rng.choice(places)
        now = int(holder[key]) if str(holder[key]).isdecimal() and len(str(holder[key])) < 20 else 0
        time = rng.choice((rng.choice(_ODD_TIMES), now + rng.choice(_SHIFTS), now // 1000, now * 1000, now / 1000))
        holder[key] = rng.choice((time, str(time)))

    def _bytes(self, record: bytes) -> bytes:
        rng = self._rng
        at = rng.randrange(len(record) + 1)
        match rng.randrange(9):
            case 0:
                return record[:at]
            case 1:
                return record[at:]
            case 2:
                return record[:at] + bytes((rng.randrange(256),)) + record[at + 1 :]
            case 3:
                return record[:at] + rng.choice((b"\xff", b"\x00", b"\xed\xa0\x80", rb"\u0000", b"\xc3")) + record[at:]
            case 4:
                return (
                    rng.choice((b"\xef\xbb\xbf", b" \t", b"", b"\x00"))
                    + record
                    + rng.choice((b" ", b"\t", b",", b"{}"))
                )
            case 5:
                return record + record
            case 6:
                return b"[" + record + b"]"
            case 7:
                return record.replace(b'"', b"'")
            case _:
                return rng.choice((b"", b" ", b"null", b"0", b'""', b"[]", b"{}", b"[" * 3_000, b"\xff\xfe", b"nul"))

    def _key_twice(self, text: bytes) -> bytes:
        """One of the record's keys again, before the first or after the last, in the root or in ``data``."""
        rng = self._rng
        keys = re.findall(rb'"(\w+)":', text) or [b"type"]
        again = b'"%s":%s' % (rng.choice(keys), _encode(self.odd_value()))
        start = text.find(b'"data":{') + 8 if rng.random() < 0.5 and b'"data":{' in text else 1
        inner = text[start:].lstrip()
        if rng.random() < 0.5 or start > 1:
            return text[:start] + again + (b"" if inner.startswith(b"}") else b",") + text[start:]
        return text[:-1] + (b"" if inner.startswith(b"}") else b",") + again + b"}"


def mutated_records(count: int, seed: int, *, whole: float = _WHOLE, times: bool = True) -> Iterator[bytes]:
    """``count`` records in order of arrival, without line ends in them. The same arguments give the same bytes.

    Args:
        whole: the share of records that stay as they were generated.
        times: change times too, to other units and other centuries.
    """
    rng = Random(f"{seed} mutations")
    mutator = Mutator(rng, times=times)
    streams = max(1, count // 60)
    for record in generate(count, duplicates=0.02, bad=0.02, jobs=0.25, sessions=streams, seed=seed):
        changed = record if rng.random() < whole else mutator.mutated(record)
        yield changed.replace(b"\n", b" ")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every object or array within a value, with each of its keys or indexes."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from _places(inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield value, index
            yield from _places(inner)


def _holds_time(key: Any) -> bool:
    return isinstance(key, str) and _TIME.search(key) is not None
