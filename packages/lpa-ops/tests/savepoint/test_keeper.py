"""What a restore of a savepoint leaves of the claims that stand, where it cannot be finished."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from lpa_core.dedup.rocksdb import RocksDBDedupStore
from lpa_core.delivery.consumer_group import BrokerUnavailable, Commit, Partition
from lpa_core.jobs.new_savepoint import new_savepoint
from lpa_core.plugins.manager import PluginManager
from lpa_core.records import Position
from lpa_core.savepoints import SavepointError
from lpa_core.settings.settings import ProcessSettings, Settings
from lpa_ops.savepoint import keeper
from lpa_ops.savepoint.store import FileSavepointStore

PARTITION = Partition("streaming_events", 0)
NOW = 1_767_900_000_000


def claim(folder: Path, key: str, offset: int) -> Position | None:
    with closing(RocksDBDedupStore(folder, 60_000_000)) as store:
        return store.claim([key], *PARTITION, [offset], NOW)[0]


def test_failure_04_claims_stay_until_those_of_the_savepoint_are_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cannot be read, then the offsets that go with them cannot be committed; a renamed savepoint is restored."""
    settings = Settings(lpa=ProcessSettings(data_dir=tmp_path / "data"))
    store = FileSavepointStore(str(tmp_path / "savepoints"))
    plugins = PluginManager(settings)
    made = new_savepoint(settings, plugins.plugins, {PARTITION: Commit(42)}, [PARTITION])
    claim(tmp_path / "claims", "first", 41)
    (tmp_path / "no claims").mkdir()
    (tmp_path / "no claims" / "CURRENT").write_text("MANIFEST-000001\n")
    name = made.dedup[PARTITION]
    good = Path(store.create(made, {name: tmp_path / "claims"}))
    unreadable = store.create(attrs.evolve(made, id="unreadable"), {name: tmp_path / "no claims"})
    here = tmp_path / "data" / "dedup" / "streaming_events-0"
    claim(here, "later", 50)
    committed: list[Any] = []

    def commit(admin: object, settings: Settings, commits: object) -> None:
        if not committed:
            committed.append("refused")
            raise BrokerUnavailable("the broker does not answer")
        committed.append(commits)

    monkeypatch.setattr(keeper, "admin_client", lambda settings: None)
    monkeypatch.setattr(keeper, "require", lambda command, admin, settings: None)
    monkeypatch.setattr(keeper, "require_stopped", lambda admin, settings: None)
    monkeypatch.setattr(keeper, "committed_in_the_end", lambda admin, settings: {})
    monkeypatch.setattr(keeper, "commit", commit)
    with pytest.raises(SavepointError, match="its claims cannot be read"):
        keeper.restore(unreadable, settings, plugins)
    assert claim(here, "later", 60) == Position(*PARTITION, 50)
    renamed = str(good.rename(good.with_name("before the deployment")))
    with pytest.raises(BrokerUnavailable):
        keeper.restore(renamed, settings, plugins)
    assert claim(here, "later", 60) == Position(*PARTITION, 50)
    keeper.restore(renamed, settings, plugins)
    assert committed[-1] == {PARTITION: Commit(42)}
    assert claim(here, "first", 60) == Position(*PARTITION, 41)
    assert claim(here, "later", 60) is None
