"""What a setting's text in the environment, or its value in ``lpa.toml``, stands for; ValueError where for nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from lpa_core.invisible import invisible_at_ends, is_utf8, trimmed
from lpa_core.settings.thresholds import Thresholds
from lpa_core.uris import (
    AddressRefused,
    host_and_port,
    hosts_and_ports,
    local_path,
    masked,
    object_store_address,
    require_identifier,
    scheme,
    server_address,
)

T = TypeVar("T")


def option(default: Any, accepts: str, doc: str, convert: Callable[[Any], Any], *, secret: bool = False) -> Any:
    """A setting. ``convert`` takes what the environment or the file holds, and raises ValueError if it is wrong."""
    return attrs.field(
        default=default,
        converter=convert,
        repr=False if secret else without_credentials,
        metadata={"accepts": accepts, "doc": doc, "secret": secret},
    )


MOST_DAYS: Final = 36_500
"""A hundred years. With many more, the day on which they are over is in no calendar."""
EARLIEST_EPOCH_MS: Final = 100_000_000_000
"""March 1973, which in seconds is the year 5138."""


def text(value: Any) -> str:
    return any_text(_some_text(value))


def any_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    if not is_utf8(value):
        raise ValueError from AddressRefused("a text", "it has bytes that are not UTF-8: write it again")
    return value


def _some_text(value: Any) -> str:
    """What is not empty. A path may have bytes that are not UTF-8."""
    if not isinstance(value, str) or not trimmed(value):
        raise ValueError
    return trimmed(value)


def secret_text(value: Any) -> str:
    """Nothing is trimmed: what looks like an accident is refused."""
    if invisible := invisible_at_ends(any_text(value)):
        raise ValueError from AddressRefused("a secret", invisible)
    return any_text(value)


def identifier(value: Any) -> str:
    try:
        return require_identifier(text(value), "name")
    except AddressRefused:  # its reason is what the setting accepts
        raise ValueError from None


WHOLE: Final = "a whole number of at least 1"
TOPIC_NAME: Final = "a topic name: letters, digits and ._-, 249 at most"


def topic_name(value: Any) -> str:
    """What brokers take as a topic. A name that begins with ^ would be a pattern to the client."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", text(value)) or text(value) in (".", ".."):
        raise ValueError
    return text(value)


TOPIC_NAMES: Final = "topic names, comma separated, each once"


def topic_names(value: Any) -> tuple[str, ...]:
    found = tuple(topic_name(name) for name in names(value))
    if len(set(found)) < len(found):
        raise ValueError
    return found


ORG_BY_TOPIC: Final = "topic=org, comma separated, each topic once; an org is letters, digits and ._-, 64 at most"


def org_by_topic(value: Any) -> tuple[str, ...]:
    """``topic=org``; nothing after the = is the org of events that have none."""
    return _by_topic(value, r"[A-Za-z0-9._-]{0,64}")


RESET_BY_TOPIC: Final = "topic=earliest or topic=latest, comma separated, each topic once"


def reset_by_topic(value: Any) -> tuple[str, ...]:
    return _by_topic(value, "earliest|latest")


MASKED_PATHS: Final = (
    "path=hash or path=drop, comma separated, each path once, such as data.user_info.ip=hash; "
    "not id, type, timestamp, version, data or data.type"
)
RECORD_PATH: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_IDENTIFYING: Final = ("id", "type", "timestamp", "version", "data", "data.type")


def masked_paths(value: Any) -> tuple[str, ...]:
    """Paths of a record; none of them below another, and none that tells what the record is."""
    found = [each.partition("=") for each in names(value)]
    paths = [trimmed(path) for path, _, _ in found]
    if not all(RECORD_PATH.fullmatch(path) for path in paths):
        raise ValueError
    if any(path in _IDENTIFYING or path.startswith("__") for path in paths):
        raise ValueError
    if any(f"{other}.".startswith(f"{path}.") for path in paths for other in [*paths] if other is not path):
        raise ValueError
    if not all(trimmed(how) in ("hash", "drop") for _, _, how in found):
        raise ValueError
    return tuple(f"{path}={trimmed(how)}" for path, (_, _, how) in zip(paths, found, strict=True))


MASK_KEY: Final = "any text of at least 16 characters"


def mask_key(value: Any) -> str:
    if 0 < len(secret_text(value)) < 16:
        raise ValueError
    return secret_text(value)


def _by_topic(value: Any, accepted: str) -> tuple[str, ...]:
    found = [each.partition("=") for each in names(value)]
    if len({topic_name(topic) for topic, _, _ in found}) < len(found):
        raise ValueError
    if not all(equals and re.fullmatch(accepted, trimmed(said)) for _, equals, said in found):
        raise ValueError
    return tuple(f"{topic_name(topic)}={trimmed(said)}" for topic, _, said in found)


def topic_name_or_none(value: Any) -> str:
    return "" if any_text(value).strip() == "" else topic_name(value)


GROUP_NAME: Final = "a name in printable ASCII, 249 characters at most"


def group_name(value: Any) -> str:
    """What the client takes as the name of a group or of a member: it refuses to commit under another."""
    if not re.fullmatch(r"[ -~]{1,249}", text(value)):
        raise ValueError
    return text(value)


