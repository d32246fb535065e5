"""Each call is written down, and what cannot be written down is not answered."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from lpa_core.errors import ConfigurationError
from lpa_ops.mcp.audit import AuditLog


def test_each_call_is_a_line_with_its_arguments_and_outcome(agent: Any) -> None:
    agent("query", sql="SELECT 1")
    agent.refused("query", sql="DROP TABLE x")
    agent.refused("rm")
    first, second, third = agent.log()
    assert (first["tool"], first["arguments"], first["outcome"]) == ("query", {"sql": "SELECT 1"}, "answered")
    assert first["bytes"] > 0
    assert first["time"].endswith("Z")
    assert first["transport"] == "test"
    assert (second["outcome"], second["arguments"]["sql"]) == ("refused", "DROP TABLE x")
    assert second["why"]
    assert (third["tool"], third["outcome"]) == ("rm", "refused")
    assert stat.S_IMODE(agent.audit.path.stat().st_mode) == 0o600


def test_failure_35_secrets_in_arguments_are_masked(agent: Any) -> None:
    agent.refused("trace", of="s3://key:hunter2@bucket/x?token=hunter2", deep={"a": ["https://u:hunter2@host/"]})
    (line,) = agent.log()
    assert "hunter2" not in agent.audit.path.read_text()
    assert "***" in line["arguments"]["of"]


def test_failure_35_a_log_that_cannot_be_written_stops_the_answers(agent: Any, tmp_path: Path) -> None:
    agent("query", sql="SELECT 1")
    agent.audit.path.unlink()
    agent.audit.path.mkdir()
    assert "the audit log cannot be written" in agent.refused("query", sql="SELECT 1")
    with pytest.raises(ConfigurationError, match="set LPA_MCP_AUDIT"):
        AuditLog(agent.audit.path)
