from __future__ import annotations

import errno
import struct

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, DataError, Error, OperationalError, ProgrammingError

from lpa_sinks.clickhouse.answers import NotClickHouseError
from lpa_sinks.clickhouse.errors import CODES, ErrorKind, classify, describe, explain


def test_codes_bear_the_names_that_clickhouse_gives_them(engine: Client) -> None:
    names = engine.query(
        "SELECT code, errorCodeToName(code) FROM (SELECT arrayJoin({codes:Array(Int32)}) AS code)",
        parameters={"codes": list(CODES)},
    ).result_rows
    assert dict(names) == {code: name for code, (name, _) in CODES.items()}


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (252, ErrorKind.RETRY),
        (241, ErrorKind.RETRY),
        (159, ErrorKind.RETRY),
        (999, ErrorKind.RETRY),
        (242, ErrorKind.RETRY),
        (243, ErrorKind.RETRY),
        (210, ErrorKind.RETRY),
        (319, ErrorKind.RETRY),
        *((code, ErrorKind.ROW) for code in (6, 26, 27, 53, 70, 72, 131, 349, 469)),
        (60, ErrorKind.CONFIGURATION),
        (16, ErrorKind.CONFIGURATION),
        (81, ErrorKind.CONFIGURATION),
        (497, ErrorKind.CONFIGURATION),
        (516, ErrorKind.CONFIGURATION),
        (49, ErrorKind.UNKNOWN),
        (1002, ErrorKind.UNKNOWN),
        (987654, ErrorKind.UNKNOWN),
    ],
)
@pytest.mark.parametrize("kind", [DatabaseError, OperationalError, ProgrammingError])
def test_a_code_decides(code: int, verdict: ErrorKind, kind: type[Error]) -> None:
    assert classify(kind(f"Code: {code}. DB::Exception: words", code=code)) is verdict


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (OperationalError("Error executing HTTP request"), ErrorKind.RETRY),
        *(
            (NotClickHouseError(status, "a page"), ErrorKind.RETRY)
            for status in (200, 204, 302, 401, 403, 404, 429, 502, 511)
        ),
        *((NotClickHouseError(status, "a page"), ErrorKind.CONFIGURATION) for status in (405, 407, 413)),
        (DatabaseError("something new"), ErrorKind.UNKNOWN),
        (ProgrammingError("Setting async_insert is readonly"), ErrorKind.CONFIGURATION),
        (DataError("Invalid None value in non-Nullable column"), ErrorKind.ROW),
        (struct.error("required argument is not an integer"), ErrorKind.ROW),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), ErrorKind.ROW),
        (OverflowError("int too large to convert to float"), ErrorKind.ROW),
        (TypeError("expected bytes, str found"), ErrorKind.ROW),
        (OSError(errno.ENOSPC, "No space left on device"), ErrorKind.RETRY),
        (OSError(errno.EACCES, "Permission denied"), ErrorKind.CONFIGURATION),
        (KeyError("x"), ErrorKind.UNKNOWN),
    ],
)
def test_errors_without_a_code(error: Exception, verdict: ErrorKind) -> None:
    assert classify(error) is verdict


def test_a_description_has_the_name_and_the_constraint_but_no_value() -> None:
    text = (
        "Code: 469. DB::Exception: Constraint `short` for table d.t (4fc0) is violated at row 2. "
        "Expression: (length(text) < 5). Column values: text = 'a secret (SECRET)'. (VIOLATED_CONSTRAINT)"
    )
    assert describe(DatabaseError(text, code=469)) == "VIOLATED_CONSTRAINT (code 469), constraint short"


def test_a_description_of_an_unlisted_code_has_the_name_that_came_with_it() -> None:
    assert describe(DatabaseError("words", code=49, name="LOGICAL_ERROR")) == "LOGICAL_ERROR (code 49)"


def test_a_description_of_a_network_error_says_what_the_system_said() -> None:
    error = OperationalError("Error HTTPConnectionPool(host='h'): Max retries exceeded")
    error.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    assert describe(error) == "Connection refused"


def test_an_explanation_is_one_line_of_clickhouses_own_words() -> None:
    text = (
        "Received ClickHouse exception, code: 16, server response: Code: 16. DB::Exception: No such column size\n"
        "in table d.t. (NO_SUCH_COLUMN_IN_TABLE) (for url http://localhost:8123)"
    )
    assert explain(DatabaseError(text, code=16)) == "No such column size in table d.t. (NO_SUCH_COLUMN_IN_TABLE)"


def test_clickhouses_words_end_before_the_query() -> None:
    text = "Code: 60. DB::Exception: Unknown table expression identifier 'd.t'. In scope SELECT 1 FROM d.t. (UNKNOWN)"
    assert explain(DatabaseError(text, code=60)) == "Unknown table expression identifier 'd.t'"


@pytest.mark.parametrize(
    ("number", "verdict", "told"),
    [
        (24, ErrorKind.RETRY, "CANNOT_OPEN_FILE (code 76): Too many open files: this process may have"),
        (28, ErrorKind.RETRY, "No space left on device: make room on the disk"),
        (30, ErrorKind.CONFIGURATION, "Read-only file system: mount the file system writable"),
        (13, ErrorKind.CONFIGURATION, "Permission denied: give this user the right"),
    ],
)
def test_failure_14_an_error_of_the_system_decides_where_the_code_tells_nothing(
    number: int, verdict: ErrorKind, told: str
) -> None:
    text = f"Code: 76. DB::ErrnoException: Cannot open file /x: , errno: {number}, strerror: words. (CANNOT_OPEN_FILE)"
    error = DatabaseError(text, code=76, name="CANNOT_OPEN_FILE")
    assert classify(error) is verdict
    assert told in describe(error)
