"""``lpa`` and ``python -c`` without their start: most of what a short command costs is the import of libraries.

A server process imports them once; each command is a fork of it, with the caller's folder, environment and streams, so
it is a process of its own still: it can be killed, and leaves nothing behind. These programs take the place of the real
ones where a test runs many commands and does not ask how one starts.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import random
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Never, final

import typed_settings.cls_utils

PROGRAM = """#!{python} -IS
import json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
said = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [len(said).to_bytes(8, "big")], [0, 1, 2])
server.sendall(said)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: server.sendall(bytes([number])))
status = int.from_bytes(server.recv(2), "big", signed=True)
if status < 0:
    if status != -signal.SIGKILL:
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
os._exit(status)
"""


_EXITING = 0x4
"""``PF_EXITING`` of Linux's sched.h."""
LPA, PYTHON = "lpa", "python"
ENCODING = "ascii" if sys.getfilesystemencoding() == "ascii" else "utf-8"
"""Of the standard streams: a server that was started in an ASCII locale has forks in it."""
LIBRARIES = (
    "clickhouse_connect",
    "confluent_kafka",
    "lpa_core.dedup.rocksdb",
    "lpa_sinks.sink.sink",
    "numpy",
    "pyarrow",
    "pydantic",
    "rocksdict",
)
"""What commands import on demand; the engine imports the arrays, and typed_settings pydantic where it finds it."""


def preloaded_lpa() -> Path:
    """The program, alone in its folder, for a PATH."""
    return _programs() / LPA / LPA


def preloaded_python() -> Path:
    """Runs ``-c SCRIPT ARGUMENTS`` or ``FILE ARGUMENTS``, nothing else. What it forks has the libraries too."""
    return _programs() / PYTHON / PYTHON


@functools.cache
def _programs(*within: str) -> Path:
    """The folder of their folders. Their server ends with this process.

    Args:
        within: a command that runs the server, such as setpriv, with its arguments.
    """
    folder = Path(tempfile.mkdtemp(prefix="lpa-"))
    address = str(folder / "server")
    read, kept = os.pipe()  # closed with this process, however that ends
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        command = [*within, sys.executable, "-m", "services.preloaded", str(listener.fileno()), str(read)]
        server = subprocess.Popen(command, cwd=Path(__file__).parents[1], pass_fds=(listener.fileno(), read))
    os.close(read)
    for name in (LPA, PYTHON):
        program = folder / name / name
        program.parent.mkdir()
        program.write_text(PROGRAM.format(python=sys.executable, address=address))
        program.chmod(0o755)

    def end() -> None:
        os.close(kept)
        server.wait()
        shutil.rmtree(folder)

    atexit.register(end)
    return folder


@final
class Process:
    """A process of ``lpa`` that is sent signals."""

    def __init__(self, number: int, handle: int | None = None) -> None:
        """``handle`` is of another process that saw it while it was there: its number may be free again."""
        self.number = number
        self._handle = os.pidfd_open(number) if handle is None else handle

    def wait_for_start(self) -> None:
        """Wait until code of lpa runs: it handles SIGTERM, which Python alone does not."""
        while not self._ends() and not self._has("SigCgt:", 1 << (signal.SIGTERM - 1)):
            time.sleep(0.001)

    def send(self, number: int) -> bool:
        """Send a signal; False if it came too late to be noticed, for the process was ending."""
        if self._ends():
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)
        return not self._ends()

    def close(self) -> None:
        os.close(self._handle)

    def _ends(self) -> bool:
        """Whether the system takes it down already, which takes a moment."""
        try:
            flags = Path(f"/proc/{self.number}/stat").read_text().rpartition(")")[2].split()[6]
        except OSError:
            return True
        return bool(int(flags) & _EXITING)

    def _has(self, field: str, mask: int) -> bool:
        with contextlib.suppress(OSError):
            return bool(int(Path(f"/proc/{self.number}/status").read_text().partition(field)[2].split()[0], 16) & mask)
        return True


