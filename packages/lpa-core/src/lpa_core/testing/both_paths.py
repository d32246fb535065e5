"""Compares both paths through the pipeline: ``python -m lpa_core.testing.both_paths --inputs 1000000 [--seed N]``.

For each record, every row and every reject envelope that it could become has to be equal: as an event, as a duplicate,
and as an event that a sink refused.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

import attrs

from lpa_core.delivery.blocks import blocks, envelopes, settle
from lpa_core.delivery.ranges import Range
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import envelope_json
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.plugins.manager import PluginManager
from lpa_core.records import RecordBatch
from lpa_core.settings.settings import Settings
from lpa_core.testing.mutations import mutated_records
from lpa_core.validation.json_document import Document
from lpa_core.validation.reasons import Failure

_AT_ONCE: Final = 1_000
_PER_SEED: Final = 20_000


def _passes(document: Document) -> Failure | None:
    return None


EVENT_TYPES: Final = PluginManager(Settings()).event_types()
FAST: Final = Pipeline(EVENT_TYPES)
THOROUGH: Final = Pipeline(EVENT_TYPES, plugin_validators=[_passes])
"""A validator of a plugin sends every record the thorough way."""


@attrs.frozen(slots=True)
class PathDifference:
    record: bytes
    fast: Sequence[str]
    thorough: Sequence[str]

    def __str__(self) -> str:
        only_fast = [row for row in self.fast if row not in self.thorough]
        only_thorough = [row for row in self.thorough if row not in self.fast]
        return f"{self.record!r}\n  fast:     {only_fast}\n  thorough: {only_thorough}"


def differences(records: Sequence[bytes]) -> Iterator[PathDifference]:
    """The records of which the two paths make different rows."""
    for start in range(0, len(records), _AT_ONCE):
        some = records[start : start + _AT_ONCE]
        fast, thorough = rows(FAST, some), rows(THOROUGH, some)
        if fast != thorough:
            for offset, record in enumerate(some):
                if fast[offset] != thorough[offset]:
                    yield PathDifference(record, fast[offset], thorough[offset])


def rows(pipeline: Pipeline, records: Sequence[bytes]) -> dict[int, list[str]]:
    """For each record's index all rows and envelopes that it could become, as text."""
    offsets = range(len(records))
    batch = RecordBatch("topic", 0, offsets, records)
    whole = Range("topic", 0, 0, len(records), len(records), "", 1_767_900_000_000)
    verdicts = pipeline.judge(batch, whole.batch_time)
    found: dict[int, list[str]] = defaultdict(list)
    for offset, verdict in enumerate(verdicts):
        if isinstance(verdict, Accepted) and verdict.discarded:
            found[offset].append(f"discarded {verdict.discarded}")
    for fate in (
        whole,
        attrs.evolve(whole, duplicates=frozenset(offsets)),
        attrs.evolve(whole, refused=dict.fromkeys(offsets, "why")),
    ):
        settled = settle(batch, verdicts, [None] * len(records), fate, pipeline.describe)
        rejects = envelopes(settled, batch, fate, pipeline.max_row_bytes)
        for reject in rejects:
            found[reject.source.offset].append(envelope_json(reject).decode())
        for block in blocks(settled, rejects, batch, fate):
            for offset, row in zip(block.offsets, zip(*block.columns, strict=True), strict=True):
                found[offset].append(f"{block.table.name} {row!r}")
    return found


def _compare(task: tuple[int, int]) -> tuple[int, list[PathDifference]]:
    seed, count = task
    return count, list(differences(list(mutated_records(count, seed, whole=0.1))))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first 20,000 inputs; each further 20,000 have the next"
    )
    parser.add_argument("--jobs", type=int, default=2)
    told = parser.parse_args(arguments)
    print(f"seed {told.seed}", flush=True)
    sizes = [min(_PER_SEED, told.inputs - begun) for begun in range(0, told.inputs, _PER_SEED)]
    done = wrong = 0
    with ProcessPoolExecutor(told.jobs) as pool:
        for count, found in pool.map(_compare, enumerate(sizes, told.seed)):
            done += count
            wrong += len(found)
            for difference in found:
                print(difference)
            print(f"{done:,} inputs, {wrong} with different rows", file=sys.stderr, flush=True)
    print(f"{done:,} inputs, {wrong} with different rows")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
