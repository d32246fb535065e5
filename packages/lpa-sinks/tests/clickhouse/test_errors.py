from __future__ import annotations

import errno
import struct

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, DataError, Error, OperationalError, ProgrammingError

from lpa_sinks.clickhouse.answers import NotClickHouseError
from lpa_sinks.clickhouse.errors import CODES, Verdict, classify, describe, explain


def test_codes_bear_the_names_that_clickhouse_gives_them(engine: Client) -> None:
    names = engine.query(
        "SELECT code, errorCodeToName(code) FROM (SELECT arrayJoin({codes:Array(Int32)}) AS code)",
        parameters={"codes": list(CODES)},
    ).result_rows
    assert dict(names) == {code: name for code, (name, _) in CODES.items()}


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (252, Verdict.RETRY),
        (241, Verdict.RETRY),
        (159, Verdict.RETRY),
        (999, Verdict.RETRY),
        (242, Verdict.RETRY),
        (243, Verdict.RETRY),
        (210, Verdict.RETRY),
        (319, Verdict.RETRY),
        *((code, Verdict.ROW) for code in (6, 26, 27, 53, 70, 72, 131, 349, 469)),
        (60, Verdict.CONFIGURATION),
        (16, Verdict.CONFIGURATION),
        (81, Verdict.CONFIGURATION),
        (497, Verdict.CONFIGURATION),
        (516, Verdict.CONFIGURATION),
        (49, Verdict.UNKNOWN),
        (1002, Verdict.UNKNOWN),
        (987654, Verdict.UNKNOWN),
    ],
)
@pytest.mark.parametrize("kind", [DatabaseError, OperationalError, ProgrammingError])
def test_a_code_decides(code: int, verdict: Verdict, kind: type[Error]) -> None:
    assert classify(kind(f"Code: {code}. DB::Exception: words", code=code)) is verdict


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (OperationalError("Error executing HTTP request"), Verdict.RETRY),
        *(
            (NotClickHouseError(status, "a page"), Verdict.RETRY)
            for status in (200, 204, 302, 401, 403, 404, 429, 502, 511)
        ),
        *((NotClickHouseError(status, "a page"), Verdict.CONFIGURATION) for status in (405, 407, 413)),
        (DatabaseError("something new"), Verdict.UNKNOWN),
        (ProgrammingError("Setting async_insert is readonly"), Verdict.CONFIGURATION),
        (DataError("Invalid None value in non-Nullable column"), Verdict.ROW),
        (struct.error("required argument is not an integer"), Verdict.ROW),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), Verdict.ROW),
        (OverflowError("int too large to convert to float"), Verdict.ROW),
        (TypeError("expected bytes, str found"), Verdict.ROW),
        (OSError(errno.ENOSPC, "No space left on device"), Verdict.RETRY),
        (OSError(errno.EACCES, "Permission denied"), Verdict.CONFIGURATION),
        (KeyError("x"), Verdict.UNKNOWN),
    ],
)
def test_errors_without_a_code(error: Exception, verdict: Verdict) -> None:
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
        (24, Verdict.RETRY, "CANNOT_OPEN_FILE (code 76): Too many open files: this process may have"),
        (28, Verdict.RETRY, "No space left on device: make room on the disk"),
        (30, Verdict.CONFIGURATION, "Read-only file system: mount the file system writable"),
        (13, Verdict.CONFIGURATION, "Permission denied: give this user the right"),
    ],
)
def test_failure_14_an_error_of_the_system_decides_where_the_code_tells_nothing(
    number: int, verdict: Verdict, told: str
) -> None:
    text = f"Code: 76. DB::ErrnoException: Cannot open file /x: , errno: {number}, strerror: words. (CANNOT_OPEN_FILE)"
    error = DatabaseError(text, code=76, name="CANNOT_OPEN_FILE")
    assert classify(error) is verdict
    assert told in describe(error)
