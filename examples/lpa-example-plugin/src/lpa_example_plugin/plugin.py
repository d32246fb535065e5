"""What the package brings, hook by hook. The entry point in pyproject.toml names this module."""

import re
from collections.abc import Mapping, Sequence

import attrs

from lpa_core.plugin import EventType, Failure, Reason, Settings, SinkFactory, hookimpl, local_path
from lpa_example_plugin.gpu_temperature import EVENT_TYPE
from lpa_example_plugin.ndjson_sink import NdjsonSink


@hookimpl
def lpa_event_types() -> Sequence[EventType]:
    return (EVENT_TYPE,)


@hookimpl
def lpa_sinks() -> Mapping[str, SinkFactory]:
    return {"ndjson": _ndjson}


def _ndjson(uri: str, settings: Settings) -> NdjsonSink:
    return NdjsonSink(local_path(uri))


@hookimpl
def lpa_classify_failure(failure: Failure, payload: bytes | None) -> Failure | None:
    """Say so where a record is XML: an exporter answered with an error page."""
    if failure.reason is not Reason.JSON_PARSE_ERROR or payload is None:
        return None
    element = re.match(rb"\s*<[?!]?(\w+)", payload)
    return attrs.evolve(failure, details=f"XML, not JSON: begins with <{element[1].decode()}>") if element else None
