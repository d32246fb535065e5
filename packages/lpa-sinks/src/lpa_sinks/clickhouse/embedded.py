"""The embedded engine: chDB on a folder."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import time
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, ProgrammingError

from lpa_core.proxies import reach_loopback_directly
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable
from lpa_core.system_errors import explained, may_have_run_out_of_files, number_in, out_of_files
from lpa_sinks.clickhouse.errors import describe
from lpa_sinks.clickhouse.opening_lock import needed
from lpa_sinks.clickhouse.read_socket import ask_to_give_way

_OTHER_PATH: Final = re.compile(r"already initialized with path '([^']*)'")
_PID: Final = re.compile(r"^PID: (\d+)", re.MULTILINE)
_CLOSING_SECONDS: Final = 5
_LOOK_AGAIN_SECONDS: Final = 0.02
_SHARE: Final = "wait for it or stop it, or use a ClickHouse server, which many processes can share"


class DamagedDatabaseError(SinkMisconfigured):
    """The files of an embedded database are not what the engine left there."""


def open_embedded(path: Path) -> Client:
    """A client of the database in ``path``, which is made where it is missing.

    A process can have one such path open, by any number of clients; and a path can be open in one process. A process
    that only reads, such as `lpa serve`, is asked to close it.
    Raises SinkMisconfigured otherwise, and where the folder cannot be written; DamagedDatabaseError where it holds none
    that the engine can open; SinkUnavailable.
    """
    _make_folder(path)
    is_loaded = _load()  # before readers have to stay away: it takes a second
    with needed(path):
        if is_loaded and holder_of(path) and ask_to_give_way(path):
            _wait_until_closed(path)
        return open_to_read(path)


def open_to_read(path: Path) -> Client:
    """A client as of :func:`open_embedded`, for a process that asks nobody to give way. Raises the same."""
    _make_folder(path)
    holder = holder_of(path)
    if holder:
        raise SinkMisconfigured(f"{path}: the embedded database is open in {holder}", remedy=_SHARE)
    _load()
    try:
        with as_file(files("lpa_sinks.clickhouse").joinpath("embedded.xml")) as configuration:
            options = {"config-file": str(configuration)}
            return clickhouse_connect.get_client(interface="chdb", path=str(path), chdb_options=options)
    except ImportError:
        if out_of_files():  # modules that cannot be opened are told as missing
            raise SinkMisconfigured(f"{path}: {explained(errno.EMFILE)}") from None
        raise SinkMisconfigured("the embedded database is not installed: pip install 'lpa-sinks[chdb]'") from None
    except ClickHouseError as error:
        other = _OTHER_PATH.search(str(error))
        if other:
            raise SinkMisconfigured(
                f"{path}: this process has the embedded database in {other[1]} open, and can have only one: "
                "use the same folder for both"
            ) from None
        reason = str(error).partition("DB::Exception: ")[2].partition("\n")[0].partition(", Stack trace")[0]
        # The engine gives no reason for it, and has closed its files again.
        number = errno.EMFILE if may_have_run_out_of_files() else number_in(str(error))
        if number is not None:
            raise SinkMisconfigured(f"{path}: the embedded database does not start: {explained(number)}") from None
        if not isinstance(error, ProgrammingError):  # it started, and does not answer
            raise SinkUnavailable(f"{path}: the embedded database does not answer: {describe(error)}") from None
        holder = holder_of(path)
        if holder:  # it was faster, between the look and the opening
            raise SinkMisconfigured(f"{path}: the embedded database is open in {holder}", remedy=_SHARE) from None
        raise DamagedDatabaseError(
            f"{path}: the embedded database cannot be opened ({reason or 'no reason given'}): "
            "restore the folder from a backup, or choose another"
        ) from None


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(None, "Permission denied")
    except OSError as error:
        raise SinkMisconfigured(
            f"{path}: no place for the embedded database ({error.strerror}): choose a folder that can be written"
        ) from None


def _load() -> bool:
    """Load the engine. Whether there is one: the process that opens the database says so if there is none."""
    reach_loopback_directly()  # for the object stores of its backups
    # Read when it is loaded: it gives back what merges used within a fifth of a second instead of ten.
    os.environ.setdefault("JE_MALLOC_CONF", "dirty_decay_ms:200,muzzy_decay_ms:0")
    try:
        import chdb  # noqa: F401
    except ImportError:
        return False
    return True


def _wait_until_closed(path: Path) -> None:
    """Wait for a moment: who gave way has ended its reads, and closes its files."""
    deadline = time.monotonic() + _CLOSING_SECONDS
    while holder_of(path) and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_SECONDS)


def holder_of(path: Path) -> str:
    """Which other process has the database open; empty if none has.

    Looks at the engine's own lock: the engine would print to standard error before it fails.
    """
    try:
        status = (path / "status").open()
    except OSError:
        return ""
    with status:
        try:
            fcntl.flock(status, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _PID.search(status.read())
            if pid is None or int(pid[1]) != os.getpid():
                return f"process {pid[1]}" if pid else "another process"
    return ""
