"""Settings: where they come from, which wins, and what is said of one that cannot be used."""

from __future__ import annotations

import re
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpa_core.settings.loading import SettingsError, described, load
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import Thresholds


def write(folder: Path, text: str) -> Path:
    file = folder / "lpa.toml"
    file.write_text(text)
    return file


def refusal(environment: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        load(environment, file)
    return str(refused.value)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_with_nothing_set_the_defaults_are_in_force() -> None:
    settings = load({})
    assert settings == Settings()
    assert settings.quality.dedup_ttl_minutes == 1440
    assert settings.quality.supported_versions == ("1", "v1")


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    write(tmp_path, '[quality]\ndedup_ttl_minutes = 60\ninput_topic = "from_file"\n')
    settings = load({"QUALITY_DEDUP_TTL_MINUTES": "5"})
    assert settings.quality.dedup_ttl_minutes == 5
    assert settings.quality.input_topic == "from_file"
    assert settings.clickhouse.database == "livepeer_analytics"


def test_the_process_environment_is_read_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LPA_LOG_LEVEL", "debug")
    assert load().lpa.log_level == "debug"


def test_a_named_file_is_read_instead_of_the_one_in_the_working_folder(tmp_path: Path) -> None:
    write(tmp_path, "[quality]\ndedup_ttl_minutes = 60\n")
    other = tmp_path / "other.conf"
    other.write_text("[quality]\ndedup_ttl_minutes = 7\n")
    assert load({}, other).quality.dedup_ttl_minutes == 7


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_variable_counts_as_not_set(empty: str, tmp_path: Path) -> None:
    write(tmp_path, "[quality]\ndedup_ttl_minutes = 60\n")
    assert load({"QUALITY_DEDUP_TTL_MINUTES": empty}).quality.dedup_ttl_minutes == 60
    assert load({"CLICKHOUSE_PASSWORD": empty}).clickhouse.password == ""


def test_every_setting_can_be_set_by_its_variable_and_by_its_name_in_the_file(tmp_path: Path) -> None:
    texts = {
        "QUALITY_KAFKA_BOOTSTRAP": "a:1,b:2",
        "QUALITY_INPUT_TOPIC": "events",
        "QUALITY_INPUT_TOPICS": "events,others",
        "QUALITY_TOPIC_ORG_MAP": "events=one,others=two",
        "QUALITY_TOPIC_RESET_STRATEGY_MAP": "events=latest",
        "QUALITY_DLQ_TOPIC": "dead",
        "QUALITY_QUARANTINE_TOPIC": "twice",
        "QUALITY_TOUCHED_TOPIC": "touched",
        "QUALITY_GROUP_ID": "readers",
        "QUALITY_GROUP_INSTANCE_ID": "worker-1",
        "QUALITY_OFFSET_GAP_POLICY": "latest",
        "QUALITY_REJECT_LIMIT_SHARE": "0.25",
        "QUALITY_REJECT_LIMIT_CONSECUTIVE": "10",
        "QUALITY_DEDUP_TTL_MINUTES": "11",
        "QUALITY_SUPPORTED_VERSIONS": "2,3",
        "QUALITY_IGNORED_TYPES": "a,b",
        "QUALITY_IGNORED_STORE": "redacted",
        "QUALITY_IGNORED_ARCHIVE": "positions",
        "QUALITY_MASKED_PATHS": "data.ip=hash",
        "QUALITY_TRACEPARENT": "keep",
        "QUALITY_MASK_KEY": "a key of at least sixteen",
        "CLICKHOUSE_URL": "https://ch:8443",
        "CLICKHOUSE_DATABASE": "other",
        "CLICKHOUSE_USER": "me",
        "CLICKHOUSE_PASSWORD": "secret",
        "CLICKHOUSE_SINK_MAX_BATCH_SIZE": "12",
        "CLICKHOUSE_SINK_MAX_BATCH_BYTES": "13",
        "CLICKHOUSE_SINK_MAX_TIME_MS": "500",
        "CLICKHOUSE_SINK_MAX_RECORD_BYTES": "14000",
        "CLICKHOUSE_SINK_TIMEOUT_SECONDS": "18",
        "CLICKHOUSE_SINK_RETRY_SECONDS": "15",
        "LIFECYCLE_PIPELINE_MODEL_MODE": "native",
        "REPLAY_KAFKA_BOOTSTRAP": "c:3",
        "REPLAY_DLQ_TOPIC": "dead",
        "REPLAY_OUTPUT_TOPIC": "again",
        "REPLAY_GROUP_ID": "replays",
        "REPLAY_START_EPOCH_MS": "1767873600000",
        "REPLAY_END_EPOCH_MS": "1767873600001",
        "LPA_DATA_DIR": "/data",
        "LPA_PLUGINS_DISABLED": "p,q",
        "LPA_PLUGINS_REQUIRED": "core",
        "LPA_EVENT_TYPES": "sensors.toml,more.toml",
        "LPA_ARCHIVE_MAX_BYTES": "16",
        "LPA_ARCHIVE_MAX_SECONDS": "17",
        "LPA_PROGRESS_SECONDS": "20",
        "LPA_STOP_SECONDS": "5",
        "LPA_MATERIALIZE_GROUP_ID": "derivers",
        "LPA_SAVEPOINT_DIR": "s3://bucket/savepoints",
        "LPA_ENVIRONMENT": "staging",
        "LPA_ARCHIVE_DIR": "s3://bucket/archive",
        "LPA_MIRROR_DIR": "s3://bucket/mirror",
        "LPA_BACKUP_DIR": "s3://bucket/backups",
        "LPA_BACKUP_RETENTION": "staging=14,prod=365",
        "LPA_ADMIN_ADDRESS": "[::1]:0",
        "LPA_ADMIN_TOKEN": "0123456789abcdef",
        "LPA_SERVE_ADDRESS": "[::1]:1",
        "LPA_SERVE_TOKEN": "fedcba9876543210",
        "LPA_SERVE_SECONDS": "30",
        "LPA_CONSOLE_ADDRESS": "[::1]:2",
        "LPA_CONSOLE_TOKEN": "fedcba0123456789",
        "LPA_CONSOLE_HOSTS": "lpa.example,console.example",
        "LPA_MCP_ADDRESS": "[::1]:3",
        "LPA_MCP_TOKEN": "0123456789abcdeX",
        "LPA_MCP_AUDIT": "calls.jsonl",
        "LPA_OTLP": "on",
        "LPA_FLINK_ADDRESS": "http://flink:8092",
        "LPA_FLINK_TOKEN": "0123456789fedcba",
        "LPA_FLINK_JAR": "/opt/job.jar",
        "LPA_FLINK_JOB_NAME": "another job",
        "LPA_FLINK_PARALLELISM": "4",
        "LPA_FLINK_STATE_DIR": "s3://bucket/flink",
        "LPA_FLINK_CHECKPOINT_SECONDS": "9",
        "LPA_LOG_FORMAT": "json",
        "LPA_LOG_LEVEL": "error",
        "HEALTH_INTERVAL_SECONDS": "0",
        "HEALTH_TIMEOUT_SECONDS": "3",
        "HEALTH_COSTLY_TIMEOUT_SECONDS": "30",
        "HEALTH_WINDOW_HOURS": "6",
        "HEALTH_CHECKS_DISABLED": "disk,backup_age",
        "HEALTH_FRESHNESS_MINUTES": "1,2",
        "HEALTH_ROLLUP_LAG_MINUTES": "3,4",
        "HEALTH_ATTRIBUTION_COVERAGE": "0.5,0.4",
        "HEALTH_JOB_COVERAGE": "0.6,0.5",
        "HEALTH_DLQ_SHARE": "0.1,0.2",
        "HEALTH_QUARANTINE_SHARE": "0.3,0.4",
        "HEALTH_IMPLAUSIBLE_TIMESTAMPS_SHARE": "0.01,0.02",
        "HEALTH_DISCARDED_TIMESTAMPS_SHARE": "0.2,0.3",
        "HEALTH_TIMES_USUAL": "1.5",
        "HEALTH_USUAL_DAYS": "3",
        "HEALTH_CONSUMER_LAG_RECORDS": "5,6",
        "HEALTH_RETRY_HORIZON_MINUTES": "7",
        "HEALTH_DEDUPLICATION_WINDOW_SHARE": "0.7,0.8",
        "HEALTH_DEDUP_STORE_GIGABYTES": "1.5,2",
        "HEALTH_DISK_FREE_SHARE": "0.3,0.3",
        "HEALTH_BACKUP_AGE_HOURS": "8,9",
        "HEALTH_FLINK_CHECKPOINT_AGE_SECONDS": "10,11",
    }
    assert {setting.variable for setting in described()} == set(texts), "a setting was added: give it a value here"
    file = write(tmp_path, "".join(f'{s.option} = "{texts[s.variable]}"\n' for s in described()))
    from_environment, from_file = load(texts), load({}, file)
    assert from_environment == from_file
    for setting in described():
        read, default = attrgetter(setting.option), Settings()
        assert read(from_environment) != read(default), f"{setting.variable} changed nothing"
    assert from_environment.clickhouse.sink_retry_seconds == 15
    assert from_environment.lpa.data_dir == Path("/data")
    assert from_environment.lpa.plugins_disabled == ("p", "q")
    assert from_environment.health.disk_free_share == Thresholds(0.3, 0.3, falling=True)
    assert from_environment.health.dlq_share == Thresholds(0.1, 0.2)


def test_a_list_is_written_as_a_list_or_with_commas_and_blanks_around_them_do_not_count(tmp_path: Path) -> None:
    file = write(tmp_path, '[quality]\nsupported_versions = ["1", "v2"]\n[lpa]\nplugins_disabled = "a , b"\n')
    settings = load({"LPA_PLUGINS_REQUIRED": " core, sinks,"}, file)
    assert settings.quality.supported_versions == ("1", "v2")
    assert settings.lpa.plugins_disabled == ("a", "b")
    assert settings.lpa.plugins_required == ("core", "sinks")


def test_a_relative_data_folder_lies_in_the_working_folder(tmp_path: Path) -> None:
    assert load({"LPA_DATA_DIR": "there"}).lpa.data_dir == tmp_path / "there"


WRONG = [
    ("QUALITY_DEDUP_TTL_MINUTES", "0", "a whole number of at least 1, at most 5256000"),
    ("QUALITY_DEDUP_TTL_MINUTES", "an hour", "a whole number of at least 1, at most 5256000"),
    ("QUALITY_DEDUP_TTL_MINUTES", "1.5", "a whole number of at least 1, at most 5256000"),
    ("QUALITY_SUPPORTED_VERSIONS", ",", "versions, comma separated; `any` lets all pass"),
    ("CLICKHOUSE_SINK_MAX_BATCH_SIZE", "1_000", "a whole number of at least 1, at most 1000000000"),
    ("CLICKHOUSE_SINK_MAX_RECORD_BYTES", "9999", "a whole number of at least 10000"),
    ("CLICKHOUSE_SINK_RETRY_SECONDS", "-1", "a whole number of seconds, 0 for ever"),
    ("CLICKHOUSE_URL", "clickhouse:8123", "an http or https URL"),
    ("CLICKHOUSE_URL", "http://clickhouse:port", "an http or https URL"),
    ("LPA_FLINK_ADDRESS", "flink:8092", "an http or https URL without a path"),
    ("LPA_FLINK_ADDRESS", "http://flink:8092/jobs", "an http or https URL without a path"),
    ("CLICKHOUSE_DATABASE", "a; drop", "letters, digits and underscores, no digit first"),
    ("QUALITY_REJECT_LIMIT_SHARE", "1.5", "a number from 0 to 1, 0 for no limit"),
    ("QUALITY_REJECT_LIMIT_SHARE", "nan", "a number from 0 to 1, 0 for no limit"),
    ("QUALITY_REJECT_LIMIT_SHARE", "all", "a number from 0 to 1, 0 for no limit"),
    ("QUALITY_OFFSET_GAP_POLICY", "none", "fail, earliest or latest"),
    ("LIFECYCLE_PIPELINE_MODEL_MODE", "modern", "legacy_misnamed, native_correct or native"),
    ("REPLAY_START_EPOCH_MS", "1767873600", "epoch milliseconds (not seconds), such as 1767873600000"),
    ("REPLAY_END_EPOCH_MS", "yesterday", "epoch milliseconds (not seconds), such as 1767873600000"),
    ("LPA_STOP_SECONDS", "0", "a whole number of seconds, at least 1, at most 86400"),
    ("HEALTH_TIMEOUT_SECONDS", "1" + "0" * 21, "a whole number of seconds, at least 1, at most 86400"),
    ("HEALTH_WINDOW_HOURS", "999999", "a whole number of at least 1, at most 87600"),
    ("LPA_ADMIN_ADDRESS", "8081", "host:port, port 0 for any that is free"),
    ("LPA_ADMIN_ADDRESS", ":8081", "host:port, port 0 for any that is free"),
    ("LPA_ADMIN_ADDRESS", "localhost:65536", "host:port, port 0 for any that is free"),
    ("LPA_ADMIN_ADDRESS", "http://localhost:1", "host:port, port 0 for any that is free"),
    ("LPA_LOG_FORMAT", "xml", "auto, console or json"),
    ("LPA_LOG_LEVEL", "loud", "debug, info, warning or error"),
]

TOPICS = "a topic name: letters, digits and ._-, 249 at most"
GROUPS = "a name in printable ASCII, 249 characters at most"
UNSAFE = [
    ("QUALITY_INPUT_TOPIC", "^events.*", TOPICS),
    ("QUALITY_INPUT_TOPIC", "events/new", TOPICS),
    ("QUALITY_DLQ_TOPIC", "..", TOPICS),
    ("QUALITY_QUARANTINE_TOPIC", "x" * 250, TOPICS),
    ("QUALITY_TOUCHED_TOPIC", "événements", TOPICS),
    ("REPLAY_DLQ_TOPIC", "dead letters", TOPICS),
    ("REPLAY_OUTPUT_TOPIC", "a,b", TOPICS),
    ("QUALITY_GROUP_ID", "größe", GROUPS),
    ("QUALITY_GROUP_ID", "x" * 250, GROUPS),
    ("QUALITY_GROUP_INSTANCE_ID", "wörker", f"{GROUPS}, or nothing"),
    ("QUALITY_GROUP_INSTANCE_ID", "a\nb", f"{GROUPS}, or nothing"),
    ("LPA_MATERIALIZE_GROUP_ID", "a\tb", GROUPS),
    ("REPLAY_GROUP_ID", "\u200b", GROUPS),
]
"""Names under which Kafka, or its client, would refuse each commit."""


@pytest.mark.parametrize(("variable", "value", "accepted"), UNSAFE)
def test_failure_12_a_name_that_kafka_does_not_take_is_refused_at_start(
    variable: str, value: str, accepted: str
) -> None:
    assert refusal({variable: value}) == f"{variable}={value!r}: expected {accepted}"


def test_failure_12_a_client_id_that_kafkas_client_does_not_take_is_refused_at_start(tmp_path: Path) -> None:
    for name in ("wörker", "a\nb", "x" * 250):
        found = refusal({"LPA_KAFKA_CLIENT_ID": name})
        assert found.startswith(f"LPA_KAFKA_CLIENT_ID={name!r}: expected printable ASCII")
    assert load({"LPA_KAFKA_CLIENT_ID": "worker 1"}).kafka["client.id"] == "worker 1"


@pytest.mark.parametrize(("variable", "value", "accepted"), WRONG)
def test_a_wrong_variable_is_named_with_its_value_and_what_is_accepted(
    variable: str, value: str, accepted: str
) -> None:
    assert refusal({variable: value}) == f"{variable}={value!r}: expected {accepted}"


def test_a_bound_is_where_the_message_says() -> None:
    bounded = {each.variable: re.search(r"at most (\d+)", each.accepts) for each in described()}
    most = {variable: int(found[1]) for variable, found in bounded.items() if found}
    assert {"HEALTH_INTERVAL_SECONDS", "HEALTH_USUAL_DAYS", "CLICKHOUSE_SINK_TIMEOUT_SECONDS"} < set(most)
    for variable, bound in most.items():
        load({variable: str(bound)})
        assert refusal({variable: str(bound + 1)}).startswith(f"{variable}='{bound + 1}': expected ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("quality.dedup_ttl_minutes = true", "quality.dedup_ttl_minutes = True: expected a whole number of at least 1"),
        ("quality.input_topic = 7", "quality.input_topic = 7: expected a topic name"),
        ("quality.supported_versions = [1]", "quality.supported_versions = [1]: expected versions, comma separated"),
        ("clickhouse.sink_max_batch_size = 1.7", "clickhouse.sink_max_batch_size = 1.7: expected a whole number"),
        ('lpa.data_dir = ""', "lpa.data_dir = '': expected a folder"),
    ],
)
def test_a_wrong_value_in_the_file_is_named_with_the_file(text: str, said: str, tmp_path: Path) -> None:
    file = write(tmp_path, text)
    assert refusal({}, file).startswith(f"{file}: {said}")


