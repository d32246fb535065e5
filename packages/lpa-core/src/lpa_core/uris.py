"""How sources, stores, sinks and archives are addressed: a scheme and the rest, or a plain path. The one parser of it.

What an address cannot mean is refused everywhere, in the same words. Messages show neither users nor passwords.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, final
from urllib.parse import unquote, urlsplit

import attrs

from lpa_core.errors import UsageError
from lpa_core.invisible import is_utf8

IDENTIFIER: Final = "letters, digits and underscores, no digit first"
"""What a database may be called."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HOST: Final = re.compile(r"\w([\w.-]*[\w.])?|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?\]")
KAFKA_PORT: Final = 9092
"""Of a broker that is named without one."""
_IGNORED: Final = "nothing reads what is behind ? or #: leave it out"
_BARE_IPV6: Final = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*")
_ENCODED: Final = "its port is not a number, or a character such as / ? # @ in a name is not percent-encoded"

_OF_PATHS: Final = ("file", "chdb", "rocksdb")
_OF_SERVERS: Final = ("clickhouse", "http", "https")
_OF_BUCKETS: Final = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl")


class AddressRefused(UsageError):
    """An address, path or name cannot mean what it is given for. The message names it, why, and what to write.

    Attributes:
        address: without a login.
        reason: the rest of the message.
        form: it is only about the form of the address, which a message that says what is expected names already.
    """

    def __init__(self, address: str, reason: str, *, form: bool = False) -> None:
        super().__init__(f"{address}: {reason}")
        self.address, self.reason, self.form = address, reason, form


class HostPort(NamedTuple):
    """A host, an IPv6 address without its brackets, and a port; None if none is given."""

    host: str
    port: int | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


@final
@attrs.frozen
class ServerAddress:
    """What ``scheme://user@host:port/path`` names; ``path`` is without slashes at its ends, and decoded."""

    scheme: str
    user: str
    place: HostPort
    path: str


def scheme(uri: str) -> str:
    """A URI's scheme; ``-`` for standard input or output; ``file`` for a plain path."""
    if uri == "-":
        return "-"
    head, separator, _ = uri.partition("://")
    return head.lower() if separator else "file"


def local_path(uri: str) -> Path:
    """The path of ``scheme:///absolute``, ``scheme://relative`` or a plain path, taken literally but for ``~``.

    Raises AddressRefused if it begins with a ``~user`` whom this machine does not know, holds a line break
    or another control character, or is of an embedded database or store, and the whole path is not UTF-8.
    """
    _, separator, rest = uri.partition("://")
    text = rest if separator else uri
    _refuse_control(uri)
    if scheme(uri) == "chdb" and "?" in text:
        raise AddressRefused(uri, "the name of the embedded database's folder cannot hold a question mark")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise AddressRefused(uri, f"this machine knows no user {text.partition('/')[0]}: write the path") from None
    if scheme(uri) in ("chdb", "rocksdb") and not is_utf8(str(path.absolute())):
        raise AddressRefused(
            f"{scheme(uri)}://{path.absolute()}",
            "a folder in this path has a name that is not UTF-8: choose another folder, also by LPA_DATA_DIR",
        )
    return path


def server_address(uri: str) -> ServerAddress:
    """The ClickHouse server that a URI names.

    Raises AddressRefused for what is not a URI, and for one with a password, a query or a fragment: nothing of lpa's
    reads these.
    """
    _refuse_unsendable(uri)
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise AddressRefused(masked(uri), f"not a URI: {_ENCODED}", form=True) from None
    if parts.password is not None:
        raise AddressRefused(
            f"{parts.scheme}://{parts.hostname}",
            "a password in a URI ends up in process lists and logs: set CLICKHOUSE_PASSWORD instead",
        )
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise AddressRefused(masked(uri), f"not a URI: {_ENCODED}", form=True)
    if "?" in uri or "#" in uri:
        raise AddressRefused(masked(uri), _IGNORED)
    host = parts.hostname or ""
    if port == 0 or (host and not _HOST.fullmatch(f"[{host}]" if ":" in host else host)):
        raise AddressRefused(masked(uri), f"not a URI: {_ENCODED}", form=True)
    place = HostPort(host, port)
    return ServerAddress(parts.scheme.lower(), unquote(parts.username or ""), place, unquote(parts.path.strip("/")))


def host_and_port(text: str) -> HostPort:
    """``host``, ``host:port`` or, of IPv6, ``[::1]`` and ``[::1]:port``. Raises AddressRefused."""
    _refuse_unsendable(text)
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        host, port = text, ""
    digits = port.isascii() and port.isdigit() and int(port) <= 65_535
    if not _HOST.fullmatch(host) or (separator and host != text and not digits):
        if _BARE_IPV6.fullmatch(text):
            raise AddressRefused(text, "an IPv6 address stands in brackets, such as [::1]:9092")
        raise AddressRefused(masked(text), "not a host and port, such as host:9092", form=True)
    return HostPort(host.strip("[]"), int(port) if port else None)


