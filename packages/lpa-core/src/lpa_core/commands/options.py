"""Options that many commands take, each declared once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from cyclopts import Parameter

from lpa_core.invisible import is_utf8
from lpa_core.uris import AddressRefused, require_address


def addressed(option: str) -> Callable[[Any, Any], None]:
    """A validator of an option whose value is an address, or of one that is given several times.

    It raises AddressRefused, which names the option.
    """

    def check(_: Any, value: Any) -> None:
        for uri in [value] if isinstance(value, str) else value or ():
            try:
                require_address(uri)
            except AddressRefused as refused:
                raise AddressRefused(f"{option} {refused.address}", refused.reason) from None

    return check


def require_utf8(_: Any, value: Any) -> None:
    """A validator of texts: ValueError if bytes in one are not UTF-8, as all stored text is. A path may have them."""
    for text in value if isinstance(value, list | tuple) else [value]:
        if isinstance(text, str) and not is_utf8(text):
            raise ValueError("It has bytes that are not UTF-8: type it again")


Switch = Annotated[bool, Parameter(negative="")]
"""An option that is either given or not: there is no ``--no-...`` beside it."""

Json = Annotated[bool, Parameter(negative="", help="Print JSON.")]

Yes = Annotated[bool, Parameter(negative="", help="Do not ask on a terminal.")]

SinkUri = Annotated[
    str | None,
    Parameter(
        validator=addressed("--sink"),
        help="The database, such as clickhouse://host:8123/database or chdb://./folder. Default: the embedded database "
        "in the data folder.",
    ),
]

BackupLocation = Annotated[
    str | None,
    Parameter(
        validator=addressed("--location"),
        help="Folder or URL that holds the backups, such as s3://bucket/backups. Default: LPA_BACKUP_DIR.",
    ),
]

StoredAt = Annotated[str, Parameter(validator=addressed("LOCATION"))]
"""Where one backup or savepoint is, as the list of them shows it."""

SavepointLocation = Annotated[
    str | None,
    Parameter(
        validator=addressed("--location"),
        help="Folder or URL that holds the savepoints, such as s3://bucket/savepoints. Default: LPA_SAVEPOINT_DIR.",
    ),
]