def test_all_wrong_settings_are_named_at_once_a_line_each(tmp_path: Path) -> None:
    write(tmp_path, '[lpa]\nlog_level = "loud"\n')
    lines = refusal({"LPA_LOG_FORMAT": "xml", "QUALITY_DEDUP_TTL_MINUTES": "x"}).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "QUALITY_DEDUP_TTL_MINUTES='x'",
        "LPA_LOG_FORMAT='xml'",
        "lpa.toml",
    ]


def test_a_right_variable_makes_good_for_a_wrong_value_in_the_file(tmp_path: Path) -> None:
    write(tmp_path, '[lpa]\nlog_level = "loud"\n')
    assert load({"LPA_LOG_LEVEL": "error"}).lpa.log_level == "error"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("quality.dedup_ttl = 5", "quality.dedup_ttl is not a setting; did you mean quality.dedup_ttl_minutes"),
        ("lpa.zzz = 5", "lpa.zzz is not a setting; there are lpa.data_dir, lpa.plugins_disabled"),
        (
            "zzz = 5",
            "zzz is not a setting; there are [quality], [clickhouse], [lifecycle], [replay], [lpa], [lpa_flink]",
        ),
    ],
)
def test_an_unknown_name_in_the_file_is_named_with_those_there_are(text: str, said: str, tmp_path: Path) -> None:
    file = write(tmp_path, text)
    assert refusal({}, file).startswith(f"{file}: {said}")