@final
class Fork:
    """A command that this process started as a fork, with these standard streams; one that is None is closed."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        streams: Sequence[int | None],
        within: Sequence[str] = (),
    ) -> None:
        """``within`` is a command that runs the server of forks, such as setpriv, with its arguments."""
        self._server = socket.socket(socket.AF_UNIX)
        self._server.connect(str(_programs(*within) / "server"))
        numbers = [number for number, stream in enumerate(streams) if stream is not None]
        said = json.dumps([[LPA, *arguments], str(folder), dict(environment), numbers]).encode()
        given = [stream for stream in streams if stream is not None]
        socket.send_fds(self._server, [len(said).to_bytes(8, "big")], given)
        self._server.sendall(said)
        process, handles, _, _ = socket.recv_fds(self._server, 8, 1)
        self.process = Process(int.from_bytes(process, "big"), handles[0])

    def fileno(self) -> int:
        """Readable once it has ended."""
        return self._server.fileno()

    def wait(self, seconds: float) -> int:
        """The exit status; below 0 the signal that ended it. Raises TimeoutError, and kills it."""
        self._server.settimeout(seconds)
        try:
            return int.from_bytes(self._received(2), "big", signed=True)
        finally:
            self._server.close()
            self.process.close()

    def _received(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            more = self._server.recv(count - len(found))
            if not more:
                raise ConnectionError("the server of forks has gone")
            found += more
        return found


def preload() -> None:
    """Import what commands import, for forks of this process. The engine starts threads: it cannot come along."""
    if "LPA_TEST_KAFKA_SECONDS" in os.environ:  # before others take the value
        vars(importlib.import_module("lpa_core.kafka.admin"))["SECONDS"] = float(os.environ["LPA_TEST_KAFKA_SECONDS"])
    for name in LIBRARIES:
        importlib.import_module(name)
    from lpa_core.cli import build_app
    from lpa_core.plugins.manager import PluginManager
    from lpa_core.settings.loading import load
    from lpa_core.settings.settings import Settings

    typed_settings.cls_utils._get_attr_docs = functools.cache(typed_settings.cls_utils._get_attr_docs)
    load({})
    build_app(Settings(), PluginManager(Settings()))
    gc.collect()
    gc.freeze()


def serve(listener: socket.socket, ends: int) -> None:
    """Fork a process for each caller, until the end of the test run."""
    preload()
    while True:
        readable, _, _ = select.select([listener, ends], [], [])
        reap()
        if ends in readable:
            return
        caller, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            os.close(ends)
            attend(caller)
        caller.close()


def reap() -> None:
    """Take leave of those that ended, so that their processor time counts as the test run's."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def attend(caller: socket.socket) -> Never:
    """Run the caller's command, pass its signals on, tell it the status; kill the command where the caller dies."""
    size, streams, _, _ = socket.recv_fds(caller, 8, 3)
    said = b""
    while len(said) < int.from_bytes(size, "big"):
        said += caller.recv(1 << 16)
    arguments, folder, environment, *watched = json.loads(said)
    numbers = watched[0] if watched else [0, 1, 2]
    command = os.fork()
    if command == 0:
        caller.close()
        run(arguments, folder, environment, dict(zip(numbers, streams, strict=True)))
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(command)
    if watched:
        socket.send_fds(caller, [command.to_bytes(8, "big")], [ended])
    while True:
        readable, _, _ = select.select([caller, ended], [], [])
        if ended in readable:
            break
        number = caller.recv(1)
        with contextlib.suppress(ProcessLookupError):
            os.kill(command, number[0] if number else signal.SIGKILL)
        if not number:
            break
    _, status = os.waitpid(command, 0)
    with contextlib.suppress(OSError):
        caller.sendall(os.waitstatus_to_exitcode(status).to_bytes(2, "big", signed=True))
    os._exit(0)


def run(arguments: list[str], folder: str, environment: dict[str, str], streams: dict[int, int]) -> Never:
    for number, stream in streams.items():
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    program, *sys.argv[1:] = arguments
    sys.stdin = open(0, encoding=ENCODING, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=ENCODING, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding=ENCODING, closefd=False, buffering=1, errors="backslashreplace")  # noqa: SIM115
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if number not in streams:  # as Python has it where one is closed
            setattr(sys, name, None)
            os.close(number)
    if Path(program).name == PYTHON:
        given = sys.argv[1:]
        if given[0] == "-c":
            sys.argv[1:] = given[2:]
            exec(given[1], {"__name__": "__main__"})
        else:
            sys.argv = given
            runpy.run_path(given[0], run_name="__main__")
        sys.exit()
    from lpa_core.cli import main

    main()
    raise AssertionError("main exits")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
