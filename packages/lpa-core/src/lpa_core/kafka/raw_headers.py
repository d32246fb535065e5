"""The headers of a record, also if a name is not UTF-8: brokers take it, and the client's own method fails at it.

In such a name lone surrogates stand for the bytes: ``name.encode(errors="surrogateescape")`` gives them back.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

import structlog
from confluent_kafka import Message, cimpl

Headers = list[tuple[str, bytes | None]]

_SLOT: Final = ctypes.sizeof(ctypes.c_void_p)
_KNOWN_BYTES: Final = 15 * _SLOT
"""Size of a Message of which the layout below is known (confluent-kafka 2.16)."""
_TOPIC, _VALUE, _KEY, _READ_HEADERS, _HEADERS, _ERROR, _PARTITION, _OFFSET = range(2, 10)
"""Slots of a Message, in their order after the reference count and the type: pointers but for the last two."""

_log = structlog.get_logger("lpa.kafka")


def headers_of(message: Message) -> Headers | None:
    """The headers of a record that was just read, or None if it has none.

    With a client whose records have another layout, the headers of a record are left out if a name is not UTF-8.
    """
    address = _address(message)
    if address is None:
        return _by_client(message)
    return _by_library(address) if address else None


def _address(message: Message) -> int | None:
    """Where the client's library has the headers, 0 if there are none; None if that cannot be told.

    A wrong address would end the process. So everything around that slot has to be what the message itself says:
    a client with another layout of the same size does not pass.
    """
    if Message.__basicsize__ != _KNOWN_BYTES or _library() is None:
        return None
    slots = (ctypes.c_size_t * (_KNOWN_BYTES // _SLOT)).from_address(id(message))
    known = ((_TOPIC, message.topic()), (_VALUE, message.value()), (_KEY, message.key()))
    if any(slots[slot] != (0 if part is None else id(part)) for slot, part in known):
        return None
    if slots[_READ_HEADERS] or slots[_ERROR] not in (0, id(None)):
        return None
    if slots[_PARTITION] & 0xFFFF_FFFF != message.partition() or slots[_OFFSET] != message.offset():
        return None
    return slots[_HEADERS]


def _by_library(address: int) -> Headers:
    get = _library()
    assert get is not None
    found: Headers = []
    name, value, size = ctypes.c_char_p(), ctypes.c_void_p(), ctypes.c_size_t()
    while get(address, len(found), ctypes.byref(name), ctypes.byref(value), ctypes.byref(size)) == 0:
        text = (name.value or b"").decode(errors="surrogateescape")
        found.append((text, None if value.value is None else ctypes.string_at(value.value, size.value)))
    return found


def _by_client(message: Message) -> Headers | None:
    try:
        with _no_collection():
            found = message.headers()
    except (SystemError, UnicodeDecodeError):
        _log.warning("headers are left out: a name is not UTF-8", topic=message.topic(), offset=message.offset())
        return None
    pairs = found.items() if isinstance(found, dict) else found or ()
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in pairs] or None


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector out.

    The client goes on with its list after it failed at a name. A collector that runs in between takes the failure for
    its own: the list comes back with a hole, and reading that ends the process.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@cache
def _library() -> Callable[..., int] | None:
    """``rd_kafka_header_get_all`` of the library that the client is linked to."""
    try:
        found = ctypes.CDLL(cimpl.__file__).rd_kafka_header_get_all
    except (OSError, AttributeError):
        return None
    found.restype = ctypes.c_int
    found.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.POINTER(ctypes.c_void_p),
        ctypes.POINTER(ctypes.c_size_t),
    )
    return found
