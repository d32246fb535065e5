"""A run that goes on after somebody else stored what it was about to send, and the dedup store forgot."""

from __future__ import annotations

import pytest

from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.loading import load
from lpa_core.sources.source import Source
from lpa_replay.planning.plan import read_plan
from lpa_replay.running.run import Replays
from lpa_replay.testing.place import MOMENT, ReplayPlace, event

RECORDS = 40
FORGETFUL = ("--dedup", "memory://")
"""Every run begins with an empty store."""


class Killed(Exception):
    pass


def killed_while_it_writes(source: Source) -> object:
    def listener(step: Step, range_: Range) -> None:
        if step is Step.WRITTEN and range_.start >= 10:
            raise Killed

    return listener


@pytest.mark.slow
@pytest.mark.parametrize(("taken", "sent"), [("'e-25', 'e-26', 'e-39'", 37), ("'none'", 40)])
def test_what_another_run_stored_meanwhile_is_left_out_of_the_rest(
    place: ReplayPlace, taken: str, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_SINK_MAX_BATCH_SIZE", "10")
    place.ingest(event(f"e-{number}", MOMENT + number) for number in range(RECORDS))
    plan = place.plan("--all", "--fix", "fix.toml", *FORGETFUL)
    settings = load()
    with pytest.raises(Killed):
        Replays(settings, PluginManager(settings)).run(
            read_plan(place.folder / "plan.json"),
            killed_while_it_writes,
            lambda records, total: None,  # type: ignore[arg-type]
        )
    other = place.replay("--all", "--fix", "fix.toml", "--where", f"event_id IN ({taken})", *FORGETFUL)
    assert other["published"] == RECORDS - sent
    done = place.replay("--plan", "plan.json")
    assert (done["id"], done["published"], done["already_stored"]) == (plan["id"], sent, RECORDS - sent)
    assert place.rows("SELECT count(), uniqExact(dedup_key) FROM {}.streaming_events") == [(RECORDS, RECORDS)]
    checks = place.verified(done["id"])
    assert checks["every record in one place"]["figures"]["recovered"] == sent
    assert place.rows(
        "SELECT uniqExact(number), countIf(outcome = 'skipped' AND attempt = 0) FROM {}.replay_outcomes FINAL "
        f"WHERE replay_id = '{done['id']}'"
    ) == [(RECORDS, RECORDS - sent)]
