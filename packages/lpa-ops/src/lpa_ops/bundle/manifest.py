"""What every manifest has: a format, size and checksum of each file, and a checksum of its own. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, TypeVar, final

import attrs
import msgspec

from lpa_core.errors import JobFailed


class DamagedManifestError(JobFailed):
    """It cannot be read, or is not as it was written. The message says which."""


@final
@attrs.frozen(slots=True)
class SavedFile:
    """``sha256`` is in lower-case hex."""

    size: int
    sha256: str


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a manifest is written from: ``checksum`` is the rest's SHA-256, ``files`` are paths below the bundle."""

    format: int
    files: dict[str, SavedFile]
    checksum: str = ""


T = TypeVar("T", bound=Sealed)


def encode(content: Sealed) -> bytes:
    """The manifest's text, for machines and for people."""
    return msgspec.json.format(msgspec.json.encode(_with_checksum(content)), indent=2) + b"\n"


def decode(text: bytes, type_: type[T], format_: int) -> T:
    """Raises DamagedManifestError."""
    try:
        version: Any = msgspec.json.decode(text, type=dict[str, Any]).get("format")
        if version != format_:
            raise DamagedManifestError(f"it has the format {version!r}, and this version of lpa reads {format_}")
        content = msgspec.json.decode(text, type=type_)
    except msgspec.DecodeError as error:
        raise DamagedManifestError(f"it cannot be read ({error})") from None
    if content != _with_checksum(content):
        raise DamagedManifestError("its checksum does not match")
    return content


def require_below(paths: Iterable[str], what: str) -> None:
    """Raise DamagedManifestError if a path leads out of the ``what`` that it should be in."""
    if not all(_is_below(path) for path in paths):
        raise DamagedManifestError(f"it names files outside the {what}")


def _with_checksum(content: T) -> T:
    plain = msgspec.structs.replace(content, checksum="")
    digest = hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()
    return msgspec.structs.replace(plain, checksum=digest)


def _is_below(path: str) -> bool:
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts
