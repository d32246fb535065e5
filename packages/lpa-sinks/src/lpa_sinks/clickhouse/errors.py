"""What an error of ClickHouse or of its client means for the rows that were being written.

The one place where codes are judged. Names and numbers are ClickHouse's own (``errorCodeToName``).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError, DataError, OperationalError, ProgrammingError

from lpa_core.system_errors import PASSING, explained, has_advice, number_in
from lpa_sinks.clickhouse.answers import NotClickHouseError


class ErrorKind(StrEnum):
    RETRY = "retry"
    """The same insert may succeed later: a network, a limit, a server that is busy or short of something."""
    ROW = "row"
    """Rows of the block cannot be stored; others of it can."""
    CONFIGURATION = "configuration"
    """Nothing like it will ever be stored until a person changes something."""
    UNKNOWN = "unknown"


_RETRY: Final = {
    95: "CANNOT_READ_FROM_SOCKET",
    96: "CANNOT_WRITE_TO_SOCKET",
    159: "TIMEOUT_EXCEEDED",
    160: "TOO_SLOW",
    173: "CANNOT_ALLOCATE_MEMORY",
    198: "DNS_ERROR",
    201: "QUOTA_EXCEEDED",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    203: "NO_FREE_CONNECTION",
    204: "CANNOT_FSYNC",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    216: "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
    225: "NO_ZOOKEEPER",
    236: "ABORTED",
    241: "MEMORY_LIMIT_EXCEEDED",
    242: "TABLE_IS_READ_ONLY",
    243: "NOT_ENOUGH_SPACE",
    244: "UNEXPECTED_ZOOKEEPER_ERROR",
    252: "TOO_MANY_PARTS",
    254: "NO_ACTIVE_REPLICAS",
    265: "NO_AVAILABLE_REPLICA",
    279: "ALL_CONNECTION_TRIES_FAILED",
    285: "TOO_FEW_LIVE_REPLICAS",
    286: "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE",
    289: "REPLICA_IS_NOT_IN_QUORUM",
    297: "SHARD_HAS_NO_CONNECTIONS",
    319: "UNKNOWN_STATUS_OF_INSERT",
    364: "RECEIVED_ERROR_TOO_MANY_REQUESTS",
    372: "SESSION_NOT_FOUND",
    373: "SESSION_IS_LOCKED",
    394: "QUERY_WAS_CANCELLED",
    410: "EXTERNAL_SERVER_IS_NOT_RESPONDING",
    416: "REPLICA_STATUS_CHANGED",
    425: "SYSTEM_ERROR",
    439: "CANNOT_SCHEDULE_TASK",
    473: "DEADLOCK_AVOIDED",
    499: "S3_ERROR",
    500: "AZURE_BLOB_STORAGE_ERROR",
    519: "NO_REMOTE_SHARD_AVAILABLE",
    529: "NOT_A_LEADER",
    571: "DATABASE_REPLICATION_FAILED",
    574: "DISTRIBUTED_TOO_MANY_PENDING_BYTES",
    659: "UNKNOWN_STATUS_OF_TRANSACTION",
    692: "TOO_MANY_MUTATIONS",
    733: "TABLE_IS_BEING_RESTARTED",
    735: "QUERY_WAS_CANCELLED_BY_CLIENT",
    745: "SERVER_OVERLOADED",
    749: "TCP_CONNECTION_LIMIT_REACHED",
    762: "HTTP_CONNECTION_LIMIT_REACHED",
    776: "RESOURCE_LIMIT_EXCEEDED",
    999: "KEEPER_EXCEPTION",
}
_ROW: Final = {
    6: "CANNOT_PARSE_TEXT",
    19: "SIZE_OF_FIXED_STRING_DOESNT_MATCH",
    25: "CANNOT_PARSE_ESCAPE_SEQUENCE",
    26: "CANNOT_PARSE_QUOTED_STRING",
    27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
    38: "CANNOT_PARSE_DATE",
    41: "CANNOT_PARSE_DATETIME",
    53: "TYPE_MISMATCH",
    69: "ARGUMENT_OUT_OF_BOUND",
    70: "CANNOT_CONVERT_TYPE",
    72: "CANNOT_PARSE_NUMBER",
    117: "INCORRECT_DATA",
    128: "TOO_LARGE_ARRAY_SIZE",
    130: "CANNOT_READ_ARRAY_FROM_TEXT",
    131: "TOO_LARGE_STRING_SIZE",
    153: "ILLEGAL_DIVISION",
    321: "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
    349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
    376: "CANNOT_PARSE_UUID",
    395: "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO",
    407: "DECIMAL_OVERFLOW",
    441: "CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING",
    467: "CANNOT_PARSE_BOOL",
    469: "VIOLATED_CONSTRAINT",
    675: "CANNOT_PARSE_IPV4",
    676: "CANNOT_PARSE_IPV6",
    691: "UNKNOWN_ELEMENT_OF_ENUM",
}
_CONFIGURATION: Final = {
    8: "THERE_IS_NO_COLUMN",
    10: "NOT_FOUND_COLUMN_IN_BLOCK",
    16: "NO_SUCH_COLUMN_IN_TABLE",
    20: "NUMBER_OF_COLUMNS_DOESNT_MATCH",
    43: "ILLEGAL_TYPE_OF_ARGUMENT",
    44: "ILLEGAL_COLUMN",
    46: "UNKNOWN_FUNCTION",
    47: "UNKNOWN_IDENTIFIER",
    48: "NOT_IMPLEMENTED",
    50: "UNKNOWN_TYPE",
    60: "UNKNOWN_TABLE",
    62: "SYNTAX_ERROR",
    73: "UNKNOWN_FORMAT",
    81: "UNKNOWN_DATABASE",
    115: "UNKNOWN_SETTING",
    122: "INCOMPATIBLE_COLUMNS",
    164: "READONLY",
    192: "UNKNOWN_USER",
    193: "WRONG_PASSWORD",
    194: "REQUIRED_PASSWORD",
    195: "IP_ADDRESS_NOT_ALLOWED",
    218: "TABLE_IS_DROPPED",
    291: "DATABASE_ACCESS_DENIED",
    344: "SUPPORT_IS_DISABLED",
    392: "QUERY_IS_PROHIBITED",
    452: "SETTING_CONSTRAINT_VIOLATION",
    471: "INVALID_SETTING_VALUE",
    472: "READONLY_SETTING",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
    720: "USER_EXPIRED",
}
CODES: Final[Mapping[int, tuple[str, ErrorKind]]] = {
    code: (name, verdict)
    for verdict, codes in (
        (ErrorKind.RETRY, _RETRY),
        (ErrorKind.ROW, _ROW),
        (ErrorKind.CONFIGURATION, _CONFIGURATION),
    )
    for code, name in codes.items()
}
"""Code -> name and verdict. A code that is not here is UNKNOWN."""

_NOT_THERE: Final = (47, 60)
"""UNKNOWN_IDENTIFIER, UNKNOWN_TABLE."""
_SERIALISATION_ERRORS: Final = (TypeError, ValueError, OverflowError, AttributeError, struct.error)
"""What clickhouse-connect lets through when a value does not fit its column's type."""

_NEVER_TAKEN: Final = (405, 407, 411, 413, 414, 431)
"""A proxy in between does not pass on what is sent, no matter how often."""
_LARGER: Final = "let it take larger requests (client_max_body_size of nginx), or reach ClickHouse past it"
_BETWEEN: Final = {
    407: "what stands between wants a login of its own: give it in the proxy's address, or name the host in NO_PROXY",
    413: f"what stands between takes no request of this size: {_LARGER}",
    414: "what stands between takes no URL of this length: let it take 8 KB, or reach ClickHouse past it",
    431: "what stands between takes no headers of this length: let it take 8 KB, or reach ClickHouse past it",
}
"""Status -> what to do."""
_CONSTRAINT: Final = re.compile(r"Constraint `([^`]*)`")


def classify(error: Exception) -> ErrorKind:
    """What follows for the rows from an error that a ClickHouse client raised."""
    if isinstance(error, ClickHouseError):
        return _of_client(error)
    if isinstance(error, OSError):
        return ErrorKind.RETRY if error.errno in PASSING else ErrorKind.CONFIGURATION
    return ErrorKind.ROW if isinstance(error, _SERIALISATION_ERRORS) else ErrorKind.UNKNOWN


def _of_client(error: ClickHouseError) -> ErrorKind:
    code = getattr(error, "code", None)
    if code is not None:
        return CODES[code][1] if code in CODES else _of_system(number_in(str(error)))
    if isinstance(error, NotClickHouseError) and error.status in _NEVER_TAKEN:
        return ErrorKind.CONFIGURATION
    if isinstance(error, OperationalError):
        return ErrorKind.RETRY
    if isinstance(error, DataError):
        return ErrorKind.ROW
    return ErrorKind.CONFIGURATION if isinstance(error, ProgrammingError) else ErrorKind.UNKNOWN


def _of_system(number: int | None) -> ErrorKind:
    """What follows from an error of the system that ClickHouse passes on, whatever it was doing."""
    if number is None:
        return ErrorKind.UNKNOWN
    return ErrorKind.RETRY if number in PASSING else ErrorKind.CONFIGURATION


def describe(error: Exception) -> str:
    """The error in a few words that never hold a value of a row: its name and code, or what the system said."""
    code = getattr(error, "code", None)
    if code is not None:
        name = CODES[code][0] if code in CODES else getattr(error, "name", None) or "error"
        constraint = _CONSTRAINT.search(str(error))
        number = number_in(str(error)) if code not in CODES else None
        told = f"{name} (code {code})" + (f", constraint {constraint[1]}" if constraint else "")
        return told + (f": {explained(number)}" if number is not None else "")
    if isinstance(error, NotClickHouseError):
        return str(error)
    return _root_cause(error)


def explain(error: Exception) -> str:
    """ClickHouse's own words on one line, for errors of configuration: these name columns, tables and users."""
    if isinstance(error, NotClickHouseError):
        return _BETWEEN.get(error.status, "check what stands between here and ClickHouse")
    text = str(error).rpartition("DB::Exception: ")[2].partition(" (for url ")[0].partition(". In scope ")[0]
    return " ".join(text.split())[:500]


def is_not_there(error: BaseException) -> bool:
    """Whether the database lacks a table or column that a statement of lpa reads: an earlier version made it."""
    return getattr(error, "code", None) in _NOT_THERE


def _root_cause(error: BaseException) -> str:
    """What the operating system said, such as ``Connection refused``; else the kind of error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return explained(cause.errno) if cause.errno and has_advice(cause.errno) else cause.strerror
        wrapped = getattr(cause, "reason", None)
        cause = cause.__cause__ or cause.__context__ or (wrapped if isinstance(wrapped, Exception) else None)
    return type(error).__name__
