"""Ports that a test process keeps are given to no other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from lpa_core.testing.ports import free_ports


def in_another_process(among: Sequence[int] | None = None) -> int:
    """The port that another process is given, out of these alone; it keeps the port until it ends: until now."""
    only = "" if among is None else f"ports._PORTS = {list(among)};"
    script = f"from lpa_core.testing import ports; {only} print(ports.free_port())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    return int(done.stdout)


def test_kept_ports_are_passed_over() -> None:
    kept = free_ports(5)
    assert len(set(kept)) == 5
    free = in_another_process()
    assert in_another_process([*kept, free]) == free


def test_ports_are_none_of_those_of_outgoing_connections() -> None:
    assert max(free_ports(20)) < 32_768
