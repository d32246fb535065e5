"""Whether the group's committed offsets fit what the topic holds and what is stored."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import HealthCheck
from lpa_ops.health.offsets_fit import judge_offsets
from lpa_ops.health.runbook import section

CHECK: Final = HealthCheck(
    "group_offsets", "Offsets of the consumer group", judge_offsets, "partitions", runbook=section("group_offsets")
)
