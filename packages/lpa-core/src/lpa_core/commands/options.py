"""Options that many commands take, each declared once."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

Switch = Annotated[bool, Parameter(negative="")]
"""An option that is either given or not: there is no ``--no-...`` beside it."""

Json = Annotated[bool, Parameter(negative="", help="Print JSON.")]

Yes = Annotated[bool, Parameter(negative="", help="Do not ask on a terminal.")]

SinkUri = Annotated[
    str | None,
    Parameter(
        help="The database, such as clickhouse://host:8123/database or chdb://./folder. Default: the embedded database "
        "in the data folder."
    ),
]

BackupLocation = Annotated[
    str | None,
    Parameter(help="Folder or URL that holds the backups, such as s3://bucket/backups. Default: LPA_BACKUP_DIR."),
]

SavepointLocation = Annotated[
    str | None,
    Parameter(
        help="Folder or URL that holds the savepoints, such as s3://bucket/savepoints. Default: LPA_SAVEPOINT_DIR."
    ),
]
