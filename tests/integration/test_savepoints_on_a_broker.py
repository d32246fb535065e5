"""``lpa savepoint`` on a broker: committed offsets with their metadata, and claims, come back together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import attrs
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from lpa_core.cli import run
from lpa_core.dedup.rocksdb import RocksDBDedupStore
from lpa_core.delivery.consumer_group import BrokerUnavailable, Commit, Partition
from lpa_core.kafka.admin import admin_client
from lpa_core.kafka.committed_offsets import commit, committed
from lpa_core.kafka.configuration import consumer_configuration
from lpa_core.kafka.topics import apply, wanted_topics
from lpa_core.plugins.manager import PluginManager
from lpa_core.records import Position
from lpa_core.savepoints import SavepointError
from lpa_core.settings.loading import load
from lpa_core.settings.settings import Settings

NOW = 1_767_900_000_000


@pytest.fixture
def settings(kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a group of its own, with topics that exist, in an empty data folder."""
    own = uuid4().hex[:8]
    monkeypatch.setenv("QUALITY_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("LPA_DATA_DIR", str(tmp_path / "data"))
    for variable in ("INPUT_TOPIC", "DLQ_TOPIC", "QUARANTINE_TOPIC", "GROUP_ID"):
        monkeypatch.setenv(f"QUALITY_{variable}", f"{variable}.{own}")
    settings = load()
    apply(admin_client(settings), wanted_topics(settings, 2), settings)
    return settings


@pytest.fixture
def stood(settings: Settings) -> dict[Partition, Commit]:
    """Where the group stands: a range is prepared in one partition. The claims of that one are on this machine."""
    topic = settings.quality.input_topic
    stood = {Partition(topic, 0): Commit(42, 'lpa1:{"s": 42} ä'), Partition(topic, 1): Commit(7)}
    commit(admin_client(settings), settings, stood)
    claim(settings, "first", 41)
    (claims(settings) / "through.json").write_text('{"through": 42}')
    return stood


def claims(settings: Settings) -> Path:
    return settings.lpa.data_dir / "dedup" / f"{settings.quality.input_topic}-0"


def claim(settings: Settings, key: str, offset: int) -> Position | None:
    """Claim a key in the store of the first partition, and answer who owned it before."""
    with closing(RocksDBDedupStore(claims(settings), 60_000_000)) as store:
        return store.claim([key], settings.quality.input_topic, 0, [offset], NOW)[0]


def now(settings: Settings) -> dict[Partition, Commit]:
    return committed(admin_client(settings), settings)


def create(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(["savepoint", "create", "--json"]) == 0
    location = json.loads(capsys.readouterr().out)["location"]
    assert isinstance(location, str)
    return location


@contextmanager
def member(settings: Settings) -> Iterator[None]:
    """A live member of the group."""
    consumer = Consumer(consumer_configuration(settings))
    consumer.subscribe([settings.quality.input_topic])
    try:
        for _ in range(150):
            consumer.poll(0.2)
            if consumer.assignment():
                break
        else:
            raise TimeoutError("the group assigns no partitions")
        yield
    finally:
        consumer.close()


def test_offsets_metadata_and_claims_come_back(
    settings: Settings, stood: dict[Partition, Commit], capsys: pytest.CaptureFixture[str]
) -> None:
    location = create(capsys)
    later = {partition: Commit(1000, "later") for partition in stood}
    commit(admin_client(settings), settings, later)
    claim(settings, "second", 50)
    (claims(settings) / "through.json").write_text('{"through": 1000}')

    assert run(["savepoint", "restore", location]) == 0
    assert now(settings) == stood
    assert (claims(settings) / "through.json").read_text() == '{"through": 42}'
    topic = settings.quality.input_topic
    assert claim(settings, "first", 60) == Position(topic, 0, 41)
    assert claim(settings, "second", 60) is None, "claimed after the savepoint"
    assert sorted(path.name for path in settings.lpa.data_dir.iterdir()) == ["dedup", "savepoints", "scratch"]
    assert list((settings.lpa.data_dir / "scratch").iterdir()) == []


def test_a_transaction_that_a_killed_worker_left_open_is_waited_for(
    settings: Settings, stood: dict[Partition, Commit], capsys: pytest.CaptureFixture[str]
) -> None:
    location = create(capsys)
    producer = Producer(
        {
            "bootstrap.servers": settings.quality.kafka_bootstrap,
            "transactional.id": uuid4().hex,
            "transaction.timeout.ms": 3_000,
            "log_level": 0,
        }
    )
    producer.init_transactions()
    producer.begin_transaction()
    consumer = Consumer(consumer_configuration(settings))
    offset = TopicPartition(settings.quality.input_topic, 1, 9)
    producer.send_offsets_to_transaction([offset], consumer.consumer_group_metadata())
    consumer.close()
    with pytest.raises(BrokerUnavailable):
        now(settings)
    assert run(["savepoint", "restore", location]) == 0
    assert now(settings) == stood


def test_a_machine_that_has_nothing_gets_all_of_it(
    settings: Settings, stood: dict[Partition, Commit], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    location = create(capsys)
    admin = admin_client(settings)
    (deleted,) = admin.delete_consumer_groups([settings.quality.group_id]).values()
    deleted.result()
    assert now(settings) == {}
    elsewhere = attrs.evolve(settings, lpa=attrs.evolve(settings.lpa, data_dir=tmp_path / "new"))
    restored = PluginManager(elsewhere).savepoints().restore(location)
    assert restored.commits == stood
    assert now(settings) == stood
    assert claim(elsewhere, "first", 60) == Position(settings.quality.input_topic, 0, 41)


def test_what_is_not_in_it_is_said(
    settings: Settings, stood: dict[Partition, Commit], capsys: pytest.CaptureFixture[str]
) -> None:
    create(capsys)
    assert run(["savepoint", "list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    topic = settings.quality.input_topic
    assert listed["note"] == f"claims of {topic}[1] are not on this machine, or in a shared store"
    assert [(each["offset"], each["claims"]) for each in listed["partitions"]] == [
        (42, f"dedup/{topic}-0"),
        (7, None),
    ]


@pytest.mark.parametrize("variable", ["QUALITY_GROUP_ID", "QUALITY_INPUT_TOPIC"])
def test_a_savepoint_of_another_group_or_topic_is_refused(
    variable: str,
    settings: Settings,
    stood: dict[Partition, Commit],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    location = create(capsys)
    commit(admin_client(settings), settings, {partition: Commit(1000) for partition in stood})
    monkeypatch.setenv(variable, "another")
    assert run(["savepoint", "restore", location]) == 1
    assert f"lpa: {location} is of the " in capsys.readouterr().err
    assert {each.offset for each in now(settings).values()} == {1000}


def test_a_damaged_savepoint_changes_nothing(
    settings: Settings, stood: dict[Partition, Commit], capsys: pytest.CaptureFixture[str]
) -> None:
    location = create(capsys)
    commit(admin_client(settings), settings, {partition: Commit(1000) for partition in stood})
    claim(settings, "second", 50)
    damaged = Path(location, "dedup", f"{settings.quality.input_topic}-0", "CURRENT")
    damaged.write_bytes(b"")
    assert run(["savepoint", "restore", location]) == 1
    assert f"{damaged} has 0 bytes" in capsys.readouterr().err
    assert {each.offset for each in now(settings).values()} == {1000}
    assert claim(settings, "second", 60) is not None


def test_a_group_with_live_members_is_left_alone(
    settings: Settings, stood: dict[Partition, Commit], capsys: pytest.CaptureFixture[str]
) -> None:
    location = create(capsys)
    with member(settings):
        for command in (["create"], ["restore", location]):
            assert run(["savepoint", *command]) == 1
            assert "stop the workers first" in capsys.readouterr().err
        with pytest.raises(SavepointError, match="has live members"):
            commit(admin_client(settings), settings, {partition: Commit(0) for partition in stood})
    assert now(settings) == stood
    assert run(["savepoint", "restore", location]) == 0


def test_claims_that_somebody_holds_open_are_not_copied(
    settings: Settings, stood: dict[Partition, Commit], capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(RocksDBDedupStore(claims(settings), 60_000_000)):
        assert run(["savepoint", "create"]) == 2
    assert "another process or store holds these dedup claims" in capsys.readouterr().err
    assert not (settings.lpa.data_dir / "savepoints").exists()


def test_a_group_that_has_committed_nothing_has_no_savepoint(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["savepoint", "create"]) == 1
    assert "there is nothing to save" in capsys.readouterr().err
