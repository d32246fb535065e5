"""Every command that a message names exists, with its options, and a test goes where the message sends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from services.advice import COMMAND, follow
from services.place import Place
from test_docs_failures import defined_in

from lpa_core.cli import run

ROOT = Path(__file__).parent.parent
FLINK = "packages/lpa-flink/tests/test_commands.py::test"
HERE = "tests/test_advice.py::test_failure_18"
MATERIALIZE = "packages/lpa-sinks/tests/materialize/test_commands.py"
RESTORES = "tests/test_restores.py::test_failure_04"
RECOVERIES = "tests/integration/test_recovery_on_servers.py"
TRANSACTIONS = "tests/integration/test_recovery_with_transactions.py"
TOPICS = "tests/integration/test_topics_on_a_broker.py"
FOLLOWED = {
    "archive mirror": (
        "packages/lpa-sinks/tests/archive/test_mirror.py::test_a_mirror_has_every_record_and_takes_only_what_is_new"
    ),
    "backup create": f"{HERE}_what_a_drift_asks_for_mends_it",
    "backup prune": f"{RESTORES}_nothing_is_pruned_where_what_stays_lacks_a_file",
    "backup restore": f"{RESTORES}_a_backup_is_restored_wherever_it_is_found_good",
    "check assertions": "packages/lpa-sinks/tests/parity/test_commands.py::test_assertions_are_shown",
    "check parity": "packages/lpa-sinks/tests/parity/test_commands.py::test_the_commands_of_the_page_run_and_all_hold",
    "config": (
        "packages/lpa-core/tests/commands/test_config.py::test_failure_31_everything_that_is_wrong_is_told_at_once"
    ),
    "doctor": "tests/doctor/test_settings.py::test_a_sink_alone_is_told_how_to_ask_about_a_file",
    "erase run": "packages/lpa-ops/tests/erase/test_erase.py::test_what_came_back_is_erased_again_by_its_receipts",
    "flink": f"{FLINK}_submit_uploads_the_jar_and_starts_the_job_of_the_settings",
    "flink cluster stop": (
        "packages/lpa-flink/tests/test_local_cluster.py::"
        "test_a_cluster_is_there_when_it_is_started_and_gone_with_its_pythons_when_it_is_stopped"
    ),
    "flink restore": f"{FLINK}_restore_goes_on_with_the_savepoint_of_stop",
    "flink savepoints": f"{FLINK}_savepoints_are_listed_and_made",
    "flink status": f"{FLINK}_status_shows_the_job_its_checkpoints_and_what_waits",
    "flink stop": f"{FLINK}_stop_waits_for_the_savepoint_and_notes_it_beside_it",
    "flink submit": f"{FLINK}_submit_uploads_the_jar_and_starts_the_job_of_the_settings",
    "health": "tests/test_takeover_of_0_1_0.py::test_a_data_folder_is_gone_on_with",
    "ingest": "tests/test_takeover_of_0_1_0.py::test_a_recovery_that_was_broken_off_is_finished",
    "materialize": "tests/integration/test_materialize_on_a_broker.py::test_a_materializer_says_how_it_fares",
    "materialize rebuild": "packages/lpa-ops/tests/health/test_checks.py::test_failure_18_a_session_is_rebuilt_as_told",
    "plugins": "packages/lpa-core/tests/plugins/test_plugins_command.py::test_the_table_has_a_row_for_each",
    "plugins new": (
        "packages/lpa-core/tests/plugins/test_new_and_check.py::"
        "test_a_new_plugin_is_a_package_whose_tests_pass_and_that_loads"
    ),
    "types check": "packages/lpa-core/tests/type_files/test_commands.py::test_faults_have_file_and_line",
    "types infer": "packages/lpa-core/tests/type_files/test_commands.py::test_a_proposal_takes_its_samples",
    "recover clickhouse-corruption": f"{TRANSACTIONS}::test_failure_18_damage_without_a_backup_is_read_again",
    "recover doubled-rows": (
        "packages/lpa-ops/tests/recover/test_doubled_rows.py::test_failure_11_what_was_read_again_goes_again"
    ),
    "recover lost-claims": (
        "tests/integration/test_lost_claims_of_a_job.py::"
        "test_failure_05_evictions_end_the_worker_until_claims_are_recovered"
    ),
    "recover offset-loss": (
        "tests/integration/test_lost_offsets_of_a_job.py::test_failure_03_lost_offsets_are_refused_and_set_right"
    ),
    "recover total-loss": (
        "packages/lpa-ops/tests/recover/test_changed_while_killed.py::"
        "test_no_file_is_taken_for_stored_in_a_database_that_was_lost"
    ),
    "recover wrong-times": (
        "packages/lpa-ops/tests/recover/test_wrong_times.py::test_failure_06_a_stored_time_that_is_wrong_is_set_right"
    ),
    "replay check": (
        "packages/lpa-replay/tests/check/test_check.py::"
        "test_a_fixture_gives_the_same_bytes_now_and_then_and_a_change_is_found_in_its_layer"
    ),
    "replay list": "packages/lpa-replay/tests/test_loop.py::test_a_producers_bug_is_repaired_once",
    "replay run": "packages/lpa-replay/tests/test_loop.py::test_a_plan_is_carried_out_exactly_or_not_at_all",
    "replay plan": "packages/lpa-replay/tests/test_loop.py::test_a_plan_is_carried_out_exactly_or_not_at_all",
    "schema apply": f"{HERE}_what_a_drift_asks_for_mends_it",
    "schema check": f"{HERE}_what_a_drift_asks_for_mends_it",
    "schema plan": (
        "packages/lpa-sinks/tests/schema/test_migrations.py::test_a_migration_is_planned_applied_once_and_rolled_back"
    ),
    "schema rollback": (
        "packages/lpa-sinks/tests/schema/test_migrations.py::test_a_migration_is_planned_applied_once_and_rolled_back"
    ),
    "schema show": ("packages/lpa-sinks/tests/schema/test_commands.py::test_show_is_what_clickhouse_client_takes"),
    "console": "tests/test_held_database.py::test_the_console_shows_health_beside_whatever_comes_and_goes",
    "mcp": "tests/test_held_database.py::test_an_agent_asks_while_another_process_writes",
    "serve": "tests/test_held_database.py::test_the_read_api_is_served_beside_whatever_comes_and_goes",
    "topics apply": f"{TOPICS}::test_missing_topics_are_made_as_they_should_be_and_the_second_time_left_alone",
    "topics show": f"{TOPICS}::test_settings_of_a_topic_that_exists_are_named_and_not_changed",
    "tap": (
        "packages/lpa-core/tests/admin/test_tap.py::test_the_command_shows_records_and_counts_and_leaves_nothing_open"
    ),
    "trace": "packages/lpa-ops/tests/trace/test_trace.py::test_every_fate_is_told_from_its_position",
    "triage": "packages/lpa-replay/tests/test_loop.py::test_a_producers_bug_is_repaired_once",
    "triage ignored": "tests/test_ignored_events.py::test_ignored_records_change_nothing_but_their_counts",
    "triage sessions": "tests/test_triage_sessions.py::test_the_latest_sessions_are_listed",
}
"""A command as messages name it -> a test that runs it to a good end."""


def texts(tree: ast.AST) -> Iterator[str]:
    """What may be shown: strings that document nothing, with ``{}`` for what is filled in."""
    bodies = [
        node.body
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    silent = {id(each.value) for body in bodies for each in body if isinstance(each, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def named() -> dict[str, str]:
    """Each command that a message names, and the file that does."""
    found: dict[str, str] = {}
    for path in sorted(ROOT.glob("packages/*/src/**/*.py")):
        source = path.read_text()
        for text in texts(ast.parse(source)) if "`lpa" in source else ():
            found |= dict.fromkeys(COMMAND.findall(text), path.name)
    return found


NAMED = named()
assert len(NAMED) > 20


def words_of(command: str) -> str:
    """The command without options and arguments."""
    return " ".join(re.findall(r"^[a-z -]+?(?= --| [A-Z{]|$)", command)).strip()


@pytest.mark.parametrize("command", sorted(NAMED))
def test_failure_18_a_message_names_a_command_that_exists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    scenarios = [each for each in FOLLOWED if each.startswith("recover ")]
    for filled in scenarios if command.startswith("recover {}") else [command.replace(" {}", "")]:
        words = words_of(filled)
        assert run([*words.split(), "--help"]) == 0
        told = capsys.readouterr().out
        assert f"Usage: lpa {words}" in told, f"{NAMED[command]} names `lpa {command}`"
        for option in re.findall(r"--[a-z-]+", filled):
            assert option in told, f"{NAMED[command]} names {option} of `lpa {command}`"


@pytest.mark.parametrize("command", sorted(NAMED))
def test_failure_18_a_test_goes_where_a_message_sends(command: str) -> None:
    words = words_of(command.replace("recover {}", "recover clickhouse-corruption"))
    file, _, test = FOLLOWED[words].partition("::")
    assert test in defined_in(ROOT / file), f"{file} has no {test}"


DRIFTS = {
    "a table is gone": ("DROP TABLE $.payment_events SYNC", "`lpa schema apply` makes it"),
    "a column is gone": ("ALTER TABLE $.streaming_events DROP COLUMN replay_id", "ADD COLUMN replay_id String"),
    "a type is another": (
        "ALTER TABLE $.streaming_events MODIFY COLUMN gateway LowCardinality(String)",
        "MODIFY COLUMN",
    ),
    "repeated inserts are forgotten": (
        "ALTER TABLE $.streaming_events MODIFY SETTING non_replicated_deduplication_window = 0",
        "MODIFY SETTING non_replicated_deduplication_window = ",
    ),
    "a column is too many": ("ALTER TABLE $.streaming_events ADD COLUMN mine String", "DROP COLUMN mine"),
}


@pytest.mark.slow
def test_failure_18_what_a_drift_asks_for_mends_it(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each kind of drift: `lpa schema apply` and `lpa schema check` say what to do, and that ends green."""
    where = ["--sink", f"clickhouse://127.0.0.1:{place.server.port}"]
    for damage, remedy in DRIFTS.values():
        place.command(damage.replace("$", place.database))
        capsys.readouterr()
        assert run(["schema", "check", *where]) == 1
        said = " ".join(capsys.readouterr().out.split())
        assert remedy in said
        assert run(["schema", "apply", *where]) == 0
        left = " ".join(capsys.readouterr().out.split())
        if run(["schema", "check", *where]) != 0:
            assert remedy in left, "what it leaves is told"
            (statement,) = set(re.findall(r"run (ALTER TABLE .*?)(?=$| streaming_events in | not changed)", left))
            place.command(statement)
        assert run(["schema", "check", *where]) == 0, capsys.readouterr().out
    assert place.rows() == 1000


