"""What the job is put together of, as far as that needs no cluster."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest

from lpa_core.plugins.fingerprint import fingerprint
from lpa_core.plugins.manager import PluginManager
from lpa_core.settings.settings import Settings
from lpa_flink import job

TOPOLOGY: Final = Path(__file__).parents[3] / "flink-jobs/src/main/java/com/livepeer/analytics/flink/Topology.java"


def test_state_is_divided_alike_in_both_languages() -> None:
    assert f"MAX_PARALLELISM = {job.MAX_PARALLELISM};" in TOPOLOGY.read_text("utf-8")


def test_a_job_manager_that_is_as_expected_takes_the_job() -> None:
    rules = fingerprint(Settings(), PluginManager(Settings()).plugins)
    job.require_expected(Settings(), version("lpa-flink"), rules)
    job.require_expected(Settings(), "", "")


def test_another_version_or_other_rules_are_refused() -> None:
    with pytest.raises(job.FlinkJobError, match=r"submitted by 9\.9: install one version on both"):
        job.require_expected(Settings(), "9.9", "")
    with pytest.raises(job.FlinkJobError, match=r"submitted with 0000: give both the same settings"):
        job.require_expected(Settings(), "", "0000")
