"""A dead letter is edited, the edit becomes a fix file, and today's verdict is shown on it and on others like it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from starlette.testclient import TestClient

from lpa_ops.console.page import ConsoleSources
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_ops.testing.page_text import page

PATH: Final = "/failures/repair"
HOSTILE: Final = "</textarea><script>alert(1)</script>\u202e\x07"


@pytest.fixture(scope="module")
def group(browser: TestClient) -> dict[str, Any]:
    """The parameters of the dead letters that lack a field which can be given."""
    groups = browser.get("/failures.json").json()["groups"]
    found = next(each for each in groups if each["failure_reason"] == "missing_field" and each["event_type"])
    return {"class": found["failure_class"], "reason": found["failure_reason"], "type": found["event_type"]}


def form_token(browser: TestClient) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', browser.get("/query").text)
    assert found
    return found[1]


def judged(browser: TestClient, values: dict[str, Any], **typed: str) -> Any:
    token = form_token(browser)
    answer = browser.post(f"{PATH}.json", data={**values, **typed, "form_token": token})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.slow
def test_failures_and_records_lead_to_their_repair(browser: TestClient, group: dict[str, Any]) -> None:
    links = page(browser.get("/failures")).links
    (link,) = [
        each for each in links if each.startswith(PATH) and f"type={group['type']}" in each and group["reason"] in each
    ]
    content = browser.get(link.replace(PATH, f"{PATH}.json")).json()
    assert content["total"] > 0
    assert not [each for each in content["tried"] if each["passes"]], "none passes as it is"
    record = page(browser.get("/failures/record", params={"at": content["position"]}))
    (link,) = [each for each in record.links if each.startswith(PATH)]
    assert browser.get(link.replace(PATH, f"{PATH}.json")).json()["position"] == content["position"]


def test_an_edit_is_judged_and_becomes_a_fix_file(
    browser: TestClient, group: dict[str, Any], day: CheckedDatabase
) -> None:
    before = browser.get(f"{PATH}.json", params=group).json()
    stored = day.query("SELECT count() FROM day.streaming_events")
    details = before["tried"][0]["details"]
    missing = re.search(r"[a-z_.]+", details)
    assert missing, details
    document = json.loads(before["payload"])
    document["type"] = "job_gateway"
    content = judged(
        browser, group, payload=json.dumps(document).replace("\n", "\r\n"), payload_digest=before["payload_digest"]
    )
    assert 'steps = [{ set = "type", value = "job_gateway" }]' in content["fix"]
    assert f'reason = "{group["reason"]}"' in content["fix"]
    (change,) = [each for each in content["tried"][0]["changes"] if each["path"] == "type"]
    assert change["after"] == '"job_gateway"'
    assert content["tried"][0]["position"] == before["position"]
    assert "--fix fix.toml" in content["commands"][0]
    assert day.query("SELECT count() FROM day.streaming_events") == stored, "nothing is sent"


def test_a_fix_that_is_written_counts_while_the_payload_is_as_it_was(
    browser: TestClient, group: dict[str, Any]
) -> None:
    before = browser.get(f"{PATH}.json", params=group).json()
    fix = '[[fix]]\nsteps = [{ set = "note", value = 1 }]\n'
    unedited = {"payload": before["payload"], "payload_digest": before["payload_digest"]}
    content = judged(browser, group, **unedited, fix=fix)
    assert content["fix"] == fix
    assert {each["path"] for tried in content["tried"] for each in tried["changes"]} == {"note"}
    wrong = judged(browser, group, **unedited, fix="[[fix]]\n")
    assert "fix 1: it has no steps" in wrong["wrong"]
    assert wrong["fix"] == "[[fix]]\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("payload", "said"),
    [("{", "the edited record is not JSON"), ("[]", "not a JSON object"), ('{"a": null}', "cannot hold null"),
     (HOSTILE, "the edited record is not JSON")],
)  # fmt: skip
def test_what_cannot_be_a_fix_is_said_beside_what_was_typed(
    browser: TestClient, group: dict[str, Any], payload: str, said: str
) -> None:
    typed = {**group, "payload": payload, "form_token": form_token(browser)}
    found = page(browser.post(PATH, data=typed))
    assert said in found.text
    assert payload.split("<")[0] in found.text
    assert len([name for name, _ in found.elements if name == "script"]) == 3, "those of the console"


@pytest.mark.slow
@pytest.mark.parametrize("text", [HOSTILE, "'; DROP TABLE x --", "\\' OR 1", "{x:Int64}"])
def test_hostile_parameters_are_text(browser: TestClient, text: str) -> None:
    for values in ({"type": text}, {"at": f"{text}/0/1"}, {"at": f"{text}/0/1", "which": "one"}):
        answer = browser.get(PATH, params=values)
        assert answer.status_code in (200, 400)
        page(answer, answer.status_code)
        assert "\u202e" not in answer.text
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    ("values", "said"),
    [({"class": "NONE"}, "--class NONE: there are"), ({"at": "nowhere"}, "give a position"),
     ({"which": "one"}, "give the position"), ({"since": "never"}, "since")],
)  # fmt: skip
def test_a_choice_that_is_none_is_refused(browser: TestClient, values: dict[str, str], said: str) -> None:
    assert said in page(browser.get(PATH, params=values), 400).text


@pytest.mark.slow
def test_a_time_without_dead_letters_says_so(browser: TestClient, group: dict[str, Any], day: CheckedDatabase) -> None:
    early = {**group, "since": day.now_ms - 9 * 86_400_000, "until": day.now_ms - 8 * 86_400_000}
    assert "No dead letter is like that in this time" in page(browser.get(PATH, params=early)).text


def test_a_form_of_another_page_is_refused(
    opened: Callable[..., TestClient], sources: ConsoleSources, group: dict[str, Any]
) -> None:
    browser = opened(sources)
    token = form_token(browser)
    assert browser.post(PATH, data=group).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    assert browser.post(PATH, data={**group, "form_token": token}, headers=foreign).status_code == 403
    host = {"Host": "evil.example"}
    assert browser.post(PATH, data={**group, "form_token": token}, headers=host).status_code == 421
    closed = opened(sources, "0123456789abcdef")
    assert closed.post(PATH, data={**group, "form_token": token}).status_code == 401


@pytest.mark.slow
def test_what_the_form_sends_again_is_what_it_was_given(browser: TestClient, day: CheckedDatabase) -> None:
    strange, long = "a\u202eb", "x" * 40_000
    day.run(
        "INSERT INTO day.streaming_events_dlq SELECT * REPLACE ('strange' AS source_topic, 0 AS source_offset, "
        f"'{strange}' AS event_type, concat('{{\"note\": \"{long}\"}}') AS payload_body) "
        "FROM day.streaming_events_dlq WHERE payload_encoding = 'json' ORDER BY ingestion_timestamp DESC LIMIT 1"
    )
    try:
        values = {"type": strange, "at": "strange/0/0"}
        before = browser.get(f"{PATH}.json", params=values).json()
        edit = {"payload": json.dumps({"note": long[1:]}), "payload_digest": before["payload_digest"]}
        shown = browser.post(PATH, data={**values, **edit, "form_token": form_token(browser)})
        found = page(shown)
        sent = {
            str(each["name"]): str(each["value"]) for tag, each in found.elements if tag == "input" and "value" in each
        }
        assert (sent["type"], sent["at"]) == (strange, "strange/0/0")
        (fix,) = re.findall(r'<textarea id="fix"[^>]*>(.*?)</textarea>', shown.text, re.DOTALL)
        again = judged(
            browser, values, fix=html.unescape(fix), payload=edit["payload"], payload_digest=sent["payload_digest"]
        )
        assert again["wrong"] == ""
        assert again["tried"][0]["changes"], "the fix is whole"
    finally:
        day.run("DELETE FROM day.streaming_events_dlq WHERE source_topic = 'strange'")
