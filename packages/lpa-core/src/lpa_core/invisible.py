"""What a text holds that nobody sees: line breaks at its ends, byte order marks, bytes that are not UTF-8."""

from __future__ import annotations

import codecs
from typing import Final

_LINE_BREAKS: Final = "\r\n"
_MARK: Final = "\ufeff"
_INVISIBLE: Final = f"{_MARK}\u200b\u2060"
"""Byte order mark, zero-width space, word joiner: what programs put around a text that is copied."""
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_LOOKED_AT: Final = 512


def trimmed(text: str) -> str:
    """The text without white space and invisible characters at its ends."""
    before = None
    while text != before:
        before, text = text, text.strip().strip(_INVISIBLE)
    return text


def without_line_break(text: str) -> str:
    """The text without line breaks at its end, which a file ends in, and a byte order mark at its beginning."""
    return text.rstrip(_LINE_BREAKS).removeprefix(_MARK)


def invisible_at_ends(text: str) -> str:
    """What is wrong with the ends of a secret, which cannot be trimmed: it may be meant. Empty if nothing is."""
    if text.endswith(("\r", "\n")):
        return "ends in a line break: leave it out"
    if text.startswith(_MARK):
        return "begins with a byte order mark: leave it out"
    if text.strip(_INVISIBLE) != text:
        return "begins or ends with an invisible character: leave it out"
    return ""


def is_utf8(text: str) -> bool:
    """Whether no bytes of a command line or an environment are in it that are not UTF-8: no column can hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_of(content: bytes) -> str:
    """The text of a file in UTF-8, without a byte order mark.

    Raises ValueError, saying after the file's name what is wrong: ``is UTF-16 text: save it as UTF-8``.
    """
    if content.startswith(_UTF_16) or b"\0" in content[:_LOOKED_AT]:
        raise ValueError("is UTF-16 text, or binary: save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 text (byte {error.start + 1}): save it as UTF-8") from None
