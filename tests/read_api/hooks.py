"""What schemathesis cannot know from the document: which texts are cursors and times."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis import GenerationMode

from lpa_ops.read_api.cursor import Cursor

KEYS = {"/v1/streaming/sla": 6, "/v1/streaming/demand": 5, "/v1/streaming/gpu-metrics": 6}
TIMES = {"start": "2d", "end": "1h"}
NOW_MS = 1_767_900_000_000


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Give a request that is to be answered a cursor of its route, and times."""
    keys = KEYS.get(case.path)
    if keys is None or case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for name, text in TIMES.items():
        if name in case.query:
            case.query[name] = text
    if "cursor" in case.query:
        text = str(case.query["cursor"])
        case.query["cursor"] = str(Cursor(NOW_MS - len(text) * 3_600_000, (text[:9],) * keys))
