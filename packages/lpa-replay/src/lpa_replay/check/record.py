"""A run of a fixture on disk, and where two runs differ."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

import attrs
import msgspec
from cattrs.preconf.msgspec import make_converter

from lpa_core.replays import ReplayRefused
from lpa_replay.check.layers import Dump

_ROWS_SHOWN: Final = 3
_CONVERTER: Final = make_converter()


@final
@attrs.frozen
class RunDifference:
    """The first layer and table in which two runs differ, and the first rows that only one of them has."""

    layer: str
    table: str
    only_recorded: tuple[str, ...]
    only_now: tuple[str, ...]


def write_record(path: Path, run: Sequence[Dump]) -> None:
    """Raises ReplayRefused if the file cannot be written."""
    text = msgspec.json.encode(_CONVERTER.unstructure(list(run)))
    try:
        path.write_bytes(zstd.compress(text))
    except OSError as error:
        raise ReplayRefused(f"{path}: {error.strerror}: --output takes a file that can be written") from None


def read_record(path: Path) -> list[Dump]:
    """Raises ReplayRefused if the file is none that :func:`write_record` wrote."""
    try:
        return _CONVERTER.structure(msgspec.json.decode(zstd.decompress(path.read_bytes())), list[Dump])
    except OSError as error:
        raise ReplayRefused(
            f"{path}: {error.strerror}: --against takes what `lpa replay check --output` wrote"
        ) from None
    except Exception as error:  # whatever the decoders say of what is not a record
        raise ReplayRefused(f"{path} is not a recorded run: --against takes what `check --output` wrote") from error


def first_difference(recorded: Sequence[Dump], now: Sequence[Dump]) -> RunDifference | None:
    """None if the runs are the same. A table that one of them lacks counts as empty there."""
    before = {(dump.layer, dump.table): dump for dump in recorded}
    after = {(dump.layer, dump.table): dump for dump in now}
    for layer, table in [*after, *(key for key in before if key not in after)]:
        rows_before = before[layer, table].rows if (layer, table) in before else ()
        rows_after = after[layer, table].rows if (layer, table) in after else ()
        if rows_before != rows_after:
            return RunDifference(layer, table, _first_of(rows_before, rows_after), _first_of(rows_after, rows_before))
    return None


def _first_of(some: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    left = Counter(some) - Counter(others)
    return tuple(row for row in dict.fromkeys(some) if left[row])[:_ROWS_SHOWN]
