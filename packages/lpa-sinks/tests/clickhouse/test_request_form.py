"""Parameters that a form can carry."""

from __future__ import annotations

from urllib.parse import urlencode

from clickhouse_connect.driver.binding import bind_query
from hypothesis import given
from hypothesis import strategies as st

from lpa_sinks.clickhouse.request_form import as_form, portions

TEXTS = st.lists(st.builds(str.__mul__, st.text(min_size=1, max_size=9), st.integers(1, 4000)), max_size=30)


@given(TEXTS)
def test_failure_21_portions_are_all_values_in_their_order_and_fit(texts: list[str]) -> None:
    found = list(portions(texts, str))
    assert [text for some in found for text in some] == texts
    assert all(some for some in found)
    assert all(len(some) == 1 or sum(len(text.encode()) for text in some) <= 65_536 for some in found)


def test_failure_21_long_keys_travel_in_the_body() -> None:
    keys = [f"{number:0300}'" for number in range(2000)]
    some = list(portions(keys, str))
    assert 1 < len(some) < 20
    for each in some:
        query, bound = bind_query("SELECT {keys:Array(String)}", {"keys": list(each)}, None)
        url, options = as_form(f"http://h/?{urlencode(bound)}", {"body": query.encode(), "headers": {}})
        assert "param_keys" not in url
        assert "param_keys" in options["fields"]
