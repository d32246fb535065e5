"""A token that is remembered without its rows, as a kill inside an insert leaves it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys, time
from pathlib import Path
from lpa_core.tables import Block, Column, Kind, Table
from lpa_core.events.event_type import typed_table
from lpa_sinks.clickhouse.client import Endpoint
from lpa_sinks.clickhouse.sink import ClickHouseSink

table = typed_table("things", Column("name", Kind.TEXT), order_by=("name",))

NOW = time.time_ns() // 1_000_000

def block(*offsets):
    count = len(offsets)
    rows = [[1767900000000] * count, ["uid"] * count, [""] * count, ["topic"] * count, [0] * count,
            list(offsets), [NOW] * count, [0] * count, ["x"] * count]
    return Block(table, "topic", 0, offsets, rows, "token")

sink = ClickHouseSink(Endpoint("livepeer_analytics", path=Path(sys.argv[1])))
sink.open([table])
client = sink._opened
count = lambda: client.command("SELECT count() FROM livepeer_analytics.things")
sink.write(block(0, 2, 4))
sink.write(block(0, 1, 2, 3, 4))
assert count() == 3  # the token is remembered, rows are missing
sink.complete(block(0, 1, 2, 3, 4))
assert count() == 5
sink.complete(block(0, 1, 2, 3, 4))
assert count() == 5
assert client.command("SELECT uniqExact(source_offset) FROM livepeer_analytics.things") == 5
sink.close()
"""


def test_what_a_remembered_token_lost_is_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "db")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
