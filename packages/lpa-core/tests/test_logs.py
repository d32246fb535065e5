"""Log lines: what a process needs to write them."""

from __future__ import annotations

import json

import pytest
import structlog

from lpa_core import logs


def test_a_line_is_written_where_something_else_has_taken_the_place_of_print(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """PyFlink puts a function of its own there, which cannot flush: a retry that logs would fail instead."""

    def print_(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("builtins.print", print_)
    logs.configure("json")
    structlog.get_logger().warning("the sink is away", attempt=1)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["attempt"]) == ("the sink is away", "warning", 1)
