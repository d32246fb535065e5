"""The clock of a ClickHouse server, beside this machine's."""

from __future__ import annotations

import time

from clickhouse_connect.driver.client import Client

from lpa_core.delivery.batch_clock import SLACK_MS
from lpa_core.release import shown


def ahead_of_server(client: Client) -> str:
    """Say both times if this machine's clock is more than :data:`SLACK_MS` ahead of the server's; else return "".

    Rows expire, and claims are judged, by both clocks. A clock that is behind the server's proves itself wrong as soon
    as it meets what is stored. One that is ahead from the start of a worker does not.

    Raises the client's errors.
    """
    asked = time.time_ns() // 1_000_000
    ((there,),) = client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows
    if asked <= there + SLACK_MS:
        return ""
    return f"the clock of this machine says {shown(asked)}, and ClickHouse's {shown(there)}"
