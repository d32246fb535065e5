"""A part that cannot be read is found, whatever happened to its files, and a part that was mended is forgotten."""

from __future__ import annotations

import shutil
from pathlib import Path

import attrs
import pytest

from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import damaged_parts
from lpa_ops.health.checks.damaged_parts import PartReader
from lpa_ops.testing.checked_database import CheckedDatabase, ok, red


@pytest.fixture
def parts(bare: CheckedDatabase) -> dict[str, Path]:
    """Folders of the parts of a table that has three, and will not merge them."""
    bare.run("CREATE TABLE day.kept (id UInt32, text String) ENGINE = MergeTree ORDER BY id")
    bare.run("SYSTEM STOP MERGES day.kept")
    for number in range(3):
        bare.run(f"INSERT INTO day.kept SELECT number + {number}, toString(number) FROM numbers(1000)")
    database = bare.settings.clickhouse.database
    where = f"database = '{database}' AND table = 'kept' AND active"
    found = bare.query(f"SELECT name, path FROM system.parts WHERE {where}")
    return {name: Path(path) for name, path in found}


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)


@pytest.mark.parametrize("damage", ["flipped", "cut", "lost", "gone"])
def test_failure_17_a_part_that_cannot_be_read_is_critical(
    damage: str, bare: CheckedDatabase, parts: dict[str, Path]
) -> None:
    ok(bare, damaged_parts.CHECK)
    name, folder = sorted(parts.items())[1]
    data = max(folder.iterdir(), key=lambda file: file.stat().st_size)
    if damage == "flipped":
        flip(data)
    elif damage == "cut":
        data.write_bytes(data.read_bytes()[:-10])
    elif damage == "lost":
        data.unlink()
    else:
        shutil.rmtree(folder)
    action = red(bare, damaged_parts.CHECK, State.CRITICAL, f"kept: the part {name} cannot be read (")
    assert action.startswith(f"`lpa recover clickhouse-corruption --sink '{bare.sink}'` shows")
    bare.run("RENAME TABLE day.kept TO day.kept__damaged_20260108T120000")
    assert bare(damaged_parts.CHECK).finding.detail == "1 of 1 parts were read and are whole", (
        "set aside by a recovery, it is for looking at; what is left is of the applied migrations"
    )


def test_failure_17_a_part_that_was_set_aside_as_broken_is_critical(
    bare: CheckedDatabase, parts: dict[str, Path]
) -> None:
    name, folder = sorted(parts.items())[0]
    bare.run(f"ALTER TABLE day.kept DETACH PART '{name}'")
    (folder.parent / "detached" / name).rename(folder.parent / "detached" / f"broken-on-start_{name}")
    red(bare, damaged_parts.CHECK, State.CRITICAL, f"kept: the part broken-on-start_{name} was found broken")


def test_failure_17_a_look_that_has_no_time_for_all_goes_on_with_the_others_the_next_time(
    bare: CheckedDatabase, parts: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    clock = iter(range(10_000))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    whole = damaged_parts._trouble
    monkeypatch.setattr(damaged_parts, "_trouble", lambda db, part: (seen.append(part.name), whole(db, part))[1])
    # Each look at the clock is a second later: 4 s are enough for one part.
    check = attrs.evolve(damaged_parts.CHECK, judge=PartReader().judge)
    for number in (1, 2, 3, 4):
        result = bare(check, costly_timeout_seconds=16)
        assert f"{number} of 4 parts were read and are whole" in result.finding.detail
    ((migrations,),) = bare.query(
        "SELECT name FROM system.parts WHERE active AND table = 'schema_migrations' "
        f"AND database = '{bare.settings.clickhouse.database}'"
    )
    assert sorted(seen) == sorted([*parts, migrations])


def test_failure_17_where_no_part_can_be_read_in_time_nothing_is_called_well(
    bare: CheckedDatabase, parts: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(damaged_parts, "_ASSUMED_BYTES_PER_SECOND", 0.001)
    finding = bare(attrs.evolve(damaged_parts.CHECK, judge=PartReader().judge)).finding
    assert finding.state is State.NOT_APPLICABLE
    assert "raise HEALTH_COSTLY_TIMEOUT_SECONDS" in finding.detail
