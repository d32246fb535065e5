"""Logins of Kafka and ClickHouse: the job uses them, and Flink neither shows nor stores them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from services.kafka import KafkaCluster

from flink.place import KAFKA_PASSWORD, USER, FlinkPlace
from flink.rest_pages import rest_pages
from lpa_core.testing.mutations import mutated_records

MASK_KEY: Final = "a-key-of-the-masking"


def test_no_secret_is_in_an_answer_of_flink_or_in_its_files(
    kafka: KafkaCluster, new_place: Callable[..., FlinkPlace]
) -> None:
    login = {
        "QUALITY_KAFKA_BOOTSTRAP": kafka.addresses["LOGIN"],
        "LPA_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "LPA_KAFKA_SASL_MECHANISM": "PLAIN",
        "LPA_KAFKA_SASL_USERNAME": USER,
        "LPA_KAFKA_SASL_PASSWORD": KAFKA_PASSWORD,
    }
    place = new_place(**login, QUALITY_MASK_KEY=MASK_KEY)
    place.cluster.start()
    job = place.cluster.run(place.cluster.upload())
    place.send(mutated_records(200, 5))
    place.until_all_is_stored()
    place.cluster.kill_task_manager()
    place.cluster.start()
    place.send(mutated_records(200, 6))
    place.until_all_is_stored()

    pages = rest_pages(place.cluster, job)
    place.cluster.stop(job)  # which is when Beam says how it ran Python
    pages |= {f"{path} in the end": text for path, text in rest_pages(place.cluster, job).items()}
    assert place.worker.topic in pages[f"/jobs/{job}/config"]
    assert any("ConsumerConfig values" in text for text in pages.values())
    secrets = (KAFKA_PASSWORD, place.clickhouse.password, MASK_KEY)
    assert [path for path, text in pages.items() if any(secret in text for secret in secrets)] == []
    assert place.faults() == []
    written = {path: path.read_bytes() for path in files(place.cluster.folder)}
    assert [path for path, found in written.items() if any(secret.encode() in found for secret in secrets)] == []


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
