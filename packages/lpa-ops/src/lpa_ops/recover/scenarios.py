"""Every scenario there is, and what each is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from lpa_ops.recover.clickhouse_corruption import ClickHouseCorruption
from lpa_ops.recover.doubled_rows import DoubledRows
from lpa_ops.recover.offset_loss import OffsetLoss
from lpa_ops.recover.scenario import RecoveryPlan, RecoveryStep, Scenario
from lpa_ops.recover.total_loss import TotalLoss
from lpa_ops.recover.validation import ValidationResult
from lpa_ops.recover.wrong_times import WrongTimes

FROM_BACKUPS: Final[Mapping[Callable[[], Scenario[Any]], str]] = {
    ClickHouseCorruption: "Tables are damaged: restore these from the newest good backup, and read later "
    "records again.",
    TotalLoss: "The database is gone: restore everything from the newest good backup, and continue from its offsets.",
}
FROM_TABLES: Final[Mapping[Callable[[], Scenario[Any]], str]] = {
    OffsetLoss: "The group's offsets are gone or were moved: find the right ones in the database, and commit them.",
    DoubledRows: "Records are stored twice: delete the later rows, and derive facts again.",
    WrongTimes: "Rows were stored under a clock that was ahead: set their ingestion times to now.",
}
"""Those that need nothing but the database and what fed it."""


def recovery_json(
    shown: RecoveryPlan, steps: Sequence[tuple[RecoveryStep, bool]], checks: Sequence[ValidationResult]
) -> dict[str, Any]:
    """The answer of ``lpa recover ... --json``. ``steps`` say whether each is done."""
    return {
        "damage": shown.damage,
        "lost": shown.lost,
        "seconds": shown.seconds,
        "steps": [{"name": step.name, "what": step.what, "done": done} for step, done in steps],
        "validation": [attrs.asdict(check) for check in checks],
        "then": shown.then,
        "since": shown.since or None,
        "journal": str(shown.journal) if shown.journal is not None else None,
    }
