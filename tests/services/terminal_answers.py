"""What commands find out where no broker, no damage and no disk of a test's own can be had: the same each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from lpa_core.delivery.consumer_group import Commit, Partition
from lpa_core.doctor.examination import Examination, StartResult, StartState
from lpa_core.doctor.start_check import StartCheck
from lpa_core.health.check import CheckResult, Finding, Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.kafka.topics import Difference, TopicState
from lpa_core.savepoints import Savepoint
from lpa_core.settings.thresholds import State, Thresholds
from lpa_core.sinks.derived import Derived
from lpa_ops.recover.scenario import RecoveryPlan, RecoveryStep
from lpa_ops.recover.validation import ValidationResult
from lpa_ops.release.gate import Gate, GateResult, GateState, Target
from lpa_replay.check.layers import Dump

SAVEPOINT: Final = Savepoint(
    id="savepoint-20260108T120000Z-abcdef",
    created_ms=1_767_873_600_000,
    group="lpa",
    commits={
        Partition("streaming_events", 0): Commit(1_234_567, "lpa1:prepared"),
        Partition("streaming_events", 1): Commit(7),
    },
    dedup={},
    note="claims of streaming_events:0, streaming_events:1 are not on this machine, or in a shared store",
    settings_fingerprint="f" * 64,
    versions={"lpa-core": "0.1.0"},
)
_LOCKED: Final = Finding(
    State.CRITICAL,
    "could not be judged: /var/lib/lpa/clickhouse: the embedded database is open in process 4711",
    action="wait for it or stop it, or use a ClickHouse server, which many processes can share",
)
_LAG: Final = Finding(
    State.WARNING,
    "streaming_events:0 is 123,456 records behind, others 0; \x1b[31mred\x1b[0m [bold]markup[/bold] \u202eturned",
    123_456.0,
    Thresholds(100_000, 1_000_000),
    "start another worker, or see why this one is slow: `lpa triage`",
)
_ABSENT: Final = Finding(State.NOT_APPLICABLE, "there is no backup in lpa-data/backups: `lpa backup create` makes one")
_WELL: Final = Finding(State.OK, "22% of lpa-data is free", 0.22, Thresholds(0.1, 0.05, falling=True))


def _start(name: str, title: str, state: StartState, detail: str, action: str = "", subject: str = "") -> StartResult:
    return StartResult(StartCheck(name, title, lambda start: _WELL, subject), state, detail, action)


_STARTS: Final = [
    _start("settings", "Settings", StartState.OK, "7 are set, the others have their default: `lpa config` shows them"),
    _start(
        "dedup_store",
        "Dedup store",
        StartState.FAILED,
        "Redis at redis:6379 forgets claims when its memory is full (maxmemory-policy allkeys-lru)",
        "set maxmemory-policy noeviction",
    ),
    _start("kafka_login", "Kafka: login", StartState.NOT_APPLICABLE, "no broker is part of this job"),
    _start("kafka_topics", "Kafka: topics", StartState.NOT_APPLICABLE, "no broker is part of this job"),
    _start(
        "clickhouse_address",
        "ClickHouse: address and TLS",
        StartState.FAILED,
        "https://clickhouse.example.internal:8443: \x1b[31mred\x1b[0m [bold]markup[/bold] certificate verify failed",
        "name in SSL_CERT_FILE the authority that issued it, or correct the certificate",
        subject="https://clickhouse.example.internal:8443/livepeer_analytics",
    ),
    _start(
        "clickhouse_login",
        "ClickHouse: login",
        StartState.NOT_TRIED,
        "clickhouse_address failed",
        subject="https://clickhouse.example.internal:8443/livepeer_analytics",
    ),
    _start("plugins", "Plugins", StartState.WARNING, "left out: bad of lpa-bad", "correct or remove lpa-bad"),
]


def give_answers(patch: pytest.MonkeyPatch) -> None:
    topics = [
        TopicState("streaming_events", present=True, partitions=6, differences=(Difference("partitions", "12", "6"),)),
        TopicState("streaming_events_dlq", present=True, created=True, partitions=1),
        TopicState("streaming_events_quarantine", present=False, readable=False),
    ]
    for name, answer in {
        "lpa_core.commands.topics.admin_client": None,
        "lpa_core.commands.topics.apply": topics,
        "lpa_core.commands.topics.compare": topics,
        "lpa_sinks.materialize.job.MaterializeJob.run": Derived(signals=12_345, sessions=678),
        "lpa_ops.savepoint.keeper.create": ("/var/lib/lpa/savepoints/savepoint-20260108T120000Z-abcdef", SAVEPOINT),
        "lpa_ops.savepoint.keeper.restore": SAVEPOINT,
        "lpa_ops.commands.recover.plan": _plan(),
        "lpa_ops.commands.recover.validate": [
            ValidationResult("positions", True, "no position is stored twice"),
            ValidationResult("keys", None, "3 keys are stored at two positions: later than keys are remembered"),
            ValidationResult("conservation", False, "streaming_events:0 lacks 17 positions: 1234567 to 1234583"),
        ],
        "lpa_ops.commands.release_check.run": [
            (_gate("tests", "Tests"), GateResult(GateState.PASSED, "4,364 of 4,364 tests were run, none failed")),
            (_gate("parity", "Parity assertions"), GateResult(GateState.NOT_JUDGED, "there is no embedded database")),
            (
                _gate("schema", "Schema and row mapper"),
                GateResult(GateState.FAILED, "two", ("one problem", "another one")),
            ),
        ],
        "lpa_replay.commands.replay_check.run_fixture": [
            Dump("decoded", "verdicts", ('{"a": 1}', '{"b": 2}')),
            Dump("stored", "streaming_events", ('{"a": 1}',)),
        ],
    }.items():
        patch.setattr(name, _always(answer))
    patch.setattr("lpa_ops.commands.recover.execute", _execute)
    patch.setattr(CheckRunner, "run", _look)
    patch.setattr(Examination, "run", lambda examination: _STARTS)


def _always(answer: Any) -> Callable[..., Any]:
    return lambda *arguments, **named: answer


def _look(runner: CheckRunner, scope: Scope, wanted: object = None) -> list[CheckResult]:
    findings = [_LOCKED, _LOCKED, _LOCKED, _LAG, _ABSENT, _ABSENT, *[_WELL] * len(runner.checks)]
    return [
        CheckResult(check, finding, 0.1, scope.now_ms) for check, finding in zip(runner.checks, findings, strict=False)
    ]


def _step(name: str, what: str, done: bool) -> tuple[RecoveryStep, bool]:
    return RecoveryStep(name, what, lambda: f"{name} is done"), done


def _plan() -> tuple[RecoveryPlan, list[tuple[RecoveryStep, bool]]]:
    damage = ["streaming_events: the part 20260108_1_1_0 cannot be read (Cannot read all data)"]
    lost = ["17 records of streaming_events:0, offsets 1234567 to 1234583: the topic keeps them no longer"]
    then = ["start the workers again: `lpa ingest`"]
    steps = [
        _step("check the backup", "every file of backup-20260108T120000Z-abcdef is read", True),
        _step("restore tables", "streaming_events and streaming_events_dlq come back from the backup", False),
    ]
    return RecoveryPlan(
        damage, lost, 90, then, "2026-01-08T12:00:00+00:00", Path("lpa-data/recover/total-loss.json")
    ), steps


def _execute(scenario: object, context: object, tell: Callable[[RecoveryStep, str], None]) -> bool:
    for step, _ in _plan()[1]:
        tell(step, step.do())
    return True


def _gate(name: str, title: str) -> Gate:
    def judge(target: Target) -> GateResult:
        raise NotImplementedError

    return Gate(name, title, judge)
