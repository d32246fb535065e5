"""The hours of GPUs, and what was last said of the GPUs: two reads side by side, as one view would have them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from lpa_ops.read_api.hours import GPU_KEYS, Rows, hours, newest_first
from lpa_ops.read_api.route import Database

_GPU: Final = ("org", "orchestrator_address", "model_id", "gpu_id")
"""What labels are looked up by; a model that is not known is empty there."""
_LABELS: Final = ("gpu_name", "gpu_memory_total", "runner_version", "cuda_version")


def _labelled(database: Database, sql: str, bound: Mapping[str, Any], first_hours: int) -> Rows:
    """Rows of ``v_api_gpu_metrics``. The labels are those of all GPUs: which ones a page has is not known before."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(database.rows, "v_gpu_labels.sql", bound)
        names, rows = newest_first(database, sql, bound, first_hours)
        _, labels = asked.result()
    if not rows:
        return names, rows
    of_gpu = {tuple(row[: len(_GPU)]): tuple(row[len(_GPU) :]) for row in labels}
    none = (None,) * len(_LABELS)
    places = [names.index(name) for name in _GPU]
    after = names.index("region") + 1
    return (*names[:after], *_LABELS, *names[after:]), [
        (*row[:after], *of_gpu.get(tuple(row[place] or "" for place in places), none), *row[after:]) for row in rows
    ]


ROUTES: Final = (
    hours("streaming/gpu-metrics", "Hourly performance of GPUs", "v_api_gpu_metrics", GPU_KEYS, 3, _labelled),
)
