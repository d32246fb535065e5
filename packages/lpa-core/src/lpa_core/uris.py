"""How sources, stores, sinks and archives are addressed: a scheme and the rest, or a plain path."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit


def scheme(uri: str) -> str:
    """A URI's scheme; ``-`` for standard input or output; ``file`` for a plain path."""
    if uri == "-":
        return "-"
    head, separator, _ = uri.partition("://")
    return head.lower() if separator else "file"


def local_path(uri: str) -> Path:
    """The path of ``scheme:///absolute``, ``scheme://relative`` or a plain path, taken literally."""
    _, separator, rest = uri.partition("://")
    return Path(rest if separator else uri).expanduser()


def without_secrets(uri: str) -> str:
    """Names the place that a URI means, for files and messages: no user, no password, no parameters."""
    if scheme(uri) in ("file", "chdb"):
        return f"{scheme(uri)}:{local_path(uri).resolve()}"
    parts = urlsplit(uri)
    return f"{parts.scheme}:{parts.hostname or ''}:{parts.port or ''}{parts.path}"


def masked(text: str) -> str:
    """The text with ``***`` for whatever may be a user and a password of a URI in it.

    Up to the last ``@``, since passwords hold any character where somebody forgets to encode it.
    """
    return re.sub("//.*@", "//***@", text, flags=re.DOTALL)


def database_of(place: str, default: str) -> tuple[str, ...]:
    """The database that :func:`without_secrets` named: equal for names that leave out port or database, or do not.

    ``default`` is the database of an address that names none.
    """
    kind, _, rest = place.partition(":")
    if kind == "chdb":
        return (kind, rest)
    parts = urlsplit(f"//{rest}")
    return ("server", parts.hostname or "", str(parts.port or 8123), parts.path.strip("/") or default)