@pytest.mark.slow
def test_failure_18_a_database_that_is_gone_is_brought_back_first(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What would make it empty comes second, and after it total-loss still finds what was lost."""
    place.lpa("backup", "create")
    before = place.content()
    (tmp_path / "events.ndjson").write_text('{"id": "1"}\n')
    ingest = ["ingest", str(tmp_path / "events.ndjson"), "--sink", f"clickhouse://127.0.0.1:{place.server.port}"]
    place.command(f"DROP DATABASE {place.database} SYNC")
    capsys.readouterr()
    assert run(ingest) == 2
    said = capsys.readouterr().err
    assert 0 < said.index("`lpa recover total-loss` brings them back") < said.index("`lpa schema apply` makes them")
    place.lpa("schema", "apply")
    place.lpa("recover", "total-loss", "--execute")
    assert place.content() == before
    assert run(ingest) == 0


@pytest.mark.slow
def test_failure_18_a_database_without_any_backup_is_made_as_told(place: Place) -> None:
    place.command(f"DROP DATABASE {place.database} SYNC")
    said = place.lpa("recover", "total-loss", status=1)
    assert "has no backup to recover from: name another place with --backups" in said
    follow(said, "--sink", f"clickhouse://127.0.0.1:{place.server.port}")
    assert place.lpa("recover", "total-loss")["damage"] == []
    assert place.rows() == 0


@pytest.mark.slow
def test_failure_18_damage_with_backups_of_which_none_is_good_is_led_out_of(place: Place, tmp_path: Path) -> None:
    location = place.lpa("backup", "create")["location"]
    Path(location, "manifest.json").write_text("{")
    place.truncate_a_part("streaming_events")
    recover = ("recover", "clickhouse-corruption", "--execute")
    said = place.lpa(*recover, status=1)
    assert "name another place with --backups; if there is none, an empty folder: all is read again" in said
    (empty := tmp_path / "empty").mkdir()
    done = place.lpa(*recover, "--backups", str(empty))
    assert [check for check in done["validation"] if check["good"] is False] == []
    assert place.lpa("recover", "clickhouse-corruption", "--backups", str(empty))["damage"] == []
