"""What a savepoint says, and the fingerprint of what decides verdicts."""

from __future__ import annotations

import pytest

from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.jobs.new_savepoint import new_savepoint
from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.plugin import Plugin
from lpa_core.settings.quality import QualitySettings
from lpa_core.settings.settings import ClickHouseSettings, ProcessSettings, Settings

JUDGING = Plugin("gpu", "gpu-package", "1.0", hooks=("lpa_validators",))
WRITING = Plugin("ops", "lpa-ops", "1.0", hooks=("lpa_cli_commands", "lpa_sinks"))


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    assert fingerprint(Settings(), [JUDGING, WRITING]) == "0ecd03a98267b387"


@pytest.mark.parametrize(
    ("settings", "plugins"),
    [
        (Settings(quality=QualitySettings(supported_versions=("1", "v1", "2"))), [JUDGING]),
        (Settings(quality=QualitySettings(dedup_ttl_minutes=5)), [JUDGING]),
        (Settings(clickhouse=ClickHouseSettings(sink_max_record_bytes=20_000)), [JUDGING]),
        (Settings(), []),
        (Settings(), [Plugin("gpu", "gpu-package", "1.1", hooks=("lpa_validators",))]),
    ],
)
def test_whatever_decides_a_verdict_changes_it(settings: Settings, plugins: list[Plugin]) -> None:
    assert fingerprint(settings, plugins) != fingerprint(Settings(), [JUDGING])


def test_nothing_else_changes_it() -> None:
    other = Settings(
        quality=QualitySettings(supported_versions=("v1", "1"), group_id="other"),
        clickhouse=ClickHouseSettings(password="hunter2"),
        lpa=ProcessSettings(log_level="debug"),
        kafka={"sasl.password": "hunter2"},
    )
    assert fingerprint(other, [WRITING, JUDGING]) == fingerprint(Settings(), [JUDGING])


def test_a_savepoint_names_where_claims_lie_and_what_was_loaded() -> None:
    first, second = Partition("events", 0), Partition("events", 1)
    disabled = Plugin("off", "off-package", "3.0", disabled=True)
    made = new_savepoint(Settings(), [JUDGING, disabled], {first: Commit(5), second: Commit(6, "x")}, [second], "note")
    assert made.group == "flink-quality-gate-v1"
    assert made.topics == ["events"]
    assert made.dedup == {second: "dedup/events-1"}
    assert made.versions == {"gpu-package": "1.0"}
    assert made.settings_fingerprint == fingerprint(Settings(), [JUDGING])
    assert made.id != new_savepoint(Settings(), [], {}, []).id