def group_name_or_none(value: Any) -> str:
    return "" if any_text(value).strip() == "" else group_name(value)


def http_url(value: Any) -> str:
    """A user and a password are let through here: what connects refuses the password with where it belongs."""
    address = _parsed(server_address, re.sub("//.*@", "//", text(value), flags=re.DOTALL))
    if address.scheme not in ("http", "https") or not address.place.host:
        raise ValueError
    if address.path:
        _parsed(lambda name: require_identifier(name, "database"), address.path)
    return text(value)


def origin_or_none(value: Any) -> str:
    """Scheme, host and port of an HTTP server. A login in it would be shown: it is refused."""
    if any_text(value).strip() == "":
        return ""
    if "@" in value:
        raise ValueError
    address = _parsed(server_address, text(value))
    if address.scheme not in ("http", "https") or not address.place.host or address.path:
        raise ValueError
    return text(value).rstrip("/")


def address(value: Any) -> str:
    if _parsed(host_and_port, text(value)).port is None:
        raise ValueError
    return text(value)


def brokers(value: Any) -> str:
    """As librdkafka takes them: it does not take spaces behind the commas."""
    _parsed(hosts_and_ports, text(value))
    return ",".join(part.strip() for part in text(value).split(",") if part.strip())


def brokers_or_none(value: Any) -> str:
    return "" if any_text(value).strip() == "" else brokers(value)


def location_or_none(value: Any) -> str:
    """A folder or the URL of an object store. A login in it is refused by what opens it."""
    if isinstance(value, str) and value.strip() == "":
        return ""
    location = _some_text(value)
    if scheme(location) == "file":
        _parsed(local_path, location)
    else:
        _parsed(object_store_address, re.sub("//.*@", "//", location, flags=re.DOTALL))
    return location


def _parsed(parse: Callable[[str], T], value: str) -> T:
    try:
        return parse(value)
    except AddressRefused as refused:
        raise ValueError from None if refused.form else refused


def token(value: Any) -> str:
    """What an Authorization header can carry (RFC 6750 section 2.1), and nobody guesses; or nothing."""
    if value != "" and not re.fullmatch(r"[A-Za-z0-9._~+/-]{16,}=*", text(value)):
        raise ValueError
    return trimmed(any_text(value))


def token_or_anybody(value: Any) -> str:
    """A token, or the word that says that nobody has to send one; or nothing."""
    return trimmed(value) if isinstance(value, str) and trimmed(value) == "anybody" else token(value)


def folder(value: Any) -> Path:
    """What is a path already is the default in a working folder, whose name is what it is."""
    return (value if isinstance(value, Path) else _parsed(local_path, _some_text(value))).absolute()


def file_or_none(value: Any) -> Path | None:
    return None if value is None or value == "" else folder(value)


def names(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError
    return tuple(text(part) for part in parts if part != "")


def some_names(value: Any) -> tuple[str, ...]:
    found = names(value)
    if not found:
        raise ValueError
    return found


def days_by_environment(value: Any) -> tuple[str, ...]:
    """``environment=days`` for some of the environments; the others keep their backups for ever."""
    found = names(value)
    days = dict(part.split("=", 1) for part in found if "=" in part)
    if len(days) != len(found) or not set(days) <= {"dev", "staging", "prod"}:
        raise ValueError
    if any(whole(1)(number) > MOST_DAYS for number in days.values()):
        raise ValueError
    return tuple(f"{environment}={whole(1)(number)}" for environment, number in days.items())


def one_of(*accepted: str) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if text(value) not in accepted:
            raise ValueError
        return text(value)

    return convert


def whole(least: int, most: int | None = None) -> Callable[[Any], int]:
    """``most`` is for what is waited for, reckoned with or handed to a library, all of which end somewhere."""

    def convert(value: Any) -> int:
        digits = trimmed(value) if isinstance(value, str) else str(value) if type(value) is int else ""
        if not (digits.isascii() and digits.isdigit()) or int(digits) < least:
            raise ValueError
        if most is not None and int(digits) > most:
            raise ValueError
        return int(digits)

    return convert


def epoch_ms_or_none(value: Any) -> int | None:
    """Epoch seconds would be milliseconds of 1970: a time so early is none that anybody means."""
    if value is None or value == "":
        return None
    moment = whole(0)(value)
    if moment < EARLIEST_EPOCH_MS:
        raise ValueError
    return moment


def share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not 0 <= float(value) <= 1:
        raise ValueError
    return float(value)


def number(least: float) -> Callable[[Any], float]:
    def convert(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        found = float(value)
        if not (math.isfinite(found) and found >= least):
            raise ValueError
        return found

    return convert


def rising(value: Any) -> Thresholds:
    return _thresholds(value, falling=False)


def falling(value: Any) -> Thresholds:
    return _thresholds(value, falling=True)


def _thresholds(value: Any, *, falling: bool) -> Thresholds:
    if isinstance(value, Thresholds):
        return value
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError
    warning, critical = map(number(0), parts)
    if warning != critical and (critical < warning) is not falling:
        raise ValueError
    return Thresholds(warning, critical, falling)


def properties(table: Mapping[str, Any]) -> dict[str, str]:
    """The values of librdkafka's properties as librdkafka takes them."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in table.items()}


def without_credentials(value: Any) -> str:
    return masked(repr(value))
