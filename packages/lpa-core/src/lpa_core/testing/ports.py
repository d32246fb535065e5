"""Ports of the loopback interface for the servers of tests."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

_PORTS = range(10_000, 32_000)
"""Below the ports that Linux gives to outgoing connections (``ip_local_port_range`` begins at 32,768)."""


def free_ports(count: int) -> list[int]:
    """``count`` ports that nobody listens on, kept for this process until it ends.

    A server that is stopped finds its port free when it starts again: neither an outgoing connection nor another
    test process takes it meanwhile.
    """
    # One folder for all test runs of the machine, wherever each keeps its temporary files.
    folder = Path("/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()) / f"lpa-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    ports: list[int] = []
    chooser = random.SystemRandom()  # a seed would send all test processes to the same ports
    while len(ports) < count:
        port = chooser.choice(_PORTS)
        lease = os.open(folder / str(port), os.O_CREAT | os.O_WRONLY)  # open until the process ends
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            os.close(lease)
            continue
        ports.append(port)
    return ports


def free_port() -> int:
    """One port, as ``free_ports`` keeps them."""
    return free_ports(1)[0]
