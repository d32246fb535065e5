"""What an error of the operating system means for a person, if Python, RocksDB or ClickHouse reports it."""

from __future__ import annotations

import errno
import os
import re
import resource
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

_ADVICE: Final[Mapping[int, str]] = {
    errno.EMFILE: "raise its limit: `ulimit -n`, LimitNOFILE= of a service, --ulimit nofile= of a container",
    errno.ENFILE: "the machine has no more open files to give: raise fs.file-max",
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room, or have this user's disk quota raised",
    errno.EIO: "the disk fails: look into the system's log, and replace it",
    errno.EROFS: "mount the file system writable, or name another folder",
    errno.EACCES: "give this user the right to read and write it, or name another folder",
    errno.EPERM: "give this user the right to read and write it, or name another folder",
    errno.ESTALE: "the network file system has lost it: mount it again",
}
"""None of these is a fault in lpa, nor damage to what is stored."""
PASSING: Final = (errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE)
"""May be over when it is tried again: somebody makes room, another file is closed."""

_BY_TEXT: Final = {os.strerror(number): number for number in _ADVICE}
_NUMBER: Final = re.compile(r"\berrno: (\d+)")
_USUAL_LIMIT: Final = 256
"""The lowest that any system begins with."""
_FILES_TO_TRY: Final = 16
"""More than opening any one thing takes at once."""


def has_advice(number: int) -> bool:
    return number in _ADVICE


def number_in(text: str) -> int | None:
    """The error of the system that a text of another program names, if lpa has advice for it."""
    given = _NUMBER.search(text)
    if given and int(given[1]) in _ADVICE:
        return int(given[1])
    return next((number for words, number in _BY_TEXT.items() if words in text), None)


def advice(number: int) -> str:
    """What to do about an error that lpa has advice for."""
    if number == errno.EMFILE:
        return f"this process may have {_limit():,} files and connections open: {_ADVICE[number]}"
    return _ADVICE[number]


def explained(number: int) -> str:
    """What the system says, and what to do: ``No space left on device: make room on the disk``."""
    return f"{os.strerror(number)}: {advice(number)}"


def out_of_files() -> bool:
    """Whether this process can open no more files: what failed for that may say something else."""
    opened: list[int] = []
    try:
        for _ in range(_FILES_TO_TRY):
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    finally:
        for handle in opened:
            os.close(handle)
    return False


def may_have_run_out_of_files() -> bool:
    """Whether this process can open so few files that something which closed its own again may have met the limit."""
    return _limit() < _USUAL_LIMIT or out_of_files()


def raise_limit_of_files() -> None:
    """Let this process have as many files open as its user may, as databases do: what is usual is too little."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # some systems allow less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