@pytest.mark.parametrize("content", [b"[quality", b"[quality]\ninput_topic = '\xff'", b"a = 1\na = 2"])
def test_a_broken_file_is_named_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "lpa.toml").write_bytes(content)
    said = refusal({})
    assert said.startswith("lpa.toml cannot be read as TOML: ")
    assert "\n" not in said


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "lpa.toml").mkdir()
    assert refusal({}).startswith("lpa.toml cannot be read as TOML: ")


def test_a_named_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal({}, tmp_path / "none.toml") == f"{tmp_path / 'none.toml'}: there is no such settings file"


@settings(max_examples=30)
@given(
    # The sign is in no message: a word of a message would be found there.
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])).map(lambda text: f"§{text}§")
)
def test_the_password_is_never_shown(password: str) -> None:
    environment = {"CLICKHOUSE_PASSWORD": password}
    loaded = load(environment)
    assert loaded.clickhouse.password == password
    assert password not in repr(loaded)
    assert password not in refusal({**environment, "CLICKHOUSE_DATABASE": "?", "CLICKHOUSE_URL": "?"})


def test_a_password_of_the_wrong_type_is_not_shown_either(tmp_path: Path) -> None:
    file = write(tmp_path, "[clickhouse]\npassword = 123456\n")
    assert refusal({}, file) == f"{file}: clickhouse.password = ***: expected any text"


@pytest.mark.parametrize("token", ["0123456789abcde", "0123456789 abcdef", "0123456789abcdeö"])
def test_a_token_that_is_short_or_no_header_can_carry_is_turned_down_and_not_shown(token: str) -> None:
    assert refusal({"LPA_ADMIN_TOKEN": token}) == "LPA_ADMIN_TOKEN=***: expected at least 16 letters, digits and -._~+/"


def test_a_password_inside_the_url_is_not_shown() -> None:
    assert "hunter2" not in repr(load({"CLICKHOUSE_URL": "http://me:hunter2@host:8123"}))
    assert "hunter2" not in refusal({"CLICKHOUSE_URL": "ftp://me:hunter2@host"})
    assert "hunter2" not in refusal({"LPA_FLINK_ADDRESS": "http://me:hunter2@host"})