def hosts_and_ports(text: str) -> Sequence[HostPort]:
    """Brokers, comma separated, at least one; librdkafka's ``PROTOCOL://`` may stand before each.

    Raises AddressRefused.
    """
    found = [host_and_port(part.strip().rpartition("://")[2]) for part in text.split(",") if part.strip()]
    if not found:
        raise AddressRefused(repr(text), "no broker is named: write host:port, comma separated")
    return found


def kafka_source(uri: str) -> tuple[str, str]:
    """The brokers and the topic of ``kafka://host:port,host:port/topic``, each empty if it is left out.

    Raises AddressRefused.
    """
    _refuse_unsendable(uri)
    brokers, _, topic = uri.partition("://")[2].partition("/")
    if "@" in uri:
        raise AddressRefused(
            "kafka://...",
            "a source names brokers and a topic alone: a login goes into LPA_KAFKA_SASL_USERNAME and "
            "LPA_KAFKA_SASL_PASSWORD",
        )
    if "?" in uri or "#" in uri:
        raise AddressRefused(masked(uri), _IGNORED)
    if brokers:
        hosts_and_ports(brokers)
    return brokers, topic.strip("/")


def object_store_address(uri: str) -> str:
    """``s3://bucket/path`` and its like, as it is. Raises AddressRefused if it holds more than a bucket and a path."""
    _refuse_unsendable(uri)
    if any(character in uri for character in "?#@[]"):
        raise AddressRefused(
            f"{scheme(uri)}://...",
            "it holds more than a bucket and a path: name only these, and give credentials and "
            "options in the environment (such as AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL)",
        )
    return uri


def require_address(uri: str) -> None:
    """Raise AddressRefused if it is of a kind that lpa itself knows, and cannot mean anything of it.

    What an empty text means is known to whatever takes it.
    """
    kind = scheme(uri)
    if kind in _OF_PATHS:
        if uri.endswith("://"):
            raise AddressRefused(uri, "names no folder or file: write its path")
        local_path(uri)
    elif kind in _OF_SERVERS:
        address = server_address(uri)
        if address.path:
            require_identifier(address.path, f"{masked(uri)}: database")
    elif kind == "kafka":
        kafka_source(uri)
    elif kind in _OF_BUCKETS:
        object_store_address(uri)
    elif kind == "memory" and uri != "memory://":
        raise AddressRefused(masked(uri), "claims in memory have no place: write memory://")
    else:
        _refuse_unsendable(uri)


def require_identifier(name: str, what: str) -> str:
    """The name, if statements can hold it. Raises AddressRefused otherwise. ``what`` says whose it is."""
    if not _IDENTIFIER.fullmatch(name):
        raise AddressRefused(f"{what} {name!r}", f"expected {IDENTIFIER}")
    return name


def without_secrets(uri: str) -> str:
    """Names the place that a URI means, for files and messages: no user, no password, no parameters."""
    if scheme(uri) in ("file", "chdb"):
        return f"{scheme(uri)}:{local_path(uri).resolve()}"
    parts = urlsplit(uri)
    host = parts.hostname or ""
    return f"{parts.scheme}:{f'[{host}]' if ':' in host else host}:{parts.port or ''}{parts.path}"


def masked(text: str) -> str:
    """The text with ``***`` for whatever may be a user and a password of a URI in it, or its query.

    Up to the last ``@``, since passwords hold any character where somebody forgets to encode it.
    """
    without_login = re.sub("//.*@", "//***@", text, flags=re.DOTALL)
    # A host and a port have no slashes before them.
    without_login = re.sub(r"[^\s'\"/@,]+:(?!//)[^\s'\"]*@", "***@", without_login)
    return re.sub(r"(://[^\s?'\"]*\?)[^\s'\"]+", r"\1***", without_login)


def database_of(place: str, default: str) -> tuple[str, ...]:
    """The database that :func:`without_secrets` named: equal for names that leave out port or database, or do not.

    ``default`` is the database of an address that names none.
    """
    kind, _, rest = place.partition(":")
    if kind == "chdb":
        return (kind, rest)
    parts = urlsplit(f"//{rest}")
    return ("server", parts.hostname or "", str(parts.port or 8123), parts.path.strip("/") or default)


def _refuse_unsendable(text: str) -> None:
    """What names a server goes over a connection."""
    _refuse_control(text)
    if not is_utf8(text):
        raise AddressRefused(masked(text), "has bytes that are not UTF-8: type it again")


def _refuse_control(text: str) -> None:
    """Line breaks and their like are invisible, and come from files that end in one."""
    if text.endswith(("\n", "\r")):
        raise AddressRefused(repr(masked(text.rstrip())), "ends in a line break: leave it out")
    if _CONTROL.search(text):
        raise AddressRefused(repr(masked(text)), "holds a control character: leave it out")
