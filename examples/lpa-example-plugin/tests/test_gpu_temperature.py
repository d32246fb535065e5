"""The event type, through the pipeline that every event takes."""

from lpa_core.plugin import Pipeline, Position, Reason, Rejected
from lpa_example_plugin.gpu_temperature import EVENT_TYPE, TABLE
from lpa_example_plugin.plugin import lpa_classify_failure

PIPELINE = Pipeline([EVENT_TYPE], classifiers=[lpa_classify_failure])
EVENT = b'{"id": "1", "type": "gpu_temperature", "timestamp": 1767873600000, "data": %s}'


def rows(data: bytes) -> list[tuple[object, ...]]:
    verdict = PIPELINE.process(EVENT % data, Position("events", 0, 0))
    assert not isinstance(verdict, Rejected), verdict.failure
    assert {table for table, _ in verdict.rows} == {TABLE}
    return [row for _, row in verdict.rows]


def test_a_temperature_is_one_row() -> None:
    data = b'{"gpu_id": "GPU-1", "celsius": 71.5, "orchestrator_info": {"address": "0xAB"}}'
    assert rows(data) == [("GPU-1", 71.5, "0xab")]


def test_a_wrong_type_is_coerced_and_what_is_missing_is_empty() -> None:
    assert rows(b'{"gpu_id": 7, "celsius": "hot", "orchestrator_info": null}') == [("7", 0.0, "")]


def test_a_temperature_of_no_gpu_is_rejected() -> None:
    verdict = PIPELINE.process(EVENT % b'{"celsius": 71.5}', Position("events", 0, 0))
    assert isinstance(verdict, Rejected)
    assert (verdict.failure.reason, verdict.failure.details) == (Reason.MISSING_FIELD, "data.gpu_id")


def test_xml_is_called_xml_and_other_failures_stay_as_they_are() -> None:
    xml = PIPELINE.process(b' <?xml version="1.0"?><a/>', Position("events", 0, 0))
    other = PIPELINE.process(b"{", Position("events", 0, 0))
    assert isinstance(xml, Rejected)
    assert isinstance(other, Rejected)
    assert xml.failure.reason is other.failure.reason is Reason.JSON_PARSE_ERROR
    assert xml.failure.details == "XML, not JSON: begins with <xml>"
    assert "XML" not in other.failure.details
