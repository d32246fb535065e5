"""All routes, in the order of the document."""

from __future__ import annotations

from typing import Final

from lpa_ops.read_api import gpu_metrics, hours, key_figures, live
from lpa_ops.read_api.route import ReadRoute

ROUTES: Final[tuple[ReadRoute, ...]] = (
    *key_figures.ROUTES,
    *live.ROUTES,
    *hours.ROUTES,
    *gpu_metrics.ROUTES,
)
