"""What every savepoint keeper must do, as tests.

Subclass in a test module and say how a keeper is made::

    class TestMyKeeper(SavepointKeeperContract):
        @pytest.fixture
        def keeper(self, tmp_path: Path) -> SavepointKeeper: ...
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.errors import LpaError
from lpa_core.savepoints import Savepoint, SavepointKeeper

NOON: Final = 1_767_870_000_000
PARTITION: Final = Partition("events", 3)


def savepoint(name: str) -> Savepoint:
    """A savepoint of one partition, whose claims are in the folder ``dedup/events-3``."""
    folder = "dedup/events-3"
    return Savepoint(name, NOON, "group", {PARTITION: Commit(42)}, {PARTITION: folder}, "", "fingerprint", {"lpa": "1"})


class SavepointKeeperContract:
    """For every keeper. What needs a broker is not here: restoring what was kept."""

    @pytest.fixture
    def keeper(self) -> SavepointKeeper:
        raise NotImplementedError("override the fixture keeper")

    @pytest.fixture
    def claims(self, tmp_path: Path) -> Path:
        """A folder of claims, as a dedup store's ``snapshot`` makes it."""
        folder = tmp_path / "claims-of-a-store"
        (folder / "deeper").mkdir(parents=True)
        (folder / "000004.sst").write_bytes(b"claims \x00\xff")
        (folder / "deeper" / "empty").touch()
        return folder

    def test_it_says_where_a_savepoint_is_kept(self, keeper: SavepointKeeper, claims: Path) -> None:
        first, second = (keeper.keep(savepoint(name), {"dedup/events-3": claims}) for name in ("one", "two"))
        assert isinstance(first, str)
        assert first
        assert first != second, "each savepoint has a place of its own"

    def test_it_keeps_where_it_is_told_to(self, keeper: SavepointKeeper, claims: Path, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        kept = keeper.keep(savepoint("one"), {"dedup/events-3": claims}, str(elsewhere))
        assert str(elsewhere) in kept
        assert any(elsewhere.rglob("000004.sst"))

    def test_the_folders_that_it_is_given_stay_as_they_are(self, keeper: SavepointKeeper, claims: Path) -> None:
        keeper.keep(savepoint("one"), {"dedup/events-3": claims})
        assert (claims / "000004.sst").read_bytes() == b"claims \x00\xff"
        assert (claims / "deeper" / "empty").is_file()

    def test_a_savepoint_without_claims_is_kept(self, keeper: SavepointKeeper) -> None:
        bare = Savepoint("bare", NOON, "group", {PARTITION: Commit(1)}, {}, "claims are elsewhere", "f", {})
        assert keeper.keep(bare, {})

    def test_what_is_not_there_is_refused_with_one_line(self, keeper: SavepointKeeper, tmp_path: Path) -> None:
        with pytest.raises(LpaError) as refused:
            keeper.restore(str(tmp_path / "nothing"))
        assert str(refused.value)
        assert "\n" not in str(refused.value)
